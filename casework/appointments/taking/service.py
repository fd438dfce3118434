"""Taking a place (AP-7 … AP-10): everything that needs no lock is asked first, then the person is locked, then the slot.

A full slot is refused before any lock. The place itself is taken by one statement, a conditional UPDATE of the slot with
the INSERT of the booking (AP-9), so nothing else can come between.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Insert, Table, and_, bindparam, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from casework.appointments import queries, rules
from casework.appointments.drafts import service as drafts
from casework.appointments.drafts.service import Details, Draft
from casework.appointments.errors import HoldExpired
from casework.appointments.holds import service as holds
from casework.appointments.models import Appointment
from casework.appointments.parties import service as parties
from casework.appointments.parties.service import Known
from casework.appointments.record import service as record
from casework.appointments.rules import Past, State, Wish
from casework.catalogue import queries as catalogue
from casework.places.kept import queries as places
from casework.slots import service as slots
from casework.slots.errors import SlotFull
from core import clock, ids, numbers
from core.actors import Citizen, Staff
from core.statements import Statement


@dataclass(frozen=True, slots=True)
class Ready:
    """A booking of which only the place is still to be taken. `appointment` is what the row will be, not in the session."""

    actor: Citizen | Staff
    draft: Draft
    past: Sequence[Past]
    gives_way: Appointment | None
    rebooks: UUID | None
    named: Sequence[Known]
    values: Mapping[str, Any]
    appointment: Appointment


_LOCK = Statement(
    select(func.pg_advisory_xact_lock(func.unnest(bindparam("keys", type_=ARRAY(BigInteger))).column_valued("wanted")))
)


def lock_persons(session: Session, *parts: object) -> None:
    """Let one booking of the same persons and phones go at a time (AP-8). Locks in key order."""
    keys = sorted({_lock_key(part) for part in parts if part is not None})
    _LOCK.rows(session, keys=keys)


def _lock_key(part: object) -> int:
    content = part if isinstance(part, bytes) else str(part).encode()
    digest = hashlib.blake2b(content, digest_size=8, person=b"booking").digest()
    return int.from_bytes(digest, signed=True)


def prepare(
    session: Session, *, actor: Citizen | Staff, draft: Draft, state: State, gives_way: Appointment | None = None
) -> Ready:
    """Lock the persons, judge, and write all but the place itself (AP-8). `gives_way`: the booking that is moved (AP-13).

    Raises `BookingLimit`, `BookingBlocked`.
    """
    named = parties.recognise(session, draft.details.parties)
    persons = (draft.wish.owner_id, draft.wish.acting_id, draft.phone)
    lock_persons(session, *persons, *(one.key for one in named))
    past = queries.past(session, draft.wish, draft.phone, draft.now, draft.policy)
    rules.check_standing(draft.wish, past, draft.now, draft.policy, online=draft.online)
    parties.check_limits(session, named, draft.wish, draft.now)
    rebooks = rules.to_rebook(draft.wish, past, draft.now, draft.policy)
    entitled = rules.is_entitled(
        birth_date=draft.birth_date,
        day=draft.wish.day,
        needs=draft.details.needs,
        by_hotline=not draft.online,
        rebooks=rebooks is not None,
        policy=draft.policy,
    )
    values = _values(session, draft, state, entitled)
    record.write(session, actor, state, values["id"])
    return Ready(actor, draft, past, gives_way, rebooks, named, values, Appointment(**values))


def take(session: Session, ready: Ready) -> Appointment:
    """Take the place: the last thing before the commit, so that a slot everybody wants is locked no longer than that.

    Raises `SlotFull`.
    """
    session.flush()
    _make_way(session, ready)
    if not _insert(session, ready.draft, ready.values):
        raise SlotFull()
    appointment = ready.appointment
    if ready.rebooks is not None:
        session.execute(
            update(Appointment).where(Appointment.id == ready.rebooks).values(replaced_by_id=appointment.id)
        )
    parties.write(session, appointment, ready.named)
    return appointment


def _make_way(session: Session, ready: Ready) -> None:
    """Give back the person's own hold, holds of this slot that ran out (AP-10), and the booking that is moved (AP-13)."""
    draft, moved = ready.draft, ready.gives_way
    gone: list[ColumnElement[bool]] = []
    if any(one.state is State.HELD and one.owner_id == draft.wish.owner_id for one in ready.past):
        gone.append(Appointment.owner_id == draft.wish.owner_id)
    if draft.slot.room.released_minutes:
        gone.append(and_(Appointment.slot_id == draft.slot.id, Appointment.hold_until <= draft.now))
    held = holds.locked(session, or_(*gone)) if gone else []
    giving = {hold.slot_id for hold in held} | ({moved.slot_id} if moved is not None else set())
    if giving:
        slots.lock(session, giving | {draft.slot.id})
    holds.release(session, held)
    if moved is not None:
        closing = rules.changed_as(moved.starts_at, moved.changes, draft.now, draft.policy)
        record.close(session, moved, State.CANCELLED, ready.actor, closing=closing, now=draft.now)


