"""What citizens, agents and the hotline do with a booking. The acts of halls and of the clock are in `visit`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from auth.accounts import queries as account_queries
from auth.accounts import service as accounts
from auth.accounts.events import SubjectsMerged
from casework.acting import service as acting
from casework.appointments import queries, rules
from casework.appointments.drafts import service as drafts
from casework.appointments.drafts.service import Details
from casework.appointments.events import AppointmentBooked, AppointmentCancelled
from casework.appointments.holds import service as holds
from casework.appointments.models import Appointment, AppointmentParty
from casework.appointments.record import service as record
from casework.appointments.rules import Closing, State
from casework.appointments.taking import service as taking
from casework.appointments.taking.service import Ready, lock_persons
from casework.appointments.visit import service as visit
from casework.slots import queries as slots
from core import clock, security
from core.actors import Action, Citizen, Staff, System
from core.errors import InvalidInput, NotFound
from core.events import publish
from core.identifiers import DocumentNumber
from core.ids import parse_numbered
from core.numbers import Kind

MATTER = record.MATTER

_MERGE = System("subject-merge")
_QR = "NBYY"
_HEX = re.compile(r"[0-9a-f]{32}")


def hold(
    session: Session, *, actor: Citizen, slot_id: UUID, item_id: str, prereview_id: UUID | None, details: Details
) -> Appointment:
    """Keep a place for five minutes while the form is filled (AP-10); an earlier hold of the same person gives way.

    Raises what `book` raises.
    """
    draft = drafts.make(
        session,
        actor=actor,
        owner_id=actor.owner_id,
        acting_id=actor.subject_id,
        slot_id=slot_id,
        item_id=item_id,
        prereview_id=prereview_id,
        details=details,
    )
    return taking.take(session, taking.prepare(session, actor=actor, draft=draft, state=State.HELD))


def book(
    session: Session,
    *,
    actor: Citizen | Staff,
    owner_id: UUID,
    acting_id: UUID,
    slot_id: UUID,
    item_id: str,
    prereview_id: UUID | None,
    details: Details,
) -> Appointment:
    """Take a place (AP-7 … AP-12). Staff of the hotline book for somebody who called, from the reserve too (AP-6).

    Raises `ItemNotInForce`, `BookingNotOffered`, `AuthLevelTooLow`, `InvalidInput`, `NotFound` (slot or pre-review),
    `SlotNotReleased`, `SlotFull`, `BookingLimit`, `BookingBlocked`, `StateConflict` (the pre-review).
    """
    draft = drafts.make(
        session,
        actor=actor,
        owner_id=owner_id,
        acting_id=acting_id,
        slot_id=slot_id,
        item_id=item_id,
        prereview_id=prereview_id,
        details=details,
    )
    return _book(session, taking.prepare(session, actor=actor, draft=draft, state=State.BOOKED))


def book_own(
    session: Session, *, actor: Citizen, slot_id: UUID, item_id: str, prereview_id: UUID | None, details: Details
) -> Appointment:
    """`book` for the caller, or for whom the caller acts."""
    return book(
        session,
        actor=actor,
        owner_id=actor.owner_id,
        acting_id=actor.subject_id,
        slot_id=slot_id,
        item_id=item_id,
        prereview_id=prereview_id,
        details=details,
    )


def confirm(session: Session, *, actor: Citizen, hold_id: UUID, details: Details) -> Appointment:
    """Turn the caller's hold into a booking with what the form asked (AP-10, AP-11).

    Raises `HoldExpired` (also for a hold that was never the caller's), `InvalidInput`, `BookingLimit` (another party's).
    """
    appointment = taking.confirm(session, actor=actor, hold_id=hold_id, details=details)
    _require(session, actor, appointment)
    _tell_booked(session, appointment)
    _publish_booked(session, appointment)
    return appointment


def change(session: Session, *, actor: Citizen, appointment_id: UUID, slot_id: UUID) -> Appointment:
    """Move a booking to another slot in one action: the new place first, or nothing changes (AP-13). Gives the new booking.

    Raises `NotFound`, `StateConflict`, `CancelTooLate`, `InvalidInput` (the same slot), and what `book` raises.
    """
    taking.lock_all_of(session, queries.owned(session, appointment_id, actor.owner_id))
    old = queries.owned(session, appointment_id, actor.owner_id, lock=True)
    _require(session, actor, old)
    rules.check_move(State(old.state), State.CANCELLED)
    if old.slot_id == slot_id:
        raise InvalidInput(fields={"slot_id": ["已在该时段 / this is the slot it has now"]})
    draft = drafts.make(
        session,
        actor=actor,
        owner_id=old.owner_id,
        acting_id=old.acting_id,
        slot_id=slot_id,
        item_id=old.item_id,
        prereview_id=old.prereview_id,
        details=drafts.details_of(old),
        replaces=old,
    )
    new = _book(session, taking.prepare(session, actor=actor, draft=draft, state=State.BOOKED, gives_way=old))
    old.replaced_by_id = new.id
    session.flush()
    publish(session, AppointmentCancelled(old.id, old.owner_id, old.state))
    return new


def cancel(session: Session, *, actor: Citizen, appointment_id: UUID) -> Appointment:
    """Give a booking up: free until two hours before, half a no-show after (AP-14).

    Raises `NotFound`, `StateConflict` (it is over, or checked in), `CancelTooLate` (the slot has begun).
    """
    lock_persons(session, actor.owner_id)
    appointment = queries.owned(session, appointment_id, actor.owner_id, lock=True)
    _require(session, actor, appointment)
    return _cancel(session, actor, appointment)


def book_by_phone(
    session: Session,
    *,
    actor: Staff,
    name: str,
    document: DocumentNumber,
    phone: str | None,
    slot_id: UUID,
    item_id: str,
    details: Details,
) -> Appointment:
    """The hotline books for somebody who called; no account is needed (AP-6, AP-20).

    Raises as `book`, and as `accounts.open_for_walk_in`.
    """
    owner_id = accounts.open_for_walk_in(session, actor=actor, name=name, document=document, phone=phone)
    return book(
        session,
        actor=actor,
        owner_id=owner_id,
        acting_id=owner_id,
        slot_id=slot_id,
        item_id=item_id,
        prereview_id=None,
        details=details,
    )


def cancel_by_phone(session: Session, *, actor: Staff, number: str, document: DocumentNumber) -> Appointment:
    """The hotline cancels for the person who called, as `cancel`. Raises `NotFound` unless number and document belong together."""
    owner_id = account_queries.find_by_document(session, document)
    if owner_id is None:
        raise NotFound()
    lock_persons(session, owner_id)
    canonical = parse_numbered(Kind.APPOINTMENT.value, number)
    return _cancel(session, actor, queries.by_number(session, canonical, owner_id))


def _require(session: Session, actor: Citizen, appointment: Appointment) -> None:
    acting.require_matter(
        session,
        actor=actor,
        action=Action.SUBMIT,
        version_id=appointment.version_id,
        hall_id=appointment.hall_id,
    )


def _cancel(session: Session, actor: Citizen | Staff, appointment: Appointment) -> Appointment:
    now = clock.now()
    rules.check_move(State(appointment.state), State.CANCELLED)
    to = rules.cancelled_as(appointment.starts_at, now, slots.policy(session, appointment.hall_id))
    record.close(session, appointment, to, actor, closing=Closing.CITIZEN, now=now)
    publish(session, AppointmentCancelled(appointment.id, appointment.owner_id, to))
    record.tell(session, appointment, "APPOINTMENT_CANCELLED", event="cancelled")
    if to is State.LATE_CANCEL:
        visit.warn(session, appointment, now)
    return appointment


def give_up_hold(session: Session, *, actor: Citizen, hold_id: UUID) -> None:
    """Free the caller's hold at once. Raises `NotFound` for none, a foreign one, and one out of an agent's scope alike."""
    held = queries.owned(session, hold_id, actor.owner_id)
    if held.state != State.HELD:
        raise NotFound()
    _require(session, actor, held)
    holds.give_up(session, owner_id=actor.owner_id, hold_id=hold_id)


def qr_text(appointment: Appointment) -> str:
    """The text of the QR code that checks an appointment in on its day (AP-16); a changed or foreign one doesn't verify."""
    until = clock.day_start(appointment.day + timedelta(days=1))
    return f"{_QR}.{appointment.id.hex}.{security.sign_link(_QR, appointment.id.hex, until)}"


