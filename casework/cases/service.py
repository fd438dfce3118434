"""One function per thing a person, or the clock, does to a case. The session is given; nothing here commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from auth.accounts import queries as accounts
from auth.accounts.events import SubjectsMerged
from auth.identity import service as identity
from auth.organisations import queries as organisations
from casework.acting import service as acting
from casework.cases import queries, rules
from casework.cases.errors import CorrectionAlreadyOpen, ExtensionUsed, SecondDefectNeedsSupervisor
from casework.cases.events import CaseAccepted, CaseDecided, CaseDelivered, CaseNotAccepted, CaseReady, CaseWithdrawn
from casework.cases.models import CaseCorrection, CasePause, ServiceCase
from casework.cases.queries import AT_THE_COUNTER, IN_THE_OFFICE, MANAGING
from casework.cases.record import service as record
from casework.cases.rules import MATTER, POLICY, State
from casework.catalogue import queries as catalogue
from casework.catalogue.rules import Item
from casework.fees import service as fees
from casework.files import queries as files
from casework.places import queries as places
from core import audit, calendar, clock, ids, jobs, numbers
from core.actors import Action, Actor, Citizen, Staff, System
from core.errors import Forbidden, StateConflict
from core.events import publish
from core.identifiers import DocumentNumber
from core.workdays import Calendar, acceptance_day, add_workdays
from payments.orders.events import BillPaid

_CLOCK = System("case-clock")


def receive(
    session: Session,
    *,
    actor: Staff,
    owner_id: UUID,
    acting_id: UUID,
    item: Item,
    document: DocumentNumber,
    answers: Mapping[str, str],
    prereview_id: UUID | None = None,
    case_id: UUID | None = None,
    note: str = "",
) -> ServiceCase:
    """Receive an application at the counter of the clerk's hall: RECEIVED, with a number and the 5-day notice clock (C-5).

    `document` is the card that was shown and checked: the applicant's, or an agent's; `case_id` is the key, if it had to
    be known before. Raises `Forbidden` for a clerk without a hall.
    """
    if actor.hall_id is None:
        raise Forbidden()
    now = clock.now()
    today = clock.local(now).date()
    document_type, number = _applicant_document(session, owner_id, document)
    case = ServiceCase(
        id=case_id or ids.uuid7(),
        number=numbers.issue(session, numbers.Kind.CASE, today),
        owner_id=owner_id,
        acting_id=acting_id,
        item_id=item.item_id,
        version_id=item.version_id,
        item_name=item.name,
        sensitive=item.sensitive,
        department_id=item.department_id,
        department_name=item.department_name,
        applicant_name=accounts.person(session, owner_id).name or "",
        applicant_document_type=document_type,
        applicant_document=number,
        channel="HALL",
        accept_hall_id=actor.hall_id,
        issue_hall_id=actor.hall_id,
        prereview_id=prereview_id,
        answers=dict(answers),
        state=State.RECEIVED,
        received_at=now,
        notice_due_on=rules.notice_due(today, calendar.load(session)),
        extension_workdays=0,
    )
    session.add(case)
    session.flush()
    record.write(session, case, None, actor, reason=note)
    return case


def _applicant_document(session: Session, owner_id: UUID, shown: DocumentNumber) -> tuple[str, str]:
    """The applicant's own document, whoever came: for an organisation its credit code (ID-11)."""
    credit_code = organisations.credit_code(session, owner_id)
    if credit_code is not None:
        return organisations.CREDIT_CODE, credit_code
    own = accounts.document(session, owner_id) or shown
    return own.type.value, own.number


def acknowledge(session: Session, *, actor: Staff, case_id: UUID) -> ServiceCase:
    """Tell the citizen that the papers were received and will be looked at (QY-7); acceptance is told within 5 working days."""
    case = queries.for_staff(session, case_id, actor, acting=AT_THE_COUNTER)
    record.tell(session, case, "CASE_RECEIVED")
    return case


def _accept(session: Session, case: ServiceCase, actor: Actor, *, now: datetime, online: bool, days: Calendar) -> None:
    """RECEIVED → ACCEPTED → UNDER_REVIEW: start the clock and hand the case to its back office (K-2, S3)."""
    case.accepted_at = now
    record.set_due(session, case, acceptance_day(now, days, online=online), days)
    record.move(session, case, State.ACCEPTED, actor)
    record.move(session, case, State.UNDER_REVIEW, actor)
    publish(session, CaseAccepted(case.id, case.owner_id, case.prereview_id))
    record.tell(session, case, "CASE_ACCEPTED", **record.due_fields(case))


