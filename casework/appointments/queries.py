"""Reads of appointments. Every look-up is scoped: to the owner, or to the hall."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Select, and_, bindparam, exists, false, func, or_, select, union
from sqlalchemy.orm import Session, selectinload

from casework.acting import queries as acting
from casework.acting import service as checks
from casework.appointments import rules
from casework.appointments.models import Appointment, AppointmentParty
from casework.appointments.rules import LIVE, STRIKES, Closing, Past, Reminder, State, Wish
from casework.slots import queries as slots
from casework.slots.rules import HallPolicy
from core import clock
from core.actors import Citizen
from core.errors import NotFound
from core.statements import Statement
from core.web.paging import Page, by_id

_WITH_PARTIES = selectinload(Appointment.parties)


def page_of_actor(session: Session, actor: Citizen, args: Mapping[str, Any]) -> Page[Appointment]:
    """The actor's appointments, or those of whom one acts for that one may see, newest first; holds are not shown."""
    query = select(Appointment).where(Appointment.owner_id == actor.owner_id, Appointment.state != State.HELD)
    items = acting.visible_items(session, actor)
    if items is not None:
        query = query.where(Appointment.item_id.in_(items))
    return by_id(session, query.options(_WITH_PARTIES), Appointment.id, args)


def seen(session: Session, appointment_id: UUID, actor: Citizen) -> Appointment:
    """The appointment as the actor may see it, for oneself or for another. Raises `NotFound`."""
    found = owned(session, appointment_id, actor.owner_id)
    checks.require_seen(session, actor=actor, version_id=found.version_id)
    return found


def owned(session: Session, appointment_id: UUID, owner_id: UUID, *, lock: bool = False) -> Appointment:
    """The owner's appointment or hold. `lock` holds its row. Raises `NotFound` for a foreign or missing one alike."""
    query = select(Appointment).where(Appointment.id == appointment_id, Appointment.owner_id == owner_id)
    return _one(session, query.with_for_update(of=Appointment) if lock else query)


def by_number(session: Session, number: str, owner_id: UUID) -> Appointment:
    """The appointment with this number if it is this person's, its row locked. Raises `NotFound`."""
    query = select(Appointment).where(Appointment.number == number, Appointment.owner_id == owner_id)
    return _one(session, query.with_for_update(of=Appointment))


def locked(session: Session, appointment_id: UUID) -> Appointment:
    """An appointment, its row locked, for the acts of halls and jobs. Raises `NotFound`."""
    query = select(Appointment).where(Appointment.id == appointment_id)
    return _one(session, query.with_for_update(of=Appointment))


def slots_with_expired_holds(session: Session, now: datetime) -> list[UUID]:
    """The slots that have holds which ran out."""
    query = select(Appointment.slot_id).where(Appointment.state == State.HELD, Appointment.hold_until <= now)
    return list(session.scalars(query.distinct()))


def people(session: Session, appointment_id: UUID) -> tuple[UUID, UUID]:
    """The right-holder of an appointment and who acts for them, without holding its row. Raises `NotFound`."""
    query = select(Appointment.owner_id, Appointment.acting_id).where(Appointment.id == appointment_id)
    row = session.execute(query).one_or_none()
    if row is None:
        raise NotFound()
    return row.owner_id, row.acting_id


def overdue(session: Session, now: datetime, after: UUID, limit: int) -> list[UUID]:
    """Bookings nobody came for in time (AP-17), in key order from `after` on."""
    query = select(Appointment.id).where(
        Appointment.state == State.BOOKED,
        Appointment.starts_at < rules.missed_before(now, HallPolicy()),
        Appointment.id > after,
    )
    return list(session.scalars(query.order_by(Appointment.id).limit(limit)))


def to_remind(session: Session, reminder: Reminder, now: datetime, limit: int) -> list[Appointment]:
    """Bookings whose reminder is due and wasn't sent, their rows locked; rows somebody is busy with wait for the next run.

    Who booked after the moment a reminder was due isn't reminded: the confirmation said the same just now.
    """
    policy = HallPolicy()
    if reminder is Reminder.EVENING:
        tomorrow = clock.local(now).date() + timedelta(days=1)
        at = rules.evening_reminder_at(tomorrow, policy.reminder_evening)
        due = and_(
            Appointment.starts_at >= clock.day_start(tomorrow),
            Appointment.starts_at < clock.day_start(tomorrow + timedelta(days=1)),
            Appointment.evening_reminded_at.is_(None),
            Appointment.booked_at < at,
        )
        if now < at:
            return []
    else:
        lead = timedelta(minutes=policy.reminder_lead_minutes)
        due = and_(
            Appointment.starts_at > now,
            Appointment.starts_at <= now + lead,
            Appointment.soon_reminded_at.is_(None),
            Appointment.booked_at < Appointment.starts_at - lead,
        )
    query = select(Appointment).where(Appointment.state == State.BOOKED, due).order_by(Appointment.id).limit(limit)
    return list(session.scalars(query.with_for_update(skip_locked=True)))


