"""Recording evidence. The session is given; nothing here commits.

Proving name and number takes two steps, since the source is asked outside any transaction: `ask`, then `record_answer`.
What must be recorded although it is refused is in `Outcome.refusal`, for the caller to raise after the commit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from auth.accounts import queries as people
from auth.accounts import service as accounts
from auth.accounts.alipay import service as alipay
from auth.accounts.errors import DocumentDiffers
from auth.accounts.events import SubjectsMerged
from auth.identity import queries, rules
from auth.identity.errors import (
    IdentityAlreadyProven,
    IdentityDocumentExpired,
    IdentityNotMatched,
    IdentityNotUsable,
)
from auth.identity.events import IdentityRaised
from auth.identity.models import IdentityEvidence
from auth.identity.ports import Check, CheckResult, IdentityAuthority
from auth.identity.rules import EvidenceType, Result, Revocation
from auth.sessions import authenticator
from auth.sessions import service as sessions
from auth.sessions.rules import EndReason
from core import audit, clock, events, ids, ports
from core.actors import Citizen, Staff
from core.errors import Problem, SourceUnavailable
from core.identifiers import DocumentNumber, DocumentType, normalise_document, normalise_name
from core.limits import Limit, hit
from core.ports import PartnerUnavailable

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
        look_again = clock.now() + rules.POLICY.review_takes
        _add(session, here.subject_id, answer, Result.REVIEW, look_again_at=look_again)
        fresh = sessions.reissue(session, here.id)
        return Outcome(result, fresh.level, look_again, fresh)
    _add(session, here.subject_id, answer, Result.FAIL)
    if result in (CheckResult.DECEASED, CheckResult.CANCELLED):
        _freeze_holder(session, actor, answer)
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


def _freeze_holder(session: Session, actor: Citizen, answer: Answer) -> None:
    """ID-12: whose document it is gets frozen; who merely typed the number does not."""
    holder = people.find_by_document(session, answer.document)
    if holder is not None and accounts.freeze(
        session, actor=actor, subject_id=holder, reason=answer.check.result.value
    ):
        sessions.end_all(session, subject_id=holder, reason=EndReason.FROZEN)


def _matched(session: Session, actor: Citizen, here: sessions.Open, answer: Answer) -> Outcome:
    own = people.document(session, here.subject_id)
    if own is None:
        before = 1
        subject_id = _first_proof(session, actor, here, answer)
    elif own == answer.document:
        before = queries.level(session, here.subject_id, clock.now(), since=here.proofs_since)
        subject_id = here.subject_id
        accounts.rename(session, actor=actor, subject_id=subject_id, name=answer.name)
    else:
        before = 1
        subject_id = _somebody_else(session, actor, here, answer)
    evidence_id = _add(session, subject_id, answer, Result.PASS, valid_until=answer.check.valid_until)
    authenticator.changed(session, subject_id)
    fresh = sessions.reissue(session, here.id)
    if fresh.level > before:
        events.publish(session, IdentityRaised(subject_id, fresh.level, evidence_id))
    return Outcome(CheckResult.MATCH, fresh.level, None, fresh)


def _first_proof(session: Session, actor: Citizen, here: sessions.Open, answer: Answer) -> UUID:
    """A subject without a document proves one: it becomes that person, or turns out to be one we know (ID-3)."""
    holder = accounts.bind_document(
        session, actor=actor, subject_id=here.subject_id, name=answer.name, document=answer.document
    )
    if holder == here.subject_id:
        return holder
    since = clock.now()
    accounts.lock(session, holder)
    sessions.restrict(session, subject_id=here.subject_id, proofs_since=since)
    accounts.merge(session, actor=actor, kept=holder, absorbed=here.subject_id, proofs_since=since)
    accounts.rename(session, actor=actor, subject_id=holder, name=answer.name)
    return holder


def _somebody_else(session: Session, actor: Citizen, here: sessions.Open, answer: Answer) -> UUID:
    """Signed in by a phone that another person had proven, and now proves to be somebody else: the phone changed hands (ID-4).

    Only in a session that has not proven that other person: there, another document is a mistake. The phone and
    the WeChat account of this session go along; the old subject is told and has to prove a phone again.
    """
    left, now = here.subject_id, clock.now()
    if queries.level(session, left, now, since=here.proofs_since) >= 2:
        raise IdentityAlreadyProven()
    known = people.find_by_document(session, answer.document)
    to = accounts.open_with_document(
        session,
        actor=actor,
        name=answer.name,
        document=answer.document,
        language=people.contact(session, left).language,
    )
    since = now if known else None
    phone = wechat = alipay_id = None
    if here.phone_binding_id is not None:
        phone = accounts.move_phone(session, actor=actor, binding_id=here.phone_binding_id, to=to, proofs_since=since)
        _move_factor(session, EvidenceType.PHONE, phone.subject_hash, left=left, to=to)
    if here.wechat_binding_id is not None:
        wechat = accounts.move_wechat(session, binding_id=here.wechat_binding_id, to=to, proofs_since=since)
        _move_factor(session, EvidenceType.WECHAT, wechat.subject_hash, left=left, to=to)
    if here.alipay_binding_id is not None:
        alipay_id = alipay.move(session, binding_id=here.alipay_binding_id, to=to, proofs_since=since)
    sessions.hand_over(
        session,
        session_id=here.id,
        to=to,
        phone_binding_id=phone.binding_id if phone else None,
        wechat_binding_id=wechat.binding_id if wechat else None,
        alipay_binding_id=alipay_id,
        proofs_since=since,
    )
    sessions.end_signed_in_by(
        session,
        subject_id=left,
        phone_binding_id=here.phone_binding_id,
        wechat_binding_id=here.wechat_binding_id,
        alipay_binding_id=here.alipay_binding_id,
    )
    return to


def _move_factor(session: Session, kind: EvidenceType, subject_hash: bytes, *, left: UUID, to: UUID) -> None:
    reasons = {EvidenceType.PHONE: Revocation.PHONE_LOST, EvidenceType.WECHAT: Revocation.WECHAT_LOST}
    proven = revoke_factor(session, subject_id=left, kind=kind, subject_hash=subject_hash, reason=reasons[kind])
    prove_factor(session, subject_id=to, kind=kind, subject_hash=subject_hash, at=proven)


# Factors -------------------------------------------------------------------------------------------------------------


def prove_factor(
    session: Session, *, subject_id: UUID, kind: EvidenceType, subject_hash: bytes, at: datetime | None = None
) -> None:
    """A phone or a WeChat account was proven (just now, if not told `at`): renew its evidence, or add it.

    Every sign-in stands in the sign-in history, so the evidence needs only the last one.
    """
    proven = at or clock.now()
    ends = rules.expiry(kind, proven)
    renewed = session.scalar(
        update(IdentityEvidence)
        .where(
            IdentityEvidence.subject_id == subject_id,
            IdentityEvidence.type == kind,
            IdentityEvidence.subject_hash == subject_hash,
            IdentityEvidence.revoked_at.is_(None),
        )
        .values(at=proven, expires_at=ends)
        .returning(IdentityEvidence.id)
    )
    if renewed is None:
        session.add(
            IdentityEvidence(
                subject_id=subject_id,
                type=kind,
                provider="sign-in",
                subject_hash=subject_hash,
                result=Result.PASS,
                at=proven,
                expires_at=ends,
            )
        )
        session.flush()
    authenticator.changed(session, subject_id)


def revoke_factor(
    session: Session, *, subject_id: UUID, kind: EvidenceType, subject_hash: bytes, reason: Revocation
) -> datetime | None:
    """A phone or a WeChat account no longer belongs to the subject: its evidence stops counting (ID-4). When it was proven."""
    proven = session.scalar(
        update(IdentityEvidence)
        .where(
            IdentityEvidence.subject_id == subject_id,
            IdentityEvidence.type == kind,
            IdentityEvidence.subject_hash == subject_hash,
            IdentityEvidence.revoked_at.is_(None),
        )
        .values(revoked_at=clock.now(), revoked_reason=reason)
        .returning(IdentityEvidence.at)
    )
    authenticator.changed(session, subject_id)
    return proven


# At the counter ------------------------------------------------------------------------------------------------------


def record_counter_check(
    session: Session, *, actor: Staff, subject_id: UUID, document: DocumentNumber, name: str | None = None
) -> None:
    """A clerk has compared the person with the document in hand: evidence for level 3 (3.7).

    It must be the document proven before; with `name`, a person without one proves it now. Bindings in doubt are no
    longer: the person is here. Raises `DocumentDiffers`, `AccountFrozen`, `NotFound`.
    """
    accounts.lock(session, subject_id)
    own = people.document(session, subject_id)
    if own is None and name is not None:
        holder = accounts.bind_document(
            session, actor=actor, subject_id=subject_id, name=normalise_name(name), document=document
        )
        own = document if holder == subject_id else None
    if own != document:
        raise DocumentDiffers()
    now = clock.now()
    before = queries.level(session, subject_id, now)
    evidence = IdentityEvidence(
        subject_id=subject_id,
        type=EvidenceType.HALL,
        provider=COUNTER,
        subject_hash=people.document_lookup(document),
        result=Result.PASS,
        at=now,
        expires_at=rules.expiry(EvidenceType.HALL, now),
        reference=str(actor.hall_id) if actor.hall_id else None,
    )
    session.add(evidence)
    session.flush()
    accounts.trust_bindings(session, subject_id)
    authenticator.changed(session, subject_id)
    audit.record(
        session,
        actor=actor,
        action="identity.check_at_counter",
        object_type="subject",
        object_id=subject_id,
        document_type=document.type.value,
    )
    after = queries.level(session, subject_id, now)
    if after > before:
        events.publish(session, IdentityRaised(subject_id, after, evidence.id))


def move_owner(session: Session, event: SubjectsMerged) -> None:
    """Evidence of the absorbed subject is the kept one's."""
    session.execute(
        update(IdentityEvidence).where(IdentityEvidence.subject_id == event.absorbed).values(subject_id=event.kept)
    )


def _add(
    session: Session,
    subject_id: UUID,
    answer: Answer,
    result: Result,
    *,
    valid_until: date | None = None,
    look_again_at: datetime | None = None,
) -> UUID:
    now = clock.now()
    evidence = IdentityEvidence(
        subject_id=subject_id,
        type=answer.kind,
        provider=answer.provider,
        subject_hash=people.document_lookup(answer.document),
        result=result,
        at=now,
        expires_at=rules.expiry(answer.kind, now, valid_until=valid_until),
        look_again_at=look_again_at,
        reference=str(answer.request_id),
    )
    session.add(evidence)
    session.flush()
    return evidence.id