def appointment_of_qr(text: str, now: datetime) -> UUID | None:
    """The appointment of a scanned QR code, or None if the code isn't ours or its day is over."""
    kind, _, rest = text.partition(".")
    key, _, token = rest.partition(".")
    if kind != _QR or _HEX.fullmatch(key) is None or not security.check_link(_QR, key, token, now):
        return None
    return UUID(hex=key)


def _book(session: Session, ready: Ready) -> Appointment:
    """Tell, then take: if the place is gone, nothing was told either."""
    _tell_booked(session, ready.appointment, owner_reads=ready.draft.reads)
    appointment = taking.take(session, ready)
    _publish_booked(session, appointment)
    return appointment


def _tell_booked(session: Session, appointment: Appointment, *, owner_reads: str | None = None) -> None:
    note = rules.papers_text(appointment.papers)
    record.tell(session, appointment, "APPOINTMENT_BOOKED", event="booked", note=note, owner_reads=owner_reads)


def _publish_booked(session: Session, appointment: Appointment) -> None:
    publish(
        session,
        AppointmentBooked(
            appointment.id, appointment.owner_id, appointment.item_id, appointment.hall_id, appointment.starts_at
        ),
    )


def move_owner(session: Session, event: SubjectsMerged) -> None:
    """The absorbed subject's bookings are now the kept one's. Where both have one of the same item, the absorbed one's goes."""
    lock_persons(session, event.kept, event.absorbed)
    now = clock.now()
    both = (event.kept, event.absorbed)
    for hold_id, owner_id in queries.holds_of(session, both):
        holds.give_up(session, owner_id=owner_id, hold_id=hold_id)
    live = queries.live_of(session, both)
    kept_items = {one.item_id for one in live if one.owner_id == event.kept}
    for appointment in live:
        if appointment.owner_id == event.kept or appointment.item_id not in kept_items:
            continue
        if appointment.state == State.BOOKED:
            record.close(session, appointment, State.CANCELLED, _MERGE, closing=Closing.MERGED, now=now)
            record.tell(
                session,
                appointment,
                "APPOINTMENT_CANCELLED",
                event="merged",
                note="您的两个账号已合并，重复的预约取消了。",
            )
        else:
            visit.finish(session, actor=_MERGE, appointment_id=appointment.id, result="MERGED")
    session.flush()
    moved = {"synchronize_session": False}
    for column, values in (
        (Appointment.owner_id, {"owner_id": event.kept}),
        (Appointment.acting_id, {"acting_id": event.kept}),
    ):
        session.execute(update(Appointment).where(column == event.absorbed).values(values), execution_options=moved)
    session.execute(
        update(AppointmentParty).where(AppointmentParty.subject_id == event.absorbed).values(subject_id=event.kept),
        execution_options=moved,
    )
