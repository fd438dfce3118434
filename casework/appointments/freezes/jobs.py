"""Going through the bookings of somebody who was frozen, or may go on again; one transaction each."""

from __future__ import annotations

from uuid import UUID

from auth.accounts.freezing import queries as freezes
from auth.accounts.rules import FreezeReason
from casework.appointments.freezes import queries, service
from casework.appointments.rules import State
from core import clock, jobs
from core.db import transaction


@jobs.task("appointments.owner_frozen", queue="bulk")
def owner_frozen(subject_id: str) -> None:
    """See to the person's own bookings, to those of others they were to come for, and, after a death, to shared ones (ID-12)."""
    person = UUID(subject_id)
    with transaction() as session:
        freeze = freezes.standing_freeze(session, person)
        if freeze is None:
            return
        died = freeze.reason is FreezeReason.DEATH
        own = queries.own(session, person)
        for_others = queries.comes_for_others(session, person)
        shared = queries.party_of(session, person) if died else []
    for appointment_id, state in own.items():
        with transaction() as session:
            if not died:
                service.keep(session, freeze=freeze, appointment_id=appointment_id)
            elif state is State.HELD:
                service.free(session, subject_id=person, hold_id=appointment_id)
            else:
                service.end(session, subject_id=person, appointment_id=appointment_id)
    for appointment_id in for_others:
        with transaction() as session:
            service.miss_agent(session, freeze=freeze, appointment_id=appointment_id)
    for appointment_id in shared:
        with transaction() as session:
            service.miss_party(session, freeze=freeze, appointment_id=appointment_id)


@jobs.task("appointments.owner_restored", queue="bulk")
def owner_restored(subject_id: str) -> None:
    """Tell who was reported dead by mistake of the right to book first (AP-15)."""
    with transaction() as session:
        service.restored(session, subject_id=UUID(subject_id), now=clock.now())
