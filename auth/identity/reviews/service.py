"""From a source's `review` to its answer. The session is given; nothing here commits.

A run of the job is: `begin` in one transaction, the source outside of any, `record` in another, guarded by the state.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from auth.accounts import queries as people
from auth.accounts import service as accounts
from auth.accounts.errors import AccountFrozen
from auth.accounts.events import SubjectsMerged
from auth.identity import queries
from auth.identity.errors import IdentityAlreadyProven
from auth.identity.events import IdentityRaised, IdentityReviewed
from auth.identity.evidence import service as rows
from auth.identity.models import IdentityEvidence
from auth.identity.network.rules import EVIDENCE, is_enough
from auth.identity.persons import service as persons
from auth.identity.policies import queries as policies
from auth.identity.ports import Check, CheckResult, IdentityAuthority, NetworkIdentity, NetworkResult
from auth.identity.reviews.models import IdentityReview
from auth.identity.reviews.rules import TRANSITIONS, ReviewState
from auth.identity.rules import EvidenceType, Result
from auth.sessions import service as sessions
from core import audit, clock, ids, jobs, ports
from core.actors import System
from core.errors import NotAuthenticated, StateConflict
from core.events import publish
from core.identifiers import DocumentNumber, DocumentType, normalise_document
from core.ports import PartnerRefused

JOB = "identity.ask_again"
PURPOSE = "real-name"

# The job's own tries last an hour and a half.
_OVERDUE = timedelta(hours=2)
_BATCH = 500
_ACTOR = System("identity-review")
_OF_NETWORK = {NetworkResult.PASS: CheckResult.MATCH, NetworkResult.REVIEW: CheckResult.REVIEW}


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask the source again."""

    review_id: UUID
    kind: EvidenceType
    name: str = field(repr=False)
    document: DocumentNumber
    reference: str


def open_review(
    session: Session,
    *,
    evidence: IdentityEvidence,
    session_id: UUID,
    name: str,
    document: DocumentNumber,
) -> None:
    """Ask again about evidence that came out as REVIEW, when it is due (ID-5)."""
    due = evidence.look_again_at
    if due is None:
        raise StateConflict()
    review = IdentityReview(
        subject_id=evidence.subject_id,
        session_id=session_id,
        evidence_id=evidence.id,
        kind=evidence.type,
        name=name,
        document_type=document.type.value,
        document_number=document.number,
        reference=evidence.reference or "",
        state=ReviewState.WAITING,
        opened_at=evidence.at,
        due_at=due,
        tries=0,
    )
    session.add(review)
    session.flush()
    _defer(session, review)


def _defer(session: Session, review: IdentityReview) -> None:
    jobs.defer(session, JOB, at=review.due_at, once=f"identity-review:{review.id}", review_id=str(review.id))


def defer_overdue(session: Session) -> int:
    """Queue again what a long outage of the source left behind: a batch of reviews hours overdue; how many."""
    late = session.scalars(
        select(IdentityReview)
        .where(IdentityReview.state == ReviewState.WAITING, IdentityReview.due_at < clock.now() - _OVERDUE)
        .order_by(IdentityReview.due_at)
        .limit(_BATCH)
    ).all()
    for review in late:
        _defer(session, review)
    return len(late)


def begin(session: Session, *, review_id: UUID) -> Question | None:
    """What to ask the source; None when the review is over, or the person has proven as much in another way meanwhile."""
    review = session.scalar(select(IdentityReview).where(IdentityReview.id == review_id).with_for_update())
    if review is None or review.state != ReviewState.WAITING or review.name is None or review.document_number is None:
        return None
    document = normalise_document(DocumentType(review.document_type), review.document_number)
    kind = EvidenceType(review.kind)
    policy = policies.in_force(clock.now())
    if (
        people.document(session, review.subject_id) == document
        and queries.level(session, review.subject_id, clock.now(), since=review.opened_at) >= policy.grants[kind]
    ):
        _finish(session, review, ReviewState.OVERTAKEN)
        return None
    return Question(review.id, kind, review.name, document, review.reference)


def ask(question: Question) -> Check:
    """Ask the source again. Outside any transaction. Raises `PartnerUnavailable`."""
    if question.kind is EvidenceType.NAME_NUMBER:
        return ports.get(IdentityAuthority).check(
            name=question.name,
            document_type=question.document.type.value,
            document_number=question.document.number,
            purpose=PURPOSE,
            request_id=ids.uuid7(),
        )
    try:
        found = ports.get(NetworkIdentity).finish(challenge=question.reference, token="")
    except PartnerRefused:
        return Check(CheckResult.NOT_FOUND)
    enough = any(EVIDENCE[grade] is question.kind and is_enough(found.grade, grade) for grade in EVIDENCE)
    result = _OF_NETWORK.get(found.result, CheckResult.MISMATCH)
    return Check(result if enough or result is not CheckResult.MATCH else CheckResult.MISMATCH, found.valid_until)


