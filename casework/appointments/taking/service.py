"""Taking a place (AP-7 … AP-10): everything that needs no lock is asked first, then the person is locked, then the slot.

A full slot is refused before any lock. The place itself is taken by one statement, a conditional UPDATE of the slot with
the INSERT of the booking (AP-9), so nothing else can come between.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, and_, func, insert, literal, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from auth.accounts import queries as accounts
from casework.appointments import queries, rules
from casework.appointments.errors import BookingNotOffered, HoldExpired
from casework.appointments.holds import service as holds
from casework.appointments.models import Appointment
from casework.appointments.parties import service as parties
from casework.appointments.parties.service import Known, Party
from casework.appointments.record import service as record
from casework.appointments.rules import Comes, Need, Past, State, Wish
from casework.catalogue import queries as catalogue
from casework.catalogue import rules as catalogue_rules
from casework.catalogue.rules import Item
from casework.places import queries as places
from casework.prereview import queries as prereviews
from casework.prereview.queries import PassedPreReview
from casework.slots import queries as slot_queries
from casework.slots import rules as slot_rules
from casework.slots import service as slots
from casework.slots.errors import SlotFull, SlotNotReleased
from casework.slots.queries import SlotRow
from casework.slots.rules import HallPolicy
from core import calendar, clock, ids, numbers
from core.actors import Citizen, Staff
from core.errors import InvalidInput
from core.web.access import level_too_low


@dataclass(frozen=True, slots=True)
class Details:
    """What the form asks beside item and slot (AP-11, AP-12). `answers`: the situation; a pre-review brings its own."""

    comes: Comes | None = None
    answers: Mapping[str, str] = field(default_factory=dict)
    needs: Sequence[Need] = ()
    language: str | None = None
    parties: Sequence[Party] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A booking about to be taken: all that is known of it without a lock."""

    item: Item
    slot: SlotRow
    policy: HallPolicy
    wish: Wish
    prereview: PassedPreReview | None
    details: Details
    minutes: int
    birth_date: date | None
    phone: bytes | None
    channel: str
    changes: int
    now: datetime

    @property
    def online(self) -> bool:
        """Whether a citizen books; what staff book isn't blocked by no-shows (AP-22)."""
        return self.channel not in {"HOTLINE", "HALL"}


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


def bookable_item(session: Session, item_id: str, day: date) -> Item:
    """The item in force that can be booked. Raises `ItemNotInForce`, `BookingNotOffered`."""
    item = catalogue.item_in_force(session, item_id, day)
    if not item.bookable:
        raise BookingNotOffered()
    return item


def draft(
    session: Session,
    *,
    actor: Citizen | Staff,
    owner_id: UUID,
    acting_id: UUID,
    slot_id: UUID,
    item_id: str,
    prereview_id: UUID | None,
    details: Details,
    replaces: Appointment | None = None,
) -> Draft:
    """Ask everything that needs no lock (AP-3, AP-5, AP-7, AP-11); a slot without room is refused here already.

    Raises `ItemNotInForce`, `BookingNotOffered`, `AuthLevelTooLow`, `InvalidInput`, `NotFound`, `SlotNotReleased`,
    `StateConflict` (the pre-review doesn't count any more), `SlotFull`.
    """
    now = clock.now()
    item = bookable_item(session, item_id, clock.local(now).date())
    if isinstance(actor, Citizen):
        needed = rules.booking_level(item.min_auth_level)
        if actor.level < needed:
            raise level_too_low(actor, needed)
    _check_comes(details.comes, item, acts_for_other=acting_id != owner_id)
    slot = slot_queries.slot(session, slot_id, queries.released(now))
    if slot.zone_code != item.zone_code:
        raise InvalidInput(fields={"slot_id": ["该时段不办理此事项 / this slot is not for this item"]})
    policy = slot_queries.policy(session, slot.hall_id)
    if not slot_rules.is_released(slot.starts_at, now, policy, calendar.load(session)):
        raise SlotNotReleased()
    prereview = _passed(session, prereview_id, owner_id, item, now)
    minutes = slot_rules.minutes_needed(item.avg_handle_minutes, prereviewed=prereview is not None, policy=policy)
    person = accounts.person(session, owner_id)
    full = slot_rules.room(slot.room, now, entitled=True) < minutes
    if full and not queries.holds_a_place(session, owner_id, slot.id):
        raise SlotFull()
    return Draft(
        item=item,
        slot=slot,
        policy=policy,
        wish=Wish(
            owner_id,
            acting_id,
            item.item_id,
            slot.hall_id,
            slot.starts_at,
            slot.ends_at,
            replaces=replaces.id if replaces is not None else None,
        ),
        prereview=prereview,
        details=details,
        minutes=minutes,
        birth_date=person.birth_date,
        phone=accounts.phone_lookup(person.phone) if person.phone else None,
        channel=actor.channel if isinstance(actor, Citizen) else "HOTLINE",
        changes=replaces.changes + 1 if replaces is not None else 0,
        now=now,
    )


