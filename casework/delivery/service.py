"""One function per thing a person, or the carrier, does to a shipment. The session is given; nothing here commits."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from auth.accounts import queries as accounts
from auth.accounts.events import SubjectsMerged
from casework.cases import queries as cases
from casework.cases.rules import State as CaseState
from casework.catalogue import queries as catalogue
from casework.delivery import queries, rules
from casework.delivery.errors import (
    AlreadyHandedOver,
    AlreadyRequested,
    DeliveryCodeWrong,
    NotDeliverable,
    SamePersonPacked,
)
from casework.delivery.events import ShipmentDelivered, ShipmentHandedOver
from casework.delivery.models import Shipment, ShipmentEvent, ShipmentHistory
from casework.delivery.ports import IdentityReport, Placed, TrackReport
from casework.delivery.rules import POLICY, Flag, State
from core import audit, clock, ids, jobs, numbers, security
from core.actors import Actor, Citizen, Partner, Staff
from core.crypto import constant_time_equal
from core.errors import StateConflict
from core.events import publish
from core.limits import Limit, hit
from notifications.messages.service import announce

CARRIER = Partner("kuaidi100")
RESEND = Limit("delivery.resend", 3, 3600)


def request(
    session: Session, *, actor: Citizen, case_id: UUID, phone: str | None, address: Mapping[str, str]
) -> Shipment:
    """Ask for the result by courier, to oneself (CR-1, CR-3). Allowed from acceptance until the result is handed out.

    `address`: region_code, region, street, detail. `phone` defaults to the verified one. Raises `NotDeliverable`,
    `AddressNotServed`, `AlreadyRequested`, `NotFound`.
    """
    case = cases.owned(session, case_id, actor.owner_id)
    item = catalogue.item_version(session, case.version_id)
    if not item.deliverable or item.original_return_required or not _may_request(CaseState(case.state)):
        raise NotDeliverable()
    rules.check_address(address["region_code"])
    person = accounts.person(session, actor.owner_id)
    now = clock.now()
    shipment = Shipment(
        number=numbers.issue(session, numbers.Kind.SHIPMENT, clock.local(now).date()),
        case_id=case.id,
        owner_id=case.owner_id,
        hall_id=case.issue_hall_id,
        matter_name=case.item_name,
        state=State.REQUESTED,
        receiver_name=case.applicant_name,
        receiver_phone=phone or person.phone or "",
        region_code=address["region_code"],
        region=address["region"],
        address_street=address["street"],
        address_detail=address["detail"],
        requested_at=now,
        callback_salt=ids.random_token(128),
        pack_list=[],
        flags=[],
        code_tries=0,
        codes_sent=0,
    )
    try:
        with session.begin_nested():
            session.add(shipment)
    except IntegrityError as clash:
        raise AlreadyRequested() from clash
    _write(session, shipment, None, State.REQUESTED, actor)
    _tell(session, shipment, "DELIVERY_REQUESTED")
    return shipment


def _may_request(state: CaseState) -> bool:
    return state in {
        CaseState.ACCEPTED, CaseState.UNDER_REVIEW, CaseState.SUSPENDED, CaseState.DECIDED_GRANT, CaseState.CONCLUDED,
        CaseState.ISSUING,
    }  # fmt: skip


def change_address(session: Session, *, actor: Citizen, shipment_id: UUID, address: Mapping[str, str]) -> Shipment:
    """Send it elsewhere, until the courier is ordered. Raises `AlreadyHandedOver`, `AddressNotServed`."""
    queries.owned(session, shipment_id, actor.owner_id)
    shipment = queries.locked(session, shipment_id)
    if State(shipment.state) not in {State.REQUESTED, State.CONFIRMED}:
        raise AlreadyHandedOver()
    rules.check_address(address["region_code"])
    shipment.region_code, shipment.region = address["region_code"], address["region"]
    shipment.address_street, shipment.address_detail = address["street"], address["detail"]
    audit.record(session, actor=actor, action="shipment.address", object_type="shipment", object_id=shipment.id)
    return shipment


def change_to_pickup(session: Session, *, actor: Citizen, shipment_id: UUID) -> Shipment:
    """Collect at the counter after all, until the parcel is handed over (CR-1); an ordered courier is called off by a job."""
    queries.owned(session, shipment_id, actor.owner_id)
    shipment = queries.locked(session, shipment_id)
    rules.check_changeable(State(shipment.state))
    ordered = shipment.state == State.ORDERED
    _move(session, shipment, State.CANCELLED, actor)
    if ordered:
        jobs.defer(session, "delivery.call_off", shipment_id=str(shipment.id))
    return shipment


def confirm(session: Session, *, actor: Staff, shipment_id: UUID, items: Sequence[Mapping[str, Any]]) -> Shipment:
    """The first clerk packs: name, number and copies of each result (CR-6)."""
    shipment = queries.for_staff(session, shipment_id, actor, lock=True)
    if shipment.state != State.REQUESTED:
        raise StateConflict()
    shipment.pack_list, shipment.packed_by = [dict(item) for item in items], actor.staff_id
    _record(session, shipment, actor, "shipment.packed")
    return shipment


def seal(session: Session, *, actor: Staff, shipment_id: UUID) -> Shipment:
    """A second clerk checks and seals the pack (CR-6); a job orders the courier. Raises `SamePersonPacked`, `StateConflict`."""
    shipment = queries.for_staff(session, shipment_id, actor, lock=True)
    case = cases.locked(session, shipment.case_id)
    if shipment.packed_by is None or case.state != CaseState.ISSUING:
        raise StateConflict()
    if shipment.packed_by == actor.staff_id:
        raise SamePersonPacked()
    shipment.sealed_by = actor.staff_id
    _move(session, shipment, State.CONFIRMED, actor)
    jobs.defer(session, "delivery.place_order", shipment_id=str(shipment.id))
    return shipment


def on_ordered(session: Session, shipment_id: UUID, placed: Placed) -> None:
    """The carrier has the order. A shipment that was changed to collection meanwhile is called off."""
    shipment = queries.locked(session, shipment_id)
    if shipment.waybill is not None:
        return
    shipment.carrier, shipment.waybill = placed.carrier, placed.waybill
    shipment.carrier_order_id, shipment.carrier_task_id = placed.order_id, placed.task_id
    shipment.ordered_at = shipment.last_report_at = clock.now()
    if shipment.state == State.CANCELLED:
        jobs.defer(session, "delivery.call_off", shipment_id=str(shipment.id))
        return
    _move(session, shipment, State.ORDERED, CARRIER)
    jobs.defer(session, "delivery.subscribe", shipment_id=str(shipment.id))
    _tell(session, shipment, "DELIVERY_ORDERED")


def hand_over(session: Session, *, actor: Staff, shipment_id: UUID) -> Shipment:
    """The courier took the parcel from the clerk. If the carrier reported it already, nothing changes."""
    shipment = queries.for_staff(session, shipment_id, actor, lock=True)
    if State(shipment.state) in rules.CARRIED:
        return shipment
    _move(session, shipment, State.HANDED_OVER, actor)
    _handed_over(session, shipment)
    return shipment


def _handed_over(session: Session, shipment: Shipment) -> None:
    if shipment.handed_over_at is None:
        shipment.handed_over_at = clock.now()
        publish(session, ShipmentHandedOver(shipment.id, shipment.case_id))


def apply_report(session: Session, shipment_id: UUID, report: TrackReport) -> None:
    """Add the carrier's reports to the set and recompute the state (CR-14); check the code the recipient said (CR-7)."""
    shipment = queries.locked(session, shipment_id)
    if shipment.ordered_at is None or report.waybill != shipment.waybill:
        _flag(shipment, Flag.BEFORE_ORDER)
        return
    now = clock.now()
    for found in report.events:
        session.execute(
            insert(ShipmentEvent)
            .values(
                shipment_id=shipment.id,
                at=found.at,
                code=found.code,
                place=found.place,
                place_hash=security.lookup("place", found.place),
                kind=found.kind,
            )
            .on_conflict_do_nothing()
        )
    shipment.last_report_at = now
    if report.identity is not None:
        _hear_identity(shipment, report.identity, now)
    if report.gave_up:
        _flag(shipment, Flag.CARRIER_GAVE_UP)
    track = rules.read_track(
        queries.events(session, shipment.id),
        ordered_at=shipment.ordered_at,
        now=now,
        identity_ok=shipment.identity_ok_at is not None,
    )
    for flag in track.flags:
        _flag(shipment, flag)
    _follow(session, shipment, track)


