"""What a clerk does with a pre-review. Every act but claiming needs one's own claim that has not run out (PR-3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.accounts import queries as accounts
from auth.accounts.queries import Person
from auth.staff import queries as staff
from auth.staff.events import StaffLeft
from casework.cases.errors import SecondDefectNeedsSupervisor
from casework.catalogue import queries as catalogue
from casework.files import service as files
from casework.files.service import MarkedFile
from casework.places import queries as places
from casework.prereview import events, queries, rules
from casework.prereview.models import FindingKind, PreReview, PreReviewMaterial, PreReviewNote, PreReviewVerdict
from casework.prereview.record import service as record
from casework.prereview.review import queries as desk
from casework.prereview.rules import REASON_TEXTS, Reason, State, Verdict
from casework.prereview.service import hall_of
from core import audit, calendar, clock
from core.actors import Staff, System
from core.errors import NotFound, StateConflict
from core.workdays import CalendarStatus

_LEAVER = System("staff-left")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A pre-review as a clerk sees it; the surface masks the person (PR-15)."""

    prereview: PreReview
    applicant: Person
    mine: bool


def claim(session: Session, *, actor: Staff, prereview_id: UUID, version: int | None = None) -> PreReview:
    """Take a waiting pre-review for 30 minutes [D], or renew one's own claim (PR-3).

    Of two clerks the second finds it taken; with `version` the claim holds only for what the clerk saw. Raises
    `NotFound`, `StateConflict`.
    """
    now = clock.now()
    prereview = desk.of_hall(session, prereview_id, actor, lock=True)
    if version is not None and version != prereview.version:
        raise StateConflict(extra={"state": prereview.state, "version": prereview.version})
    if prereview.state == State.IN_REVIEW and prereview.claimed_by == actor.staff_id:
        prereview.claimed_until = now + rules.POLICY.claim
        session.flush()
        return prereview
    if prereview.state == State.IN_REVIEW and _ran_out(prereview, now):
        record.move(session, prereview, State.SUBMITTED, actor, events.PreReviewReleased, now=now, note="claim ran out")
    rules.check_move(State(prereview.state), State.IN_REVIEW)
    prereview.claimed_by, prereview.claimed_until = actor.staff_id, now + rules.POLICY.claim
    record.move(session, prereview, State.IN_REVIEW, actor, events.PreReviewClaimed, now=now)
    return prereview


def _ran_out(prereview: PreReview, now: datetime) -> bool:
    return prereview.claimed_until is not None and prereview.claimed_until <= now


def _claimed(session: Session, actor: Staff, prereview_id: UUID, now: datetime) -> PreReview:
    """The pre-review, locked, if the actor's claim on it stands. Raises `NotFound`, `StateConflict`."""
    prereview = desk.of_hall(session, prereview_id, actor, lock=True)
    if prereview.claimed_by != actor.staff_id or _ran_out(prereview, now):
        raise StateConflict(extra={"state": prereview.state})
    return prereview


def release(session: Session, *, actor: Staff, prereview_id: UUID) -> PreReview:
    """Give a claimed pre-review back to the queue. Raises `NotFound`, `StateConflict`."""
    now = clock.now()
    prereview = _claimed(session, actor, prereview_id, now)
    record.move(session, prereview, State.SUBMITTED, actor, events.PreReviewReleased, now=now, note="released")
    return prereview


def on_staff_left(session: Session, event: StaffLeft) -> None:
    """What a leaver had claimed goes back to the queue at once (PR-3)."""
    held = select(PreReview).where(PreReview.state == State.IN_REVIEW, PreReview.claimed_by == event.staff_id)
    now = clock.now()
    for prereview in session.scalars(
        held.options(queries.WITH_PAPERS).order_by(PreReview.id).with_for_update(of=PreReview)
    ):
        record.move(session, prereview, State.SUBMITTED, _LEAVER, events.PreReviewReleased, now=now, note="clerk left")


