"""A check at the network identity service, begun and finished (3.7). The session is given; nothing here commits.

Beginning: `start` in a transaction, `call` outside any, `note_challenge` in another. Finishing: `pending`, `fetch`, `finish`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from auth.accounts import queries as people
from auth.accounts.errors import DocumentDiffers
from auth.accounts.events import SubjectsMerged
from auth.identity import service as identity
from auth.identity.network.errors import NetworkCheckOpen, NetworkCheckUnknown, NetworkPinWrong, NetworkRefused
from auth.identity.network.models import NetworkCheck
from auth.identity.network.rules import EVIDENCE, CheckState, Grade, is_enough
from auth.identity.ports import (
    Challenge,
    Check,
    CheckResult,
    NetworkAnswer,
    NetworkIdentity,
    NetworkResult,
)
from auth.identity.rules import Purpose
from auth.identity.service import Answer, Outcome
from auth.identity.ways.rules import NETWORK_DOCUMENTS
from auth.sessions import service as sessions
from core import clock, ids, ports
from core.actors import Citizen
from core.errors import InvalidInput, Problem, SourceUnavailable, StateConflict
from core.identifiers import DocumentNumber, DocumentType, normalise_document, normalise_name
from core.limits import Limit, hit
from core.ports import PartnerRefused, PartnerUnavailable

PROVIDER = "network-identity"
CHECKS_PER_PERSON = Limit("network-identity-person", 10, 3_600)

# How long a check may take before it is forgotten; the service's own time-limit is shorter (P-6) [D].
KEEP = timedelta(days=1)
_LASTS = timedelta(minutes=10)
_BATCH = 1_000

_CHECKS: dict[NetworkResult, CheckResult] = {
    NetworkResult.PASS: CheckResult.MATCH,
    NetworkResult.MISMATCH: CheckResult.MISMATCH,
    NetworkResult.REVIEW: CheckResult.REVIEW,
    NetworkResult.CERTIFICATE_EXPIRED: CheckResult.EXPIRED,
}
_NOT_PROVEN: dict[NetworkResult, type[Problem]] = {
    NetworkResult.PIN_WRONG: NetworkPinWrong,
    NetworkResult.REFUSED_BY_PERSON: NetworkRefused,
    NetworkResult.OPEN: NetworkCheckOpen,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A check to be begun at the service, or one whose outcome is to be fetched."""

    id: UUID
    name: str = field(repr=False)
    document: DocumentNumber
    grade: Grade
    purpose: Purpose | None
    challenge: str = ""


def start(
    session: Session,
    *,
    actor: Citizen,
    grade: Grade,
    purpose: Purpose | None = None,
    name: str | None = None,
    document_type: str | None = None,
    document_number: str | None = None,
) -> Wanted:
    """Prepare a check of the actor: of what it types, or of the document it has proven.

    `purpose` asks for the fresh proof of one act and needs the PIN. Raises `InvalidInput`, `IdentifierError`,
    `DocumentDiffers` (another document than the one proven in this session), `RateLimited`.
    """
    if purpose is not None and grade is not Grade.PIN:
        raise InvalidInput(fields={"grade": ["实时核验须使用口令 / a fresh proof needs the PIN"]})
    hit(CHECKS_PER_PERSON, str(actor.subject_id))
    here = sessions.opened(session, actor.session_id)
    found = people.person(session, here.subject_id)
    if name is None or document_type is None or document_number is None:
        # Below level 2 it may be a phone's new owner, who must not even learn that there is a document (ID-4).
        if actor.level < 2 or found.name is None or found.document_type is None or found.document_number is None:
            raise InvalidInput(fields={"name": ["请填写姓名和证件号码 / give name and document"]})
        clean, document = found.name, normalise_document(found.document_type, found.document_number)
    else:
        clean = normalise_name(name)
        document = normalise_document(DocumentType(document_type), document_number, today=clock.today())
    if document.type not in NETWORK_DOCUMENTS:
        raise InvalidInput(fields={"document_type": ["该证件类型不支持网络身份认证 / not for this kind of document"]})
    if purpose is not None and people.document(session, here.subject_id) != document:
        raise DocumentDiffers()
    now = clock.now()
    check = NetworkCheck(
        id=ids.uuid7(),
        subject_id=here.subject_id,
        session_id=here.id,
        name=clean,
        document_type=document.type.value,
        document_number=document.number,
        grade=grade,
        purpose=purpose,
        state=CheckState.STARTED,
        created_at=now,
        expires_at=now + _LASTS,
    )
    session.add(check)
    session.flush()
    return Wanted(check.id, clean, document, grade, purpose)