def _hear_identity(shipment: Shipment, report: IdentityReport, now: datetime) -> None:
    if shipment.identity_ok_at is not None:
        return
    if report.ok and _code_fits(shipment, report.code, now):
        shipment.identity_ok_at = report.at or now
        shipment.code_hash = None  # one use
    else:
        _flag(shipment, Flag.IDENTITY_FAILED)


def _code_fits(shipment: Shipment, code: str, now: datetime) -> bool:
    if shipment.code_hash is None or shipment.code_expires_at is None or now > shipment.code_expires_at:
        return False
    if shipment.code_tries >= POLICY.code_tries:
        return False
    shipment.code_tries += 1
    return constant_time_equal(shipment.code_hash, _code_hash(shipment.id, code))


def _follow(session: Session, shipment: Shipment, track: rules.Track) -> None:
    """Bring the shipment to where its reports say it is."""
    before = State(shipment.state)
    if track.state is None or track.state is before or track.state not in rules.TRANSITIONS[before]:
        return
    if track.state is State.DELIVERED and track.signed_at is not None:
        _deliver(session, shipment, CARRIER, track.signed_at)
        return
    _move(session, shipment, track.state, CARRIER)
    _handed_over(session, shipment)
    if track.state is State.OUT_FOR_DELIVERY:
        _tell(session, shipment, "DELIVERY_OUT")
        if shipment.code_hash is None:
            send_code(session, shipment)
    elif track.state in {
        State.FAILED_ATTEMPT,
        State.HELD_AT_STATION,
        State.RETURNING,
        State.SIGNED_UNVERIFIED,
        State.DAMAGED,
    }:
        _tell(session, shipment, "DELIVERY_PROBLEM", note=rules.LABELS[track.state][0])