def transfer(session: Session, *, actor: Staff, prereview_id: UUID, hall_id: UUID, reason: str = "") -> PreReview:
    """Hand a claimed pre-review to the queue of another hall that serves the item; `reason` becomes an internal note.

    Raises `NotFound`, `StateConflict`, `InvalidInput`.
    """
    now = clock.now()
    prereview = _claimed(session, actor, prereview_id, now)
    prereview.hall_id = hall_of(session, prereview.item_id, hall_id)
    if reason:
        _note(session, prereview, actor, reason, now)
    record.move(session, prereview, State.SUBMITTED, actor, events.PreReviewReleased, now=now, note="transferred")
    return prereview


def give_verdict(
    session: Session,
    *,
    actor: Staff,
    prereview_id: UUID,
    no: int,
    verdict: Verdict,
    reason_code: Reason | None = None,
    comment: str = "",
    valid_until: date | None = None,
) -> PreReview:
    """Judge one material (PR-4, PR-6); `valid_until` is the paper's own last day and ends PASSED early (PR-9).

    Raises `NotFound`, `StateConflict`, `InvalidInput`, `SecondDefectNeedsSupervisor` (PR-5).
    """
    now = clock.now()
    prereview = _claimed(session, actor, prereview_id, now)
    material = _material(prereview, no)
    rules.check_verdict(verdict, reason_code, comment, waivable=material.waivable, tolerable=material.tolerable)
    second_defect = rules.is_new_defect(
        verdict,
        reason_code,
        changed=material.changed_round == prereview.round,
        before=desk.verdict_before(session, material.id, prereview.round),
    )
    if second_defect and not desk.second_defect_allowed(session, prereview, no):
        raise SecondDefectNeedsSupervisor()
    material.verdict, material.reason_code, material.comment = verdict, reason_code, comment or None
    material.verdict_round, material.valid_until = prereview.round, valid_until
    prereview.updated_at = now
    session.add(
        PreReviewVerdict(
            material_id=material.id,
            round=prereview.round,
            verdict=verdict,
            reason_code=reason_code,
            second_defect=second_defect,
            at=now,
            by=actor.staff_id,
        )
    )
    _audit(session, actor, prereview, "prereview.verdict", material_no=no, of=verdict.value)
    session.flush()
    return prereview


def _material(prereview: PreReview, no: int) -> PreReviewMaterial:
    for material in prereview.listed:
        if material.no == no:
            return material
    raise NotFound()


def allow_second_defect(session: Session, *, actor: Staff, prereview_id: UUID, no: int, reason: str) -> None:
    """A supervisor lets the clerk raise a defect that was not told in the first notice (PR-5); it counts in S23.

    Raises `NotFound`, `StateConflict` (no clerk is at it, or it is the first round).
    """
    prereview = queries.one(session, select(PreReview).where(PreReview.id == prereview_id), lock=True)
    if prereview.state != State.IN_REVIEW or prereview.round == 1:
        raise StateConflict(extra={"state": prereview.state})
    _material(prereview, no)
    record.find(session, prereview, FindingKind.SECOND_DEFECT, actor, reason=reason, material_no=no)


def conclude(session: Session, *, actor: Staff, prereview_id: UUID) -> PreReview:
    """Close the review: the overall verdict follows from those on the materials (PR-4), and everything is told at once (PR-5).

    Raises `NotFound`, `StateConflict`, `VerdictMissing`.
    """
    now = clock.now()
    prereview = _claimed(session, actor, prereview_id, now)
    verdicts = {m.no: Verdict(m.verdict) if m.verdict else None for m in prereview.listed}
    result = rules.overall(verdicts)
    today, days = clock.local(now).date(), calendar.load(session)
    _answered(session, prereview, actor, now)
    if result is State.PASSED:
        until, provisional = rules.good_until(today, [m.valid_until for m in prereview.listed if m.valid_until], days)
        happened: type[events.PreReviewEvent] = events.PreReviewPassed
        note = "、".join(m.name for m in prereview.listed if m.bring)
        note = f"请带原件：{note}。" if note else ""
        where = places.hall(session, prereview.hall_id).name
    else:
        due = rules.change_due(today, days)
        until, provisional = due.moment, due.status == CalendarStatus.PROVISIONAL
        happened, where = events.PreReviewNeedsChange, ""
        note = "；".join(
            f"{m.name}（{REASON_TEXTS[Reason(m.reason_code)][0]}）" for m in prereview.listed if m.reason_code
        )
    prereview.expires_at, prereview.expires_provisional = until, provisional
    record.move(session, prereview, result, actor, happened, now=now)
    record.tell(session, prereview, until=until, where=where, note=note)
    return prereview