def deem_accepted(session: Session, case_id: UUID, today: date) -> bool:
    """C-5: no notice within 5 working days means accepted as of the receipt day. True if this did it.

    After a correction that is the day the missing papers came: the citizen's own time doesn't count (K-7).
    """
    case = queries.locked(session, case_id)
    if case.state != State.RECEIVED or today <= case.notice_due_on:
        return False
    days = calendar.load(session)
    case.deemed = True
    audit.record(session, actor=_CLOCK, action="case.deemed_accepted", object_type="case", object_id=case.id)
    answered = [found.answered_at for found in case.corrections if found.answered_at is not None]
    received = max([case.received_at, *answered])
    _accept(session, case, _CLOCK, now=received, online=bool(answered), days=days)
    return True


def not_accept(session: Session, *, actor: Staff, case_id: UUID, reason: str, clause: str) -> ServiceCase:
    """Refuse acceptance in writing (C-3); what was prepaid goes back (PY-10). Raises `ReasonMissing`, `StateConflict`."""
    rules.check_refusal(reason, clause)
    case = queries.for_staff(session, case_id, actor, acting=AT_THE_COUNTER, lock=True)
    case.refusal_reason, case.refusal_clause = reason, clause
    record.move(
        session, case, State.NOT_ACCEPTED, actor, reason=reason, public_note=f"{reason}（{clause}）{rules.REMEDY}"
    )
    fees.give_back(session, actor=actor, matter=(MATTER, case.id), reason="不予受理")
    publish(session, CaseNotAccepted(case.id, case.owner_id))
    record.tell(session, case, "CASE_NOT_ACCEPTED", private=reason)
    return case


def request_correction(
    session: Session, *, actor: Staff, case_id: UUID, defects: Sequence[str], supervisor_reason: str = ""
) -> ServiceCase:
    """Tell the citizen once of everything that is missing (C-4).

    Raises `CorrectionAlreadyOpen`, and `SecondDefectNeedsSupervisor` for a further round without a supervisor's reason.
    """
    case = queries.for_staff(session, case_id, actor, lock=True)
    if queries.open_correction(case):
        raise CorrectionAlreadyOpen()
    if case.corrections and not supervisor_reason.strip():
        raise SecondDefectNeedsSupervisor()
    now = clock.now()
    due = add_workdays(clock.local(now).date(), POLICY.correction_workdays, calendar.load(session))
    session.add(
        CaseCorrection(
            case_id=case.id,
            defects=list(defects),
            requested_at=now,
            requested_by=actor.audit_id,
            due_on=due,
            supervisor_reason=supervisor_reason,
        )
    )
    record.move(session, case, State.CORRECTING, actor, public_note="；".join(defects))
    record.tell(session, case, "CASE_CORRECTION", when=str(due), private="；".join(defects))
    return case


def answer_correction(session: Session, *, actor: Citizen, case_id: UUID, file_ids: Sequence[UUID]) -> ServiceCase:
    """The citizen brings what was asked for; the case is received again and its notice clock starts anew.

    `file_ids` are files of the owner. Raises `NotFound`, `StateConflict` when nothing is asked for.
    """
    _require(session, actor, Action.CORRECT, queries.owned(session, case_id, actor.owner_id))
    files.owned(session, actor.owner_id, file_ids)
    case = queries.locked(session, case_id)
    correction = queries.open_correction(case)
    if correction is None:
        raise StateConflict()
    now = clock.now()
    correction.answered_at, correction.answer_file_ids = now, [str(file_id) for file_id in file_ids]
    case.notice_due_on = rules.notice_due(clock.local(now).date(), calendar.load(session))
    record.move(session, case, State.RECEIVED, actor)
    return case


def close_without_correction(session: Session, case_id: UUID, today: date) -> bool:
    """The correction never came (2.4): close and give the money back. True if this did it."""
    case = queries.locked(session, case_id)
    correction = queries.open_correction(case)
    if case.state != State.CORRECTING or correction is None or today <= correction.due_on:
        return False
    correction.expired = True
    record.move(session, case, State.CLOSED_NO_CORRECTION, _CLOCK, public_note="未在期限内补正")
    fees.give_back(session, actor=_CLOCK, matter=(MATTER, case.id), reason="补正超期办结")
    publish(session, CaseWithdrawn(case.id, case.owner_id))
    record.tell(session, case, "CASE_WITHDRAWN", note="未在期限内补正")
    return True


def accept(session: Session, *, actor: Staff, case_id: UUID) -> ServiceCase:
    """Accept a received case: the legal clock starts (K-2) and its back office gets it (S3)."""
    case = queries.for_staff(session, case_id, actor, acting=AT_THE_COUNTER, lock=True)
    rules.check_move(State(case.state), State.ACCEPTED)
    _accept(session, case, actor, now=clock.now(), online=False, days=calendar.load(session))
    return case