def _deliver(session: Session, shipment: Shipment, actor: Actor, at: datetime) -> None:
    """The identity-checked signature is the legal service of the result (CR-11)."""
    shipment.delivered_at = at
    _move(session, shipment, State.DELIVERED, actor)
    _handed_over(session, shipment)
    publish(session, ShipmentDelivered(shipment.id, shipment.case_id, at))
    _tell(session, shipment, "DELIVERY_DELIVERED", when=clock.local(at).strftime("%Y-%m-%d %H:%M"))


def send_code(session: Session, shipment: Shipment) -> None:
    """A new delivery code for the recipient's phone: 6 digits, 7 days, 5 tries (CR-7). Only its keyed hash is kept."""
    code = f"{secrets.randbelow(1_000_000):06d}"
    shipment.code_hash = _code_hash(shipment.id, code)
    shipment.code_expires_at = until = clock.now() + POLICY.code_lifetime
    shipment.code_tries = 0
    shipment.codes_sent += 1
    _tell(session, shipment, "DELIVERY_CODE", code=code, when=clock.local(until).strftime("%Y-%m-%d"))


def resend_code(session: Session, *, actor: Citizen, shipment_id: UUID) -> Shipment:
    """Send a new code; the former one ends. Raises `StateConflict` before the parcel is out, `RateLimited`."""
    hit(RESEND, str(shipment_id))
    queries.owned(session, shipment_id, actor.owner_id)
    shipment = queries.locked(session, shipment_id)
    if State(shipment.state) not in {
        State.OUT_FOR_DELIVERY,
        State.FAILED_ATTEMPT,
        State.HELD_AT_STATION,
        State.SIGNED_UNVERIFIED,
    }:
        raise StateConflict()
    send_code(session, shipment)
    _record(session, shipment, actor, "shipment.code_resent")
    return shipment