def reject(
    session: Session,
    *,
    actor: Staff,
    prereview_id: UUID,
    right_body: str,
    reason: str,
    item_id: str | None = None,
) -> PreReview:
    """Not our business, or this person can't apply: name the right body and, if it has one here, its item (PR-7).

    Never for quality. Raises `NotFound`, `StateConflict`, `ItemNotInForce`.
    """
    now = clock.now()
    prereview = _claimed(session, actor, prereview_id, now)
    if item_id is not None:
        catalogue.item_in_force(session, item_id, clock.local(now).date())
    prereview.right_body, prereview.right_item_id, prereview.reject_reason = right_body, item_id, reason
    _answered(session, prereview, actor, now)
    record.move(session, prereview, State.REJECTED, actor, events.PreReviewRejected, now=now)
    record.tell(session, prereview, note=f"此事不由本大厅办理，请向{right_body}申请")
    return prereview


def _answered(session: Session, prereview: PreReview, actor: Staff, now: datetime) -> None:
    """Note the answer, and that the first one came late (PR-8)."""
    prereview.answered_at = now
    if prereview.round == 1 and prereview.answer_due_at is not None and prereview.answer_due_at <= now:
        record.find(session, prereview, FindingKind.LATE_FIRST_ANSWER, actor)


def add_note(session: Session, *, actor: Staff, prereview_id: UUID, text: str) -> None:
    """Write an internal note: a question to a colleague or its answer. Raises `NotFound`."""
    prereview = desk.of_hall(session, prereview_id, actor)
    _note(session, prereview, actor, text, clock.now())


def _note(session: Session, prereview: PreReview, actor: Staff, text: str, now: datetime) -> None:
    session.add(PreReviewNote(prereview_id=prereview.id, by=actor.staff_id, text=text, at=now))
    _audit(session, actor, prereview, "prereview.note")


def read(session: Session, *, actor: Staff, prereview_id: UUID) -> Sheet:
    """Open a pre-review of the clerk's hall; the read is recorded (P-5, PR-15). Raises `NotFound`."""
    prereview = desk.whole(session, prereview_id, actor)
    _audit(session, actor, prereview, "prereview.read")
    return Sheet(prereview, accounts.person(session, prereview.owner_id), prereview.claimed_by == actor.staff_id)


def read_for_counter(session: Session, *, actor: Staff, number: str) -> Sheet:
    """Open a pre-review by its number at any counter (PR-11); the read is recorded. Raises `NotFound`, `IdentifierError`."""
    prereview = queries.find_for_counter(session, number, *queries.WITH_HISTORY)
    _audit(session, actor, prereview, "prereview.read")
    return Sheet(prereview, accounts.person(session, prereview.owner_id), prereview.claimed_by == actor.staff_id)


def open_file(session: Session, *, actor: Staff, prereview_id: UUID, file_id: UUID) -> MarkedFile:
    """Open a paper of a pre-review of the clerk's hall; the read is recorded and the copy marked (PR-15). Raises `NotFound`."""
    prereview = desk.of_hall(session, prereview_id, actor)
    paper = desk.paper(prereview, file_id)
    _audit(session, actor, prereview, "prereview.read_file", of=str(file_id))
    clerk = staff.member(session, actor.staff_id).username
    seen = clock.local(clock.now())
    label = f"{clerk} {seen:%Y-%m-%d %H:%M} {prereview.number}"
    return files.open_marked(session, file_id=paper.file_id, label=label)


def _audit(
    session: Session, actor: Staff, prereview: PreReview, action: str, *, material_no: int | None = None, of: str = ""
) -> None:
    """An audit row on the pre-review; `of` is the verdict or the file's id."""
    audit.record(
        session,
        actor=actor,
        action=action,
        object_type=record.MATTER,
        object_id=prereview.id,
        number=prereview.number,
        material_no=material_no,
        of=of,
    )