def _values(session: Session, draft: Draft, state: State, entitled: bool) -> dict[str, Any]:
    wish, slot, held = draft.wish, draft.slot, state is State.HELD
    answers, papers = drafts.situation(draft.item, draft.prereview, draft.details.answers)
    return {
        "id": ids.uuid7(),
        "number": numbers.issue(session, numbers.Kind.APPOINTMENT, clock.local(draft.now).date()),
        "owner_id": wish.owner_id,
        "acting_id": wish.acting_id,
        "acted_by": draft.acted_by,
        "comes": draft.details.comes or rules.who_comes(wish, draft.acted_by),
        "item_id": draft.item.item_id,
        "item_name": draft.item.name,
        "sensitive": draft.item.sensitive,
        "version_id": draft.item.version_id,
        "hall_id": slot.hall_id,
        "hall_name": places.hall(session, slot.hall_id).name,
        "zone_code": slot.zone_code,
        "slot_id": slot.id,
        "day": wish.day,
        "starts_at": slot.starts_at,
        "ends_at": slot.ends_at,
        "minutes": draft.minutes,
        "entitled": entitled,
        "prereview_id": draft.prereview.id if draft.prereview is not None else None,
        "answers": answers,
        "papers": papers,
        "needs": list(draft.details.needs),
        "language": draft.details.language,
        "channel": draft.channel,
        "phone_lookup": draft.phone,
        "state": state,
        "hold_until": draft.now + timedelta(minutes=draft.policy.hold_minutes) if held else None,
        "changes": draft.changes,
        "created_at": draft.now,
        "booked_at": None if held else draft.now,
        "close_note": "",
    }


_TABLE = cast(Table, Appointment.__table__)
# The others are empty until something happens to the booking.
_LATER = {"replaced_by_id", "arrived_at", "closed_at", "closing", "result", "evening_reminded_at", "soon_reminded_at"}
_NEW = [column for column in _TABLE.c if column.name not in _LATER]


def _statement(*, entitled: bool) -> Insert:
    """Take the minutes and write the row in one statement."""
    # Prefixed, because a parameter named like a column of the slot would be set there too.
    row = select(*(bindparam(f"new_{column.name}", type_=column.type) for column in _NEW))
    row = row.select_from(slots.taking(entitled=entitled))
    return insert(_TABLE).from_select(_NEW, row, include_defaults=False).returning(_TABLE.c.id)


_TAKE = {entitled: Statement(_statement(entitled=entitled)) for entitled in (False, True)}


def _insert(session: Session, draft: Draft, values: Mapping[str, Any]) -> bool:
    """Take the place; False when the slot has no room (AP-9)."""
    row = {f"new_{column.name}": values[column.name] for column in _NEW}
    taken = _TAKE[values["entitled"]].rows(
        session, take_slot=draft.slot.id, take_minutes=draft.minutes, take_now=draft.now, **row
    )
    return bool(taken)


def lock_all_of(session: Session, appointment: Appointment) -> None:
    """Lock everybody an appointment concerns, before it is moved."""
    persons = (appointment.owner_id, appointment.acting_id, appointment.phone_lookup)
    lock_persons(session, *persons, *parties.keys_of(appointment))


def confirm(session: Session, *, actor: Citizen, hold_id: UUID, details: Details) -> Appointment:
    """Make the caller's hold a booking with what the form asked; the place and its minutes stay as they are (AP-10).

    Raises `HoldExpired` for one that ran out or is not the caller's, `InvalidInput`, `BookingLimit` (another party's).
    """
    now = clock.now()
    named = parties.recognise(session, details.parties)
    lock_persons(session, actor.owner_id, *(one.key for one in named))
    held = session.scalar(
        select(Appointment)
        .where(
            Appointment.id == hold_id,
            Appointment.owner_id == actor.owner_id,
            Appointment.state == State.HELD,
            Appointment.hold_until > now,
        )
        .with_for_update()
    )
    if held is None:
        raise HoldExpired()
    item = catalogue.item_version(session, held.version_id)
    drafts.check_comes(details.comes, item, acts_for_other=held.acting_id != held.owner_id)
    wish = Wish(
        held.owner_id, held.acting_id, held.item_id, held.hall_id, held.starts_at, held.ends_at, replaces=held.id
    )
    parties.check_limits(session, named, wish, now)
    if details.comes is not None:
        held.comes = details.comes
    if details.answers and held.prereview_id is None:
        held.answers, held.papers = drafts.situation(item, None, details.answers)
    held.needs, held.language = sorted({*held.needs, *details.needs}), details.language or held.language
    held.hold_until, held.booked_at = None, now
    record.move(session, held, State.BOOKED, actor)
    session.flush()
    parties.write(session, held, named)
    return held