def record(session: Session, *, question: Question, check: Check) -> None:
    """Record the source's answer: still in review, passed, or failed; the person is told when it is over (ID-5)."""
    review = session.scalar(select(IdentityReview).where(IdentityReview.id == question.review_id).with_for_update())
    if review is None or review.state != ReviewState.WAITING:
        return
    policy, now = policies.in_force(clock.now()), clock.now()
    review.tries += 1
    if check.result is CheckResult.REVIEW:
        if review.tries >= policy.review_tries:
            _finish(session, review, ReviewState.UNDECIDED)
            return
        review.due_at = now + policy.review_takes
        session.get_one(IdentityEvidence, review.evidence_id).look_again_at = review.due_at
        _defer(session, review)
        return
    if check.result is CheckResult.MATCH:
        _passed(session, review, question, check)
        return
    rows.add(
        session,
        subject_id=review.subject_id,
        kind=question.kind,
        provider=_provider(session, review),
        subject_hash=people.document_lookup(question.document),
        result=Result.FAIL,
        reference=review.reference,
    )
    if check.result in persons.FREEZING:
        holder = people.find_by_document(session, question.document)
        if holder is not None:
            persons.freeze(session, actor=_ACTOR, subject_id=holder, reason=persons.FREEZING[check.result])
    _finish(session, review, ReviewState.FAILED)


def _passed(session: Session, review: IdentityReview, question: Question, check: Check) -> None:
    """The source confirms it: bind and raise as if it had been answered at once, as far as that is still safe."""
    here = _open_session(session, review)
    holder = people.find_by_document(session, question.document)
    before = queries.level(session, review.subject_id, clock.now())
    try:
        accounts.lock(session, review.subject_id, *([holder] if holder else []))
        person = persons.settle(
            session,
            actor=_ACTOR,
            subject_id=review.subject_id,
            here=here,
            name=question.name,
            document=question.document,
        )
    except (AccountFrozen, IdentityAlreadyProven, StateConflict):
        # The account became another's, or the session that could tell is over: the person proves it anew.
        person = None
    if person is None:
        _finish(session, review, ReviewState.UNDECIDED)
        return
    evidence = rows.add(
        session,
        subject_id=person,
        kind=question.kind,
        provider=_provider(session, review),
        subject_hash=people.document_lookup(question.document),
        result=Result.PASS,
        valid_until=check.valid_until,
        reference=review.reference,
    )
    review.subject_id = person
    after = queries.level(session, person, clock.now())
    if after > before:
        publish(session, IdentityRaised(person, after, evidence.id))
    _finish(session, review, ReviewState.PASSED)


def _open_session(session: Session, review: IdentityReview) -> sessions.Open | None:
    try:
        here = sessions.opened(session, review.session_id)
    except NotAuthenticated:
        return None
    return here if here.subject_id == review.subject_id else None


def _provider(session: Session, review: IdentityReview) -> str:
    return session.get_one(IdentityEvidence, review.evidence_id).provider


def _finish(session: Session, review: IdentityReview, state: ReviewState) -> None:
    if state not in TRANSITIONS[ReviewState(review.state)]:
        raise StateConflict()
    review.state, review.finished_at = state, clock.now()
    review.name = review.document_number = None
    audit.record(
        session,
        actor=_ACTOR,
        action="identity.review_finished",
        object_type="subject",
        object_id=review.subject_id,
        state=state.value,
    )
    if state is not ReviewState.OVERTAKEN:
        publish(session, IdentityReviewed(review.subject_id, review.id, passed=state is ReviewState.PASSED))


def move_owner(session: Session, event: SubjectsMerged) -> None:
    """Reviews of the absorbed subject are the kept one's."""
    session.execute(
        update(IdentityReview).where(IdentityReview.subject_id == event.absorbed).values(subject_id=event.kept)
    )


def forget(session: Session, before: datetime) -> int:
    """P-6: delete a batch of reviews that were finished before `before`; how many."""
    old = select(IdentityReview.id).where(IdentityReview.finished_at < before).limit(_BATCH)
    gone = delete(IdentityReview).where(IdentityReview.id.in_(old)).returning(IdentityReview.id)
    return len(session.scalars(gone).all())