def call(wanted: Wanted, *, return_url: str) -> Challenge:
    """Begin the check at the service. Outside any transaction. Raises `SourceUnavailable`."""
    try:
        return ports.get(NetworkIdentity).begin(
            name=wanted.name,
            document=wanted.document,
            grade=wanted.grade,
            purpose=wanted.purpose.value if wanted.purpose else "",
            return_url=return_url,
            request_id=wanted.id,
        )
    except PartnerUnavailable:
        raise SourceUnavailable() from None


def note_challenge(session: Session, *, check_id: UUID, challenge: Challenge) -> None:
    """Note what the service calls the check. Raises `StateConflict`."""
    noted = session.scalar(
        update(NetworkCheck)
        .where(NetworkCheck.id == check_id, NetworkCheck.state == CheckState.STARTED)
        .values(state=CheckState.OPEN, challenge=challenge.challenge, expires_at=challenge.expires_at)
        .returning(NetworkCheck.id)
    )
    if noted is None:
        raise StateConflict()


def pending(session: Session, *, actor: Citizen, check_id: UUID) -> Wanted:
    """The actor's own check that waits for its outcome. Raises `NetworkCheckUnknown`: foreign, done or unknown look the same."""
    check = _locked(session, actor, check_id)
    return _wanted(check)


def fetch(wanted: Wanted, *, token: str) -> NetworkAnswer:
    """Ask the service what the check came to. Outside any transaction. Raises `SourceUnavailable`, `NetworkCheckUnknown`."""
    try:
        return ports.get(NetworkIdentity).finish(challenge=wanted.challenge, token=token)
    except PartnerRefused:
        raise NetworkCheckUnknown() from None
    except PartnerUnavailable:
        raise SourceUnavailable() from None


def finish(session: Session, *, actor: Citizen, check_id: UUID, found: NetworkAnswer) -> Outcome:
    """Record what the service answered, once, and what follows (3.7).

    A check made for another purpose or at a lower grade than was asked proves nothing. Raises `NetworkCheckUnknown`,
    `NetworkCheckOpen` (the person isn't through; the check goes on), and as `identity.service.record_answer`.
    """
    check = _locked(session, actor, check_id)
    wanted = _wanted(check)
    if found.result is NetworkResult.OPEN:
        raise NetworkCheckOpen()
    _close(check)
    if found.result in _NOT_PROVEN:
        return Outcome(CheckResult.MISMATCH, refusal=_NOT_PROVEN[found.result]())
    result = _CHECKS[found.result]
    asked = wanted.purpose.value if wanted.purpose else ""
    if result is CheckResult.MATCH and (found.purpose != asked or not is_enough(found.grade, wanted.grade)):
        result = CheckResult.MISMATCH
    answer = Answer(
        wanted.name,
        wanted.document,
        Check(result, found.valid_until),
        wanted.id,
        kind=EVIDENCE[wanted.grade],
        provider=PROVIDER,
        purpose=wanted.purpose,
        reference=wanted.challenge,
    )
    return identity.record_answer(session, actor=actor, answer=answer)


def _locked(session: Session, actor: Citizen, check_id: UUID) -> NetworkCheck:
    check = session.scalar(
        select(NetworkCheck)
        .where(
            NetworkCheck.id == check_id,
            NetworkCheck.session_id == actor.session_id,
            NetworkCheck.subject_id == actor.subject_id,
            NetworkCheck.state == CheckState.OPEN,
        )
        .with_for_update()
    )
    if check is None:
        raise NetworkCheckUnknown()
    return check


def _wanted(check: NetworkCheck) -> Wanted:
    if check.name is None or check.document_number is None:
        raise NetworkCheckUnknown()
    document = normalise_document(DocumentType(check.document_type), check.document_number)
    purpose = Purpose(check.purpose) if check.purpose else None
    return Wanted(check.id, check.name, document, Grade(check.grade), purpose, check.challenge or "")


def _close(check: NetworkCheck) -> None:
    check.state = CheckState.DONE
    check.name = check.document_number = None


def forget(session: Session) -> int:
    """Delete a batch of checks older than a day; how many."""
    old = select(NetworkCheck.id).where(NetworkCheck.created_at < clock.now() - KEEP).limit(_BATCH)
    gone = session.scalars(delete(NetworkCheck).where(NetworkCheck.id.in_(old)).returning(NetworkCheck.id)).all()
    return len(gone)


def move_owner(session: Session, event: SubjectsMerged) -> None:
    """Checks of the absorbed subject are the kept one's."""
    session.execute(update(NetworkCheck).where(NetworkCheck.subject_id == event.absorbed).values(subject_id=event.kept))