def count_booked(session: Session, hall_id: UUID, day: date) -> int:
    """How many are booked or held in a hall on a day."""
    query = select(func.count()).where(
        Appointment.hall_id == hall_id,
        Appointment.day == day,
        Appointment.state.in_((State.HELD, State.BOOKED)),
    )
    return session.scalar(query) or 0


def count_booked_on(session: Session, days: Collection[date], most: int) -> int:
    """How many are booked on these days in all halls, counted up to `most`."""
    if not days:
        return 0
    query = select(Appointment.id).where(
        Appointment.state == State.BOOKED,
        Appointment.starts_at >= clock.day_start(min(days)),
        Appointment.starts_at < clock.day_start(max(days) + timedelta(days=1)),
        Appointment.day.in_(days),
    )
    return session.scalar(select(func.count()).select_from(query.limit(most).subquery())) or 0


def waiting_in(session: Session, slot_ids: Collection[UUID]) -> list[Appointment]:
    """The holds and bookings of these slots whose people haven't come yet."""
    query = select(Appointment).where(
        Appointment.slot_id.in_(slot_ids), Appointment.state.in_([State.HELD, State.BOOKED])
    )
    return list(session.scalars(query.order_by(Appointment.id)))


def _one(session: Session, query: Select[Appointment]) -> Appointment:
    query = query.options(_WITH_PARTIES).execution_options(populate_existing=True)
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound()
    return found


def expected(
    session: Session,
    *,
    hall_id: UUID,
    day: date,
    appointment_id: UUID | None = None,
    number: str | None = None,
    owner_id: UUID | None = None,
    document_lookup: bytes | None = None,
) -> Appointment:
    """The appointment of this hall and day that one who arrives means: by its id (from the QR code), number or person (AP-16).

    A person is found as right-holder, as the one who comes, or by document as another party (AP-12). Where somebody comes for
    several people, the earliest that isn't checked in is meant. Raises `NotFound`.
    """
    is_it: list[ColumnElement[bool]] = []
    if appointment_id is not None:
        is_it.append(Appointment.id == appointment_id)
    if number is not None:
        is_it.append(Appointment.number == number)
    if owner_id is not None:
        is_it += [Appointment.owner_id == owner_id, Appointment.acting_id == owner_id]
    if document_lookup is not None:
        named = select(AppointmentParty.appointment_id).where(AppointmentParty.document_lookup == document_lookup)
        is_it.append(Appointment.id.in_(named))
    query = (
        select(Appointment)
        .where(Appointment.hall_id == hall_id, Appointment.day == day, or_(false(), *is_it))
        .where(Appointment.state.in_([State.BOOKED, State.CHECKED_IN, State.NO_SHOW]))
        .order_by(Appointment.state != State.BOOKED, Appointment.starts_at)
        .limit(1)
    )
    return _one(session, query)


_PERSON: BindParameter[UUID] = bindparam("owner")
_ACTING: BindParameter[UUID] = bindparam("acting")
_PHONE: BindParameter[bytes] = bindparam("phone")
_NOW: BindParameter[datetime] = bindparam("now")
_TODAY: BindParameter[datetime] = bindparam("today")
_NAMED = select(AppointmentParty.appointment_id).where(AppointmentParty.subject_id == _PERSON)
_IS_LIVE = Appointment.state.in_(sorted(LIVE))


def past(session: Session, wish: Wish, phone: bytes | None, now: datetime, policy: HallPolicy) -> list[Past]:
    """The earlier bookings that decide whether `wish` may be booked (AP-8, AP-15, AP-22), in one query."""
    values = {
        "owner": wish.owner_id,
        "acting": wish.acting_id,
        "phone": phone,
        "today": clock.day_start(clock.local(now).date()),
        "strikes_since": now - timedelta(days=policy.strike_days + policy.block_days),
        "rebook_since": now - timedelta(days=policy.rebook_days),
    }
    return [_past(row) for row in _PAST.rows(session, **values)]