def verify_identity(session: Session, *, actor: Staff, shipment_id: UUID, code: str, note: str) -> Shipment:
    """A clerk follows an unverified signature up (CR-7): the recipient, on the phone, says the code and how the parcel came.

    Raises `DeliveryCodeWrong`; a wrong try counts.
    """
    shipment = queries.for_staff(session, shipment_id, actor, lock=True)
    rules.check_move(State(shipment.state), State.DELIVERED)
    now = clock.now()
    track = rules.read_track(
        queries.events(session, shipment.id), ordered_at=shipment.ordered_at or now, now=now, identity_ok=True
    )
    if track.state is not State.DELIVERED or track.signed_at is None:
        raise StateConflict()
    if not _code_fits(shipment, code, now):
        raise DeliveryCodeWrong()
    shipment.identity_ok_at, shipment.code_hash = now, None
    audit.record(
        session,
        actor=actor,
        action="shipment.identity_verified",
        object_type="shipment",
        object_id=shipment.id,
        note=note,
    )
    _deliver(session, shipment, actor, track.signed_at)
    return shipment


def move_owner(session: Session, event: SubjectsMerged) -> None:
    """The absorbed subject's shipments are now the kept one's."""
    session.execute(update(Shipment).where(Shipment.owner_id == event.absorbed).values(owner_id=event.kept))


def forget_addresses(session: Session, before: datetime) -> int:
    """P-6: blank the address of parcels delivered before `before`; returns how many."""
    old = select(Shipment).where(Shipment.delivered_at < before, Shipment.address_forgotten.is_(False)).limit(500)
    shipments = session.scalars(old.with_for_update(skip_locked=True)).all()
    for shipment in shipments:
        shipment.receiver_phone = shipment.address_street = shipment.address_detail = ""
        shipment.address_forgotten = True
    return len(shipments)


def _code_hash(shipment_id: UUID, code: str) -> bytes:
    return security.lookup("delivery_code", f"{shipment_id}:{code}")


def _flag(shipment: Shipment, flag: Flag) -> None:
    if flag not in shipment.flags:
        shipment.flags = [*shipment.flags, flag.value]


def _move(session: Session, shipment: Shipment, to: State, actor: Actor) -> None:
    before = State(shipment.state)
    rules.check_move(before, to)
    shipment.state = to
    _write(session, shipment, before, to, actor)


def _write(session: Session, shipment: Shipment, before: State | None, after: State, actor: Actor) -> None:
    session.add(
        ShipmentHistory(
            shipment_id=shipment.id, from_state=before, to_state=after, at=clock.now(), actor=actor.audit_id, note=""
        )
    )
    _record(session, shipment, actor, f"shipment.{after.lower()}")


def _record(session: Session, shipment: Shipment, actor: Actor, action: str) -> None:
    audit.record(
        session,
        actor=actor,
        action=action,
        object_type="shipment",
        object_id=shipment.id,
        after={"state": shipment.state, "waybill": shipment.waybill},
    )


def _tell(session: Session, shipment: Shipment, template: str, **fields: str) -> None:
    """One message per event; a code or a state that comes again (a second attempt) is a new event."""
    session.flush()
    moves = len(session.scalars(select(ShipmentHistory.id).where(ShipmentHistory.shipment_id == shipment.id)).all())
    announce(
        session,
        to=shipment.owner_id,
        template=template,
        event_id=f"shipment:{shipment.id}:{template}:{moves}:{shipment.codes_sent}",
        fields={"matter": shipment.matter_name, "number": shipment.waybill or shipment.number, **fields},
        matter_type="shipment",
        matter_id=shipment.id,
    )
