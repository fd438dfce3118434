"""Forgetting. The session is given; nothing here commits."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from auth.accounts.events import AccountClosed
from casework.appointments.holds import service as holds
from casework.appointments.models import Appointment, AppointmentParty
from casework.appointments.rules import LIVE, State

_BATCH = 500


def on_account_closed(session: Session, event: AccountClosed) -> None:
    """Holds are given up; past visits forget what was filled in and who had to come."""
    mine = Appointment.owner_id == event.subject_id
    for hold_id in session.scalars(select(Appointment.id).where(mine, Appointment.state == State.HELD)).all():
        holds.give_up(session, owner_id=event.subject_id, hold_id=hold_id)
    _strip(session, mine, Appointment.state.not_in(LIVE))


def _strip(session: Session, *which: ColumnElement[bool]) -> None:
    ids = select(Appointment.id).where(*which)
    session.execute(delete(AppointmentParty).where(AppointmentParty.appointment_id.in_(ids)))
    session.execute(
        update(Appointment)
        .where(*which)
        .values(answers={}, papers=[], needs=[], language=None, phone_lookup=None, close_note="")
    )


def forget_old(session: Session, before: datetime) -> int:
    """P-6: delete a batch of appointments whose visit was before `before`; how many. A hall's tickets lose the link only."""
    old = session.scalars(
        select(Appointment.id)
        .where(Appointment.starts_at < before, Appointment.state.not_in(LIVE))
        .order_by(Appointment.starts_at)
        .limit(_BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    session.execute(delete(Appointment).where(Appointment.id.in_(old)))
    return len(old)
