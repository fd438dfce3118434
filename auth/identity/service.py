"""Recording evidence. The session is given; nothing here commits.

Proving name and number takes two steps, since the source is asked outside any transaction: `ask`, then `record_answer`.
What must be recorded although it is refused is in `Outcome.refusal`, for the caller to raise after the commit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from auth.accounts import queries as people
from auth.accounts import service as accounts
from auth.accounts.errors import DocumentDiffers
from auth.accounts.events import SubjectsMerged
from auth.identity import queries
from auth.identity.errors import (
    CoolingDown,
    IdentityDocumentExpired,
    IdentityInConflict,
    IdentityNotMatched,
    IdentityNotUsable,
)
from auth.identity.events import IdentityRaised
from auth.identity.evidence import queries as proofs
from auth.identity.evidence import service as rows
from auth.identity.models import IdentityEvidence
from auth.identity.persons import service as persons
from auth.identity.policies import queries as policies
from auth.identity.ports import Check, CheckResult, IdentityAuthority
from auth.identity.reviews import service as reviews
from auth.identity.rules import PROPERTY_MATTERS, EvidenceType, Purpose, Result
from auth.identity.ways.service import FRESH_LEVEL, too_low
from auth.sessions import queries as devices
from auth.sessions import service as sessions
from core import audit, clock, events, ids, ports
from core.actors import Citizen, Staff
from core.errors import Problem, SourceUnavailable
from core.identifiers import DocumentNumber, DocumentType, normalise_document, normalise_name
from core.limits import Limit, hit
from core.ports import PartnerUnavailable

prove_factor, revoke_factor = rows.prove_factor, rows.revoke_factor

CHECKS_PER_PERSON = Limit("identity-person", 5, 3_600)
# So that nobody tries names out on one number from many accounts [D].
CHECKS_PER_DOCUMENT = Limit("identity-document", 10, 86_400)

SOURCE = "population-source"
COUNTER = "counter"
_PURPOSE = "real-name"

_REFUSALS: dict[CheckResult, type[Problem]] = {
    CheckResult.MISMATCH: IdentityNotMatched,
    CheckResult.NOT_FOUND: IdentityNotMatched,
    CheckResult.EXPIRED: IdentityDocumentExpired,
    CheckResult.DECEASED: IdentityNotUsable,
    CheckResult.CANCELLED: IdentityNotUsable,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source said about whom; `kind` and `provider` tell which source it was."""

    name: str = field(repr=False)
    document: DocumentNumber
    check: Check
    request_id: UUID
    kind: EvidenceType = EvidenceType.NAME_NUMBER
    provider: str = SOURCE
    purpose: Purpose | None = None
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out: MATCH or REVIEW with the level of now and a token that says so, or a refusal."""

    result: CheckResult
    level: int = 0
    look_again_at: datetime | None = None
    token: sessions.Fresh | None = None
    refusal: Problem | None = None

    def insist(self) -> Outcome:
        """Itself. Raises the refusal, if that is what came out."""
        if self.refusal is not None:
            raise self.refusal
        return self


def ask(*, actor: Citizen, name: str, document_type: str, document_number: str) -> Answer:
    """Ask the population source whether name and number belong together. Outside any transaction.

    Raises `IdentifierError`, `RateLimited` (5 an hour per person), `SourceUnavailable`.
    """
    document = normalise_document(DocumentType(document_type), document_number, today=clock.today())
    clean = normalise_name(name)
    hit(CHECKS_PER_PERSON, str(actor.subject_id))
    hit(CHECKS_PER_DOCUMENT, people.document_lookup(document).hex())
    request_id = ids.uuid7()
    try:
        check = ports.get(IdentityAuthority).check(
            name=clean,
            document_type=document.type.value,
            document_number=document.number,
            purpose=_PURPOSE,
            request_id=request_id,
        )
    except PartnerUnavailable:
        raise SourceUnavailable() from None
    return Answer(clean, document, check, request_id)


def record_answer(session: Session, *, actor: Citizen, answer: Answer) -> Outcome:
    """Record what the source said, and draw the consequences. Raises `NotAuthenticated`, `AccountFrozen`."""
    here = sessions.opened(session, actor.session_id)
    result = answer.check.result
    if result is CheckResult.MATCH:
        known = people.find_by_document(session, answer.document)
        accounts.lock(session, here.subject_id, *([known] if known else []))
        return _matched(session, actor, here, answer)
    accounts.lock(session, here.subject_id)
    if result is CheckResult.REVIEW:
        look_again = clock.now() + policies.in_force(clock.now()).review_takes
        waiting = _add(session, here.subject_id, answer, Result.REVIEW, session_id=here.id, look_again_at=look_again)
        reviews.open_review(session, evidence=waiting, session_id=here.id, name=answer.name, document=answer.document)
        fresh = sessions.reissue(session, here.id)
        return Outcome(result, fresh.level, look_again, fresh)
    _add(session, here.subject_id, answer, Result.FAIL, session_id=here.id)
    if result in persons.FREEZING:
        holder = people.find_by_document(session, answer.document)
        if holder is not None:
            persons.freeze(session, actor=actor, subject_id=holder, reason=persons.FREEZING[result])
    audit.record(
        session,
        actor=actor,
        action="identity.refused",
        object_type="subject",
        object_id=here.subject_id,
        result="refused",
        source=result.value,
    )
    return Outcome(result, refusal=_REFUSALS[result]())


def _matched(session: Session, actor: Citizen, here: sessions.Open, answer: Answer) -> Outcome:
    now = clock.now()
    known = people.document(session, here.subject_id) == answer.document
    before = queries.level(session, here.subject_id, now, since=here.proofs_since) if known else 1
    subject_id = persons.settle(
        session, actor=actor, subject_id=here.subject_id, here=here, name=answer.name, document=answer.document
    )
    if subject_id is None:
        return Outcome(CheckResult.MATCH, refusal=IdentityInConflict())
    evidence = _add(session, subject_id, answer, Result.PASS, session_id=here.id, valid_until=answer.check.valid_until)
    fresh = sessions.reissue(session, here.id)
    if fresh.level > before:
        events.publish(session, IdentityRaised(subject_id, fresh.level, evidence.id))
    return Outcome(CheckResult.MATCH, fresh.level, None, fresh)


# Fresh proofs and proofs by other sources -------------------------------------------------------------------------------


def spend_fresh_proof(session: Session, *, actor: Citizen, purpose: Purpose) -> UUID:
    """Use up a fresh proof of the actor's for the one act `purpose`, in that act's transaction (3.7 level 4); its evidence.

    If the act rolls back, the proof is unused again. Raises `AuthLevelTooLow` (4, with the ways and the purpose) without
    level 3 or without a proof, and `CoolingDown` for property matters on a device new since a change of phone (ID-13).
    """
    now = clock.now()
    proof = proofs.standing_fresh_proof(session, actor=actor, purpose=purpose, now=now, lock=True)
    if actor.level < FRESH_LEVEL - 1 or proof is None:
        raise too_low(session, actor=actor, needed=FRESH_LEVEL, purpose=purpose)
    if purpose in PROPERTY_MATTERS and proof.type != EvidenceType.HALL:
        known_since = devices.known_since(session, actor.session_id)
        until = queries.cooling_down_until(session, actor.subject_id, now, device_known_since=known_since)
        if until is not None:
            raise CoolingDown(extra={"until": clock.local(until).isoformat(timespec="seconds")})
    proof.used_at = now
    audit.record(
        session,
        actor=actor,
        action="identity.spend_fresh_proof",
        object_type="subject",
        object_id=actor.subject_id,
        purpose=purpose.value,
        evidence=str(proof.id),
    )
    return proof.id


def record_proof(
    session: Session,
    *,
    subject_id: UUID,
    kind: EvidenceType,
    provider: str,
    document: DocumentNumber,
    result: Result,
    purpose: Purpose | None = None,
    reference: str | None = None,
    valid_until: date | None = None,
    look_again_at: datetime | None = None,
    session_id: UUID | None = None,
) -> UUID:
    """Record what a source said about a person who has proven `document` before; the evidence.

    With `purpose` it is a fresh proof for that act as well (≤ 10 minutes, once, in the session `session_id`). Who proves
    a document for the first time goes through `record_answer`. Raises `DocumentDiffers`, `AccountFrozen`, `NotFound`.
    """
    accounts.lock(session, subject_id)
    if people.document(session, subject_id) != document:
        raise DocumentDiffers()
    now = clock.now()
    before = queries.level(session, subject_id, now)
    evidence = rows.add(
        session,
        subject_id=subject_id,
        kind=kind,
        provider=provider,
        subject_hash=people.document_lookup(document),
        result=result,
        valid_until=valid_until,
        look_again_at=look_again_at,
        reference=reference,
        purpose=purpose,
        session_id=session_id,
    )
    after = queries.level(session, subject_id, now)
    if after > before:
        events.publish(session, IdentityRaised(subject_id, after, evidence.id))
    return evidence.id


# At the counter ------------------------------------------------------------------------------------------------------


def record_counter_check(
    session: Session,
    *,
    actor: Staff,
    subject_id: UUID,
    document: DocumentNumber,
    name: str | None = None,
    purpose: Purpose | None = None,
) -> UUID:
    """A clerk has compared the person with the document in hand: evidence for level 3 (3.7), which is returned.

    It must be the document proven before; with `name`, a person without one proves it now. Bindings in doubt are no
    longer: the person is here. With `purpose`, a fresh proof for that act too. Raises `DocumentDiffers`,
    `AccountFrozen`, `NotFound`.
    """
    accounts.lock(session, subject_id)
    if people.document(session, subject_id) is None and name is not None:
        accounts.bind_document(
            session, actor=actor, subject_id=subject_id, name=normalise_name(name), document=document
        )
    # Before the level is compared: what had joined in doubt is no longer.
    accounts.trust_bindings(session, subject_id)
    evidence_id = record_proof(
        session,
        subject_id=subject_id,
        kind=EvidenceType.HALL,
        provider=COUNTER,
        document=document,
        result=Result.PASS,
        purpose=purpose,
        reference=str(actor.hall_id) if actor.hall_id else None,
    )
    audit.record(
        session,
        actor=actor,
        action="identity.check_at_counter",
        object_type="subject",
        object_id=subject_id,
        document_type=document.type.value,
        purpose=purpose.value if purpose else "",
    )
    return evidence_id


def move_owner(session: Session, event: SubjectsMerged) -> None:
    """Evidence of the absorbed subject is the kept one's."""
    rows.move(session, absorbed=event.absorbed, kept=event.kept)


def _add(
    session: Session,
    subject_id: UUID,
    answer: Answer,
    result: Result,
    *,
    session_id: UUID,
    valid_until: date | None = None,
    look_again_at: datetime | None = None,
) -> IdentityEvidence:
    return rows.add(
        session,
        subject_id=subject_id,
        kind=answer.kind,
        provider=answer.provider,
        subject_hash=people.document_lookup(answer.document),
        result=result,
        valid_until=valid_until,
        look_again_at=look_again_at,
        reference=answer.reference or str(answer.request_id),
        purpose=answer.purpose,
        session_id=session_id,
    )