def _past_query(party: ColumnElement[bool], same_phone: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return select(
        Appointment.id,
        Appointment.owner_id,
        Appointment.acting_id,
        party.label("party"),
        func.coalesce(same_phone, false()).label("same_phone"),
        Appointment.state,
        Appointment.item_id,
        Appointment.hall_id,
        Appointment.day,
        Appointment.starts_at,
        Appointment.ends_at,
        Appointment.booked_at,
        Appointment.closed_at,
        Appointment.closing,
        Appointment.hold_until,
        Appointment.replaced_by_id.is_not(None).label("replaced"),
    )


# One index each: as one OR with a subquery PostgreSQL would read the whole table.
_CONCERNED = union(
    select(Appointment.id).where(Appointment.owner_id == _PERSON),
    select(Appointment.id).where(Appointment.acting_id == _PERSON),
    select(Appointment.id).where(Appointment.acting_id == _ACTING),
    select(Appointment.id).where(Appointment.phone_lookup == _PHONE, _IS_LIVE),
    _NAMED,
)
_PAST = Statement(
    _past_query(Appointment.id.in_(_NAMED), Appointment.phone_lookup == _PHONE).where(
        Appointment.id.in_(_CONCERNED),
        or_(
            _IS_LIVE,
            Appointment.booked_at >= _TODAY,
            Appointment.closed_at >= _TODAY,
            and_(Appointment.state == State.FINISHED, Appointment.starts_at >= _TODAY),
            and_(Appointment.state.in_(sorted(STRIKES)), Appointment.starts_at >= bindparam("strikes_since")),
            and_(Appointment.state == State.HALL_CANCELLED, Appointment.closed_at >= bindparam("rebook_since")),
        ),
    )
)


def _past(row: Sequence[Any]) -> Past:
    """A row of `_past_query`, whose columns are those of `Past`, in order."""
    found = Past(*row)
    return replace(found, state=State(found.state), closing=None if found.closing is None else Closing(found.closing))


def items_booked(session: Session, item_ids: Collection[str], *, starting: datetime) -> set[str]:
    """Those of the items that somebody has booked from `starting` on."""
    query = select(Appointment.item_id).where(
        Appointment.state == State.BOOKED, Appointment.starts_at >= starting, Appointment.item_id.in_(item_ids)
    )
    return set(session.scalars(query.distinct()))


def booked_by_other_version(
    session: Session, item_id: str, version_id: UUID, *, starting: datetime, after: UUID | None, limit: int
) -> list[tuple[UUID, UUID]]:
    """Bookings of the item from `starting` on that were made by another version, in order: key and owner."""
    query = select(Appointment.id, Appointment.owner_id).where(
        Appointment.state == State.BOOKED,
        Appointment.starts_at >= starting,
        Appointment.item_id == item_id,
        Appointment.version_id != version_id,
    )
    if after is not None:
        query = query.where(Appointment.id > after)
    return [(row.id, row.owner_id) for row in session.execute(query.order_by(Appointment.id).limit(limit))]


def holds_of(session: Session, owners: Collection[UUID]) -> list[tuple[UUID, UUID]]:
    """Key and owner of the holds of these people."""
    rows = session.execute(
        select(Appointment.id, Appointment.owner_id)
        .where(Appointment.owner_id.in_(owners), Appointment.state == State.HELD)
        .order_by(Appointment.id)
    )
    return [(row.id, row.owner_id) for row in rows]


def live_of(session: Session, owners: Collection[UUID]) -> list[Appointment]:
    """The live bookings of these people, their rows locked."""
    query = select(Appointment).where(Appointment.owner_id.in_(owners), Appointment.state.in_(LIVE))
    query = query.order_by(Appointment.id).with_for_update(of=Appointment).options(_WITH_PARTIES)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def strikes(session: Session, person: UUID, since: datetime) -> list[Past]:
    """The missed visits of who should have come, from `since` on (AP-22, AP-23)."""
    missed = and_(Appointment.acting_id == person, Appointment.state.in_(STRIKES), Appointment.starts_at >= since)
    return [_past(row) for row in session.execute(_past_query(false(), false()).where(missed))]


def parties_booked(
    session: Session, subjects: Collection[UUID], lookups: Collection[bytes], wish: Wish, now: datetime
) -> bool:
    """Whether one of the other parties has a live booking of the item, or of this hall that day (AP-12)."""
    named = select(AppointmentParty.appointment_id).where(AppointmentParty.document_lookup.in_(lookups))
    query = select(Appointment.id).where(
        Appointment.state.in_(LIVE),
        or_(Appointment.hold_until.is_(None), Appointment.hold_until > now),
        Appointment.id.is_distinct_from(wish.replaces),
        or_(Appointment.owner_id.in_(subjects), Appointment.id.in_(named)),
        or_(
            Appointment.item_id == wish.item_id,
            and_(Appointment.hall_id == wish.hall_id, Appointment.day == wish.day),
        ),
    )
    return session.execute(query.limit(1)).first() is not None


READ_SLOTS = slots.Reader(
    # Holds that ran out but weren't tidied yet are room, and for who holds a place in it a full slot isn't full (AP-10).
    released=select(func.coalesce(func.sum(Appointment.minutes), 0))
    .where(Appointment.slot_id == slots.SLOT_ID, Appointment.state == State.HELD, Appointment.hold_until <= _NOW)
    .scalar_subquery(),
    held=exists().where(
        Appointment.owner_id == bindparam("owner_id"),
        Appointment.slot_id == slots.SLOT_ID,
        Appointment.state == State.HELD,
    ),
)
"""Reads of slots that know of our holds."""
