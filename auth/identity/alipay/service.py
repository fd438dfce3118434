"""Real name by Alipay. The session is given; nothing here commits. Alipay is asked outside any transaction."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from auth.accounts import queries as people
from auth.factors.alipay.errors import AlipayCancelled, AlipayNotHere
from auth.factors.alipay.rules import opens
from auth.identity import service as identity
from auth.identity.alipay.errors import AlipayComparesCardsOnly, AlipayOtherPerson
from auth.identity.alipay.ports import AlipayRealName, Verdict
from auth.identity.errors import IdentityNotMatched
from auth.identity.ports import Check, CheckResult
from auth.identity.rules import EvidenceType, Purpose
from auth.redirects import service as redirects
from auth.redirects.rules import TripKind
from core import clock, ids, ports
from core.actors import Citizen
from core.errors import InvalidInput, SourceUnavailable
from core.identifiers import DocumentNumber, DocumentType, normalise_document, normalise_name
from core.limits import hit
from core.ports import PartnerRefused, PartnerUnavailable

PROVIDER = "alipay"

_MISSING = "请填写 / required"
_RESULTS = {Verdict.SAME_PERSON: CheckResult.MATCH, Verdict.OTHER_PERSON: CheckResult.MISMATCH}


@dataclass(frozen=True, slots=True)
class Question:
    """Whom Alipay is to compare with the account that agrees, and what for (None: level 3)."""

    name: str = field(repr=False)
    document: DocumentNumber
    purpose: Purpose | None
    return_to: str


class Started(NamedTuple):
    """Where the browser goes, and the state it will come back with."""

    url: str
    state: str


@dataclass(frozen=True, slots=True)
class Returned:
    """The browser is back with Alipay's code: what is to be asked with it."""

    question: Question
    verify_id: str
    state: str = field(repr=False)
    auth_code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What Alipay said to `returned`."""

    returned: Returned
    verdict: Verdict
    request_id: UUID


def question(
    session: Session,
    *,
    actor: Citizen,
    device: str | None,
    return_to: str,
    name: str | None = None,
    document_number: str | None = None,
    purpose: str | None = None,
) -> Question:
    """Whom to ask about: the person proven before, or whom `name` and `document_number` name.

    A session below level 2 names the person itself: it may be that of a phone's new owner (ID-4). Raises `AlipayNotHere`
    inside WeChat, `InvalidInput`, `IdentifierError`, `AlipayComparesCardsOnly`, `RateLimited` (5 an hour per person).
    """
    if not opens(actor.channel, device):
        raise AlipayNotHere()
    address = redirects.check_return(return_to)
    if name is not None and document_number is not None:
        document = normalise_document(DocumentType.RESIDENT_ID, document_number, today=clock.today())
        clean = normalise_name(name)
    else:
        clean, document = _proven(session, actor)
    hit(identity.CHECKS_PER_PERSON, str(actor.subject_id))
    hit(identity.CHECKS_PER_DOCUMENT, people.document_lookup(document).hex())
    return Question(clean, document, Purpose(purpose) if purpose else None, address)


def _proven(session: Session, actor: Citizen) -> tuple[str, DocumentNumber]:
    document = people.document(session, actor.subject_id) if actor.level >= 2 else None
    name = people.person(session, actor.subject_id).name if document else None
    if document is None or name is None:
        raise InvalidInput(fields={"name": [_MISSING], "document_number": [_MISSING]})
    if document.type is not DocumentType.RESIDENT_ID:
        raise AlipayComparesCardsOnly()
    return name, document


def prepare(asked: Question) -> str:
    """Tell Alipay whom we mean; its id of the question. Outside any transaction.

    Raises `IdentityNotMatched` for what Alipay can't compare, `SourceUnavailable`.
    """
    try:
        return ports.get(AlipayRealName).prepare(name=asked.name, document_number=asked.document.number)
    except PartnerRefused:
        raise IdentityNotMatched() from None
    except PartnerUnavailable:
        raise SourceUnavailable() from None


def begin(session: Session, *, actor: Citizen, asked: Question, verify_id: str) -> Started:
    """Send the browser of `actor` to Alipay; it comes back with `state`, and `auth_code` or `error=cancelled`."""
    state = redirects.begin(
        session,
        kind=TripKind.ALIPAY_REAL_NAME,
        holder=str(actor.session_id),
        channel=actor.channel,
        return_to=asked.return_to,
        details={
            "verify_id": verify_id,
            "name": asked.name,
            "document_number": asked.document.number,
            "purpose": asked.purpose or "",
        },
    )
    return Started(ports.get(AlipayRealName).address(verify_id=verify_id, state=state), state)


def returned(session: Session, *, actor: Citizen, state: str, auth_code: str | None = None) -> Returned:
    """The browser of `actor` is back. Raises `AlipayCancelled` without a code, `RedirectExpired`, `Replayed`."""
    trip = redirects.look(session, state=state, kind=TripKind.ALIPAY_REAL_NAME, holder=str(actor.session_id))
    if not auth_code:
        raise AlipayCancelled()
    details = trip.details
    asked = Question(
        details["name"],
        normalise_document(DocumentType.RESIDENT_ID, details["document_number"]),
        Purpose(details["purpose"]) if details["purpose"] else None,
        trip.return_to,
    )
    return Returned(asked, details["verify_id"], state, auth_code)


def ask(back: Returned) -> Answer:
    """Ask Alipay whether whoever agreed is the person. Outside any transaction.

    Raises `AlipayCodeInvalid`; `SourceUnavailable`: nothing is used up on our side, the same call may be made again.
    """
    try:
        verdict = ports.get(AlipayRealName).consult(code=back.auth_code, verify_id=back.verify_id)
    except PartnerUnavailable:
        raise SourceUnavailable() from None
    return Answer(back, verdict, ids.uuid7())


def record(session: Session, *, actor: Citizen, answer: Answer) -> identity.Outcome:
    """Record what Alipay said, once: level 3, and with a purpose the fresh proof of it.

    Raises `Replayed`, `RedirectExpired`, and what `auth.identity.service.record_answer` raises.
    """
    back = answer.returned
    redirects.take(session, state=back.state, kind=TripKind.ALIPAY_REAL_NAME, holder=str(actor.session_id))
    outcome = identity.record_answer(
        session,
        actor=actor,
        answer=identity.Answer(
            back.question.name,
            back.question.document,
            Check(_RESULTS[answer.verdict]),
            answer.request_id,
            kind=EvidenceType.ALIPAY,
            provider=PROVIDER,
            purpose=back.question.purpose,
        ),
    )
    if isinstance(outcome.refusal, IdentityNotMatched):
        return replace(outcome, refusal=AlipayOtherPerson())
    return outcome
