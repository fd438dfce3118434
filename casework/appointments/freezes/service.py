"""Each act on one booking, once however often it is called. The session is given; nothing here commits."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from auth.accounts.events import SubjectFrozen, SubjectRestored
from auth.accounts.freezing import queries as freezes
from auth.accounts.freezing.queries import Freeze
from auth.accounts.rules import FreezeReason
from auth.acting import service as acting
from casework.appointments import queries
from casework.appointments.events import AppointmentCancelled
from casework.appointments.freezes import queries as concerned
from casework.appointments.holds import service as holds
from casework.appointments.record import service as record
from casework.appointments.rules import Closing, State
from casework.appointments.taking.service import lock_persons
from casework.slots import queries as slots
from core import clock, jobs
from core.actors import System
from core.events import publish

_TEMPLATE = "APPOINTMENT_ATTENTION"
_ACTOR = System("identity-signal")

_ENDED = "因申请人的登记状态有变化，此预约已取消，名额已释放，不影响预约信用。如登记有误，请本人持身份证件到大厅更正"
_KEPT = "账号已暂停使用，此预约为您保留，请本人持身份证件按时到大厅，由工作人员核实后办理；来不了请拨打12345取消"
_AGENT_AWAY = "原定的代办人目前不能代办，此预约为您保留，请本人按时到场，或另行委托他人"
_PARTY_AWAY = "共同办理人目前不能到场办理，此预约为您保留，请先拨打12345或到大厅咨询能否办理；不需要时请提前取消"
_RESTORED = "账号已恢复使用，此前取消的预约可在{until:%Y-%m-%d}前优先重新预约"


def on_subject_frozen(session: Session, event: SubjectFrozen) -> None:
    """Look through the bookings the person is in, right after this transaction."""
    jobs.defer(session, "appointments.owner_frozen", lock=_lock(event.subject_id), subject_id=str(event.subject_id))


def on_subject_restored(session: Session, event: SubjectRestored) -> None:
    """Tell of the right to book again, right after this transaction."""
    jobs.defer(session, "appointments.owner_restored", lock=_lock(event.subject_id), subject_id=str(event.subject_id))


def _lock(subject_id: UUID) -> str:
    return f"appointments-freeze:{subject_id}"


def end(session: Session, *, subject_id: UUID, appointment_id: UUID) -> None:
    """Cancel a booking, or free a hold, of somebody whose death is reported; nothing if the report was taken back or it is over."""
    lock_persons(session, subject_id)
    freeze = freezes.standing_freeze(session, subject_id)
    appointment = queries.locked(session, appointment_id)
    if freeze is None or freeze.reason is not FreezeReason.DEATH or appointment.state != State.BOOKED:
        return
    now = clock.now()
    record.close(session, appointment, State.HALL_CANCELLED, _ACTOR, closing=Closing.DEATH, now=now)
    publish(session, AppointmentCancelled(appointment.id, appointment.owner_id, appointment.state))
    record.tell(session, appointment, _TEMPLATE, event=f"ended:{freeze.id}", note=_ENDED)


def free(session: Session, *, subject_id: UUID, hold_id: UUID) -> None:
    """Free a hold of somebody whose death is reported."""
    lock_persons(session, subject_id)
    holds.give_up(session, owner_id=subject_id, hold_id=hold_id)


def keep(session: Session, *, freeze: Freeze, appointment_id: UUID) -> None:
    """Tell who is frozen for another reason than death that the booking stays."""
    appointment = queries.locked(session, appointment_id)
    if appointment.state == State.BOOKED:
        record.tell(session, appointment, _TEMPLATE, event=f"kept:{freeze.id}", note=_KEPT)


def miss_agent(session: Session, *, freeze: Freeze, appointment_id: UUID) -> None:
    """Tell the owner of a booking that who was to come for them can't."""
    _tell_owner(session, freeze, appointment_id, "agent-away", _AGENT_AWAY)


def miss_party(session: Session, *, freeze: Freeze, appointment_id: UUID) -> None:
    """Tell the owner of a booking that another of its parties can't come."""
    _tell_owner(session, freeze, appointment_id, "party-away", _PARTY_AWAY)


def _tell_owner(session: Session, freeze: Freeze, appointment_id: UUID, event: str, note: str) -> None:
    appointment = queries.locked(session, appointment_id)
    if appointment.state != State.BOOKED:
        return
    for receiver in acting.receivers(session, owner_id=appointment.owner_id):
        record.tell_one(session, appointment, receiver, _TEMPLATE, event=f"{event}:{freeze.id}", note=note)


def restored(session: Session, *, subject_id: UUID, now: datetime) -> None:
    """Tell who was reported dead by mistake which bookings were lost and until when they may book first again (AP-15).

    Nothing if the person is frozen once more.
    """
    if freezes.standing_freeze(session, subject_id) is not None:
        return
    for appointment in concerned.ended(session, subject_id):
        days = slots.policy(session, appointment.hall_id).rebook_days
        until = (appointment.closed_at or now) + timedelta(days=days)
        if until > now:
            note = _RESTORED.format(until=clock.local(until))
            record.tell(session, appointment, _TEMPLATE, event="restored", note=note)