def suspend(session: Session, *, actor: Staff, case_id: UUID, name: str, reason: str) -> ServiceCase:
    """Begin a special procedure: both clocks stop after today (K-5). The citizen is told."""
    case = queries.for_staff(session, case_id, actor, acting=IN_THE_OFFICE, lock=True)
    record.move(session, case, State.SUSPENDED, actor, reason=reason, public_note=name)
    session.add(
        CasePause(case_id=case.id, name=name, reason=reason, started_on=clock.today(), started_by=actor.audit_id)
    )
    record.tell(session, case, "CASE_SUSPENDED", private=name)
    return case


def resume(session: Session, *, actor: Staff, case_id: UUID) -> ServiceCase:
    """End the special procedure: the clocks go on tomorrow, with a new due date (K-5)."""
    case = queries.for_staff(session, case_id, actor, acting=IN_THE_OFFICE, lock=True)
    pause = queries.open_pause(case)
    if pause is None:
        raise StateConflict()
    pause.ended_on, pause.ended_by = clock.today(), actor.audit_id
    before = case.due_on
    record.set_due(session, case, case.accepted_on, calendar.load(session))
    record.move(session, case, State.UNDER_REVIEW, actor, old_due=before)
    record.tell(session, case, "CASE_RESUMED", **record.due_fields(case))
    return case


def extend(session: Session, *, actor: Staff, case_id: UUID, workdays: int, reason: str) -> ServiceCase:
    """延长审批 (C-6): at most once, at most 10 working days, before the old due date; the citizen is told."""
    case = queries.for_staff(session, case_id, actor, acting=MANAGING, lock=True)
    if case.extension_workdays:
        raise ExtensionUsed()
    if case.state != State.UNDER_REVIEW or case.due_on is None or clock.today() > case.due_on:
        raise StateConflict()
    before = case.due_on
    case.extension_workdays = min(workdays, POLICY.extension_workdays)
    record.set_due(session, case, case.accepted_on, calendar.load(session))
    record.write(session, case, State.UNDER_REVIEW, actor, reason=reason, public_note="延长审批", old_due=before)
    record.tell(session, case, "CASE_SUSPENDED", **{"note": "延长审批", **record.due_fields(case)})
    return case


def decide(
    session: Session, *, actor: Staff, case_id: UUID, granted: bool, reason: str = "", clause: str = ""
) -> ServiceCase:
    """Grant or refuse: the clocks end. A refusal carries reason, clause and remedy (C-3); fees are fixed or go back (PY-10, PY-12)."""
    case = queries.for_staff(session, case_id, actor, acting=IN_THE_OFFICE, lock=True)
    case.decided_at = clock.now()
    if granted:
        record.move(session, case, State.DECIDED_GRANT, actor)
        fees.fix(session, actor=actor, matter=(MATTER, case.id))
    else:
        rules.check_refusal(reason, clause)
        case.refusal_reason, case.refusal_clause = reason, clause
        record.move(
            session, case, State.DECIDED_REFUSE, actor, reason=reason, public_note=f"{reason}（{clause}）{rules.REMEDY}"
        )
        fees.give_back(session, actor=actor, matter=(MATTER, case.id), reason="不予许可")
    publish(session, CaseDecided(case.id, case.owner_id, granted))
    record.tell(session, case, "CASE_DECIDED", private=rules.LABELS[State(case.state)][0])
    return case


def conclude(session: Session, *, actor: Staff, case_id: UUID, result_name: str, result_number: str) -> ServiceCase:
    """Record the result; the issue clock of 10 working days starts (N5)."""
    case = queries.for_staff(session, case_id, actor, acting=IN_THE_OFFICE, lock=True)
    now = clock.now()
    case.result_name, case.result_number, case.concluded_at = result_name, result_number, now
    case.issue_due_on = add_workdays(clock.local(now).date(), POLICY.issue_workdays, calendar.load(session))
    record.move(session, case, State.CONCLUDED, actor)
    return case


def start_issuing(session: Session, *, actor: Staff, case_id: UUID) -> ServiceCase:
    """The certificate is made: it can be collected or sent."""
    case = queries.for_staff(session, case_id, actor, lock=True)
    record.move(session, case, State.ISSUING, actor)
    publish(session, CaseReady(case.id, case.owner_id))
    where = places.hall(session, case.issue_hall_id).name
    record.tell(session, case, "CASE_READY", where=where, private=case.result_name)
    return case