def _check_comes(comes: Comes | None, item: Item, *, acts_for_other: bool) -> None:
    """Who comes must fit who books, and the item must allow agents (AP-11, DG-3)."""
    by_other = acts_for_other or (comes is not None and comes is not Comes.SELF)
    if by_other and not item.agent_allowed:
        raise InvalidInput(fields={"comes": ["该事项须本人到场办理 / the person concerned must come"]})
    if acts_for_other and comes is Comes.SELF:
        raise InvalidInput(fields={"comes": ["代办预约请选择代办人或监护人 / choose agent or guardian"]})


def _passed(
    session: Session, prereview_id: UUID | None, owner_id: UUID, item: Item, now: datetime
) -> PassedPreReview | None:
    if prereview_id is None:
        return None
    passed = prereviews.passed(session, prereview_id, now, owner_id=owner_id)
    if passed.item_id != item.item_id:
        raise InvalidInput(fields={"prereview_id": ["预审与预约的事项不一致 / the pre-review is of another item"]})
    return passed


def lock_persons(session: Session, *parts: object) -> None:
    """Let one booking of the same persons and phones go at a time (AP-8). Locks in key order."""
    keys = sorted({_lock_key(part) for part in parts if part is not None})
    wanted = func.unnest(literal(keys, ARRAY(BigInteger))).column_valued("wanted")
    session.execute(select(func.pg_advisory_xact_lock(wanted)))


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
    answers, papers = situation(draft.item, draft.prereview, draft.details.answers)
    return {
        "id": ids.uuid7(),
        "number": numbers.issue(session, numbers.Kind.APPOINTMENT, clock.local(draft.now).date()),
        "owner_id": wish.owner_id,
        "acting_id": wish.acting_id,
        "comes": draft.details.comes or (Comes.SELF if wish.acting_id == wish.owner_id else Comes.AGENT),
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


def situation(
    item: Item, prereview: PassedPreReview | None, answers: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """The answers that count, and the papers to bring: by the verdicts of a pre-review, else by the answers.

    Without answers: the papers everybody needs. Raises `InvalidInput` for answers that don't fit the item.
    """
    if prereview is not None:
        return dict(prereview.answers), [material.name for material in prereview.materials if material.bring]
    if answers:
        listed = catalogue_rules.materials_for(item, answers)
    else:
        listed = tuple(material for material in item.materials if material.condition is None)
    return dict(answers), [material.name for material in listed if material.required and not material.waivable]


def _insert(session: Session, draft: Draft, values: Mapping[str, Any]) -> bool:
    """Take the minutes and write the row in one statement; False when the slot has no room (AP-9)."""
    taken = slots.taking(draft.slot.id, draft.minutes, draft.now, entitled=values["entitled"])
    columns = Appointment.__table__.c
    row = select(*(literal(value, columns[name].type) for name, value in values.items())).select_from(taken)
    written = session.execute(insert(Appointment).from_select(list(values), row).returning(Appointment.id))
    return written.first() is not None


def details_of(appointment: Appointment) -> Details:
    """What was asked when this was booked, to book it again elsewhere (AP-13)."""
    return Details(
        comes=Comes(appointment.comes),
        answers=dict(appointment.answers) if appointment.prereview_id is None else {},
        needs=[Need(need) for need in appointment.needs],
        language=appointment.language,
        parties=parties.named_in(appointment),
    )


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
    _check_comes(details.comes, item, acts_for_other=held.acting_id != held.owner_id)
    wish = Wish(
        held.owner_id, held.acting_id, held.item_id, held.hall_id, held.starts_at, held.ends_at, replaces=held.id
    )
    parties.check_limits(session, named, wish, now)
    if details.comes is not None:
        held.comes = details.comes
    if details.answers and held.prereview_id is None:
        held.answers, held.papers = situation(item, None, details.answers)
    held.needs, held.language = sorted({*held.needs, *details.needs}), details.language or held.language
    held.hold_until, held.booked_at = None, now
    record.move(session, held, State.BOOKED, actor)
    session.flush()
    parties.write(session, held, named)
    return held
