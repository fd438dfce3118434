"""What the clock does with bookings: holds that ran out, reminders, missed visits, closed days.

Reminders are looked for every ten minutes instead of queued at booking: what was cancelled or moved meanwhile is then
never reminded of, and a clock that is moved for a demonstration moves them too.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from casework.appointments import queries, rules
from casework.appointments.holds import service as holds
from casework.appointments.personal import service as personal
from casework.appointments.record import service as record
from casework.appointments.rules import Reminder, State
from casework.appointments.visit import service as visit
from casework.slots import queries as slots
from core import clock, jobs, retention
from core.db import transaction

_BATCH = 200


@jobs.every("* * * * *", "appointments.free_holds")
def free_holds() -> None:
    """Tidy holds that ran out (AP-10), one transaction a slot; reads and bookings don't wait for it."""
    now = clock.now()
    with transaction() as session:
        found = queries.slots_with_expired_holds(session, now)
    for slot_id in found:
        with transaction() as session:
            holds.free_expired(session, slot_id=slot_id, now=now)


@jobs.every("*/10 * * * *", "appointments.remind")
def remind() -> None:
    """The evening before, and two hours before: time, place and the papers to bring."""
    now = clock.now()
    for reminder in Reminder:
        while _remind(reminder, now):
            pass


def _remind(reminder: Reminder, now: datetime) -> bool:
    """Send one batch of reminders; True if there may be more."""
    with transaction() as session:
        due = queries.to_remind(session, reminder, now, _BATCH)
        for appointment in due:
            note = rules.papers_text(appointment.papers)
            record.tell(session, appointment, "APPOINTMENT_REMINDER", event=f"reminder:{reminder}", note=note)
            if reminder is Reminder.EVENING:
                appointment.evening_reminded_at = now
            else:
                appointment.soon_reminded_at = now
        return len(due) == _BATCH


@jobs.every("30 12 * * *", "appointments.close_the_day")
def close_the_day() -> None:
    """The evening run (20:30 in Shanghai): booked, but nobody came (AP-22). One transaction each."""
    now = clock.now()
    after = UUID(int=0)
    while True:
        with transaction() as session:
            batch = queries.overdue(session, now, after, _BATCH)
        for appointment_id in batch:
            with transaction() as session:
                visit.miss(session, appointment_id=appointment_id, now=now)
        if len(batch) < _BATCH:
            return
        after = batch[-1]


@jobs.every("50 19 * * *", "appointments.forget_old")
def forget_old() -> None:
    """P-6: visits are kept for two years, at 03:50 in Shanghai."""
    retention.run("appointments", personal.forget_old)


@jobs.task("appointments.cancel_withdrawn", queue="bulk")
def cancel_withdrawn(hall_id: str, day: str) -> None:
    """A hall closed, or windows fell out, on a booked day: cancel and tell, one transaction each (AP-15)."""
    hall, on = UUID(hall_id), date.fromisoformat(day)
    done: set[UUID] = set()
    while True:
        with transaction() as session:
            moved = [one for one in visit.withdrawn(session, hall_id=hall, day=on) if one[0] not in done]
            note = slots.day_note(session, hall, on)
        for appointment_id, owner_id, state in moved:
            with transaction() as session:
                if state is State.HELD:
                    holds.give_up(session, owner_id=owner_id, hold_id=appointment_id)
                else:
                    visit.cancel_by_hall(session, appointment_id=appointment_id, note=note)
                    done.add(appointment_id)
        if not moved:
            return