def collect(session: Session, *, actor: Staff, case_id: UUID, document: DocumentNumber) -> ServiceCase:
    """Hand the result over at the counter to the applicant, or to who may collect it for the applicant, card in hand.

    Nobody collects what only its right-holder may receive (CR-2), but a guardian, and for a company its people (DG-1).
    Raises `DocumentDiffers` for anybody else.
    """
    case = queries.for_staff(session, case_id, actor, acting=AT_THE_COUNTER, lock=True)
    collector = _collector(session, case, document)
    identity.record_counter_check(session, actor=actor, subject_id=collector, document=document)
    how = "窗口领取" if collector == case.owner_id else "窗口领取（代领）"
    _delivered(session, case, actor, clock.now(), how)
    record.tell(session, case, "CASE_DELIVERED", note="窗口领取")
    return case


def _collector(session: Session, case: ServiceCase, document: DocumentNumber) -> UUID:
    person_id = accounts.find_by_document(session, document)
    if person_id is None or person_id == case.owner_id:
        return case.owner_id
    item = catalogue.item_version(session, case.version_id)
    may = acting.may_collect(session, owner_id=case.owner_id, person_id=person_id, item=item)
    return person_id if may else case.owner_id


def on_result_delivered(session: Session, case_id: UUID, at: datetime) -> None:
    """The courier's identity-checked signature is the legal service of the result (CR-11); delivery tells the citizen."""
    case = queries.locked(session, case_id)
    if case.state == State.ISSUING:
        _delivered(session, case, System("delivery"), at, "快递送达")


def _delivered(session: Session, case: ServiceCase, actor: Actor, at: datetime, how: str) -> None:
    case.delivered_at = at
    record.move(session, case, State.DELIVERED, actor, public_note=how)
    publish(session, CaseDelivered(case.id, case.owner_id))


def withdraw(session: Session, *, actor: Citizen, case_id: UUID) -> ServiceCase:
    """The citizen takes the matter back, any time before the decision; the money goes back (PY-10)."""
    _require(session, actor, Action.SUBMIT, queries.owned(session, case_id, actor.owner_id))
    case = queries.locked(session, case_id)
    record.move(session, case, State.WITHDRAWN, actor)
    pause = queries.open_pause(case)
    if pause is not None:
        pause.ended_on, pause.ended_by = clock.today(), actor.audit_id
    fees.give_back(session, actor=actor, matter=(MATTER, case.id), reason="申请人撤回")
    publish(session, CaseWithdrawn(case.id, case.owner_id))
    record.tell(session, case, "CASE_WITHDRAWN")
    return case


def _require(session: Session, actor: Citizen, action: Action, case: ServiceCase) -> None:
    acting.require_matter(session, actor=actor, action=action, version_id=case.version_id, hall_id=case.accept_hall_id)


def recompute(session: Session, case_id: UUID) -> bool:
    """K-9: the calendar changed; reckon anew and write a row "calendar changed". True if a date moved.

    Of a running case both due dates, of a received one the day by which it counts as accepted (C-5).
    """
    case = queries.locked(session, case_id)
    state, days = State(case.state), calendar.load(session)
    if state not in rules.RECKONED:
        return False
    before = (case.due_on, case.due_status, case.legal_due_on, case.notice_due_on)
    if state is State.RECEIVED:
        case.notice_due_on = rules.notice_due(queries.received_on(session, case.id), days)
    else:
        record.set_due(session, case, case.accepted_on, days)
    if (case.due_on, case.due_status, case.legal_due_on, case.notice_due_on) == before:
        return False
    record.write(session, case, state, _CLOCK, reason="calendar changed", public_note="工作日历调整", old_due=before[0])
    return True


def on_bill_paid(session: Session, event: BillPaid) -> None:
    """A bill may be paid after the decision, since prepaying is optional (PY-5): a job fixes the fee then (PY-12)."""
    if event.matter_type == MATTER:
        jobs.defer(session, "cases.fix_fees", once=f"fix:{event.matter_id}", case_id=str(event.matter_id))


def fix_fees(session: Session, case_id: UUID) -> None:
    """Settle what is paid, if the case was granted. Its row is locked, so a decision under way is waited for."""
    case = queries.locked(session, case_id)
    if rules.is_granted(State(case.state), case.refusal_reason):
        fees.fix(session, actor=_CLOCK, matter=(MATTER, case.id))


def move_owner(session: Session, event: SubjectsMerged) -> None:
    """The absorbed subject's cases are now the kept one's."""
    for column in (ServiceCase.owner_id, ServiceCase.acting_id):
        session.execute(update(ServiceCase).where(column == event.absorbed).values({column.key: event.kept}))
