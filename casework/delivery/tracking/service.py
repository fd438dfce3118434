"""What the carrier reports, and what the recipient says at the door or on the phone."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from casework.delivery import queries, rules
from casework.delivery.errors import DeliveryCodeWrong
from casework.delivery.events import ShipmentDelivered
from casework.delivery.models import Shipment, ShipmentEvent
from casework.delivery.ports import IdentityReport, OrderReport, TrackReport
from casework.delivery.record import service as record
from casework.delivery.rules import POLICY, Event, Flag, Kind, State
from core import audit, clock, ids, security
from core.actors import Action, Actor, Citizen, Partner, Staff
from core.crypto import constant_time_equal
from core.errors import StateConflict
from core.events import publish
from core.limits import Limit, hit

CARRIER = Partner("kuaidi100")
RESEND = Limit("delivery.resend", 3, 3600)

_CODE_HEARD_IN = frozenset(
    {State.OUT_FOR_DELIVERY, State.FAILED_ATTEMPT, State.HELD_AT_STATION, State.SIGNED_UNVERIFIED}
)
_PROBLEMS = frozenset(
    {State.FAILED_ATTEMPT, State.HELD_AT_STATION, State.RETURNING, State.SIGNED_UNVERIFIED, State.DAMAGED}
)


def apply_track(session: Session, shipment_id: UUID, report: TrackReport) -> None:
    """Add the carrier's reports to the set and recompute the state (CR-14); check the code the recipient said (CR-7)."""
    shipment = queries.locked(session, shipment_id)
    if shipment.ordered_at is None or report.waybill != shipment.waybill:
        record.flag(shipment, Flag.BEFORE_ORDER)
        return
    now = clock.now()
    for found in report.events:
        _add(session, shipment, found, found.place)
    shipment.last_report_at = now
    if report.identity is not None:
        _hear_identity(session, shipment, report.identity, now)
    if report.gave_up:
        record.flag(shipment, Flag.CARRIER_GAVE_UP)
    track = rules.read_track(
        queries.events(session, shipment.id),
        ordered_at=shipment.ordered_at,
        now=now,
        identity_ok=shipment.identity_ok_at is not None,
    )
    for flag in track.flags:
        record.flag(shipment, flag)
    _follow(session, shipment, track)


def apply_order(session: Session, shipment_id: UUID, report: OrderReport) -> None:
    """The carrier gave the order up before it had the parcel: a person and the citizen must know."""
    shipment = queries.locked(session, shipment_id)
    if report.failed and shipment.state == State.ORDERED and report.order_id == shipment.carrier_order_id:
        record.flag(shipment, Flag.ORDER_FAILED)
        record.tell(session, shipment, "DELIVERY_PROBLEM", note="快递公司取消了订单")


def _add(session: Session, shipment: Shipment, event: Event, hashed: str) -> bool:
    """Put an event into the set; False if it was there (CR-14). `hashed` tells apart what happened at the same moment."""
    added = session.execute(
        insert(ShipmentEvent)
        .values(
            id=ids.uuid7(),
            shipment_id=shipment.id,
            at=event.at,
            code=event.code,
            place=event.place,
            place_hash=security.lookup("place", hashed),
            kind=event.kind,
        )
        .on_conflict_do_nothing()
        .returning(ShipmentEvent.id)
    )
    return added.first() is not None


def _hear_identity(session: Session, shipment: Shipment, report: IdentityReport, now: datetime) -> None:
    """Judge a check at the door once: the carrier sends it along with every later report (CR-14)."""
    assert shipment.ordered_at is not None  # noqa: S101  # `apply_track` looked
    check = Event(at=report.at or shipment.ordered_at, code=f"check:{report.ok}", place="", kind=Kind.DOOR_CHECK)
    if not _add(session, shipment, check, report.code) or shipment.identity_ok_at is not None:
        return
    if report.ok and _code_fits(shipment, report.code, now):
        shipment.identity_ok_at = now
        shipment.code_hash = None  # one use
    else:
        record.flag(shipment, Flag.IDENTITY_FAILED)


def _code_fits(shipment: Shipment, code: str, now: datetime) -> bool:
    """Whether `code` is the one that was sent, counting the try: five, seven days (CR-7)."""
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
    record.move(session, shipment, track.state, CARRIER)
    record.handed_over(session, shipment)
    if track.state is State.OUT_FOR_DELIVERY:
        record.tell(session, shipment, "DELIVERY_OUT")
        if shipment.code_hash is None and shipment.identity_ok_at is None:
            send_code(session, shipment)
    elif track.state in _PROBLEMS:
        record.tell(session, shipment, "DELIVERY_PROBLEM", note=rules.LABELS[track.state][0])


def _deliver(session: Session, shipment: Shipment, actor: Actor, at: datetime) -> None:
    """The identity-checked signature is the legal service of the result (CR-11)."""
    shipment.delivered_at = at
    record.move(session, shipment, State.DELIVERED, actor)
    record.handed_over(session, shipment)
    publish(session, ShipmentDelivered(shipment.id, shipment.case_id, at))
    record.tell(session, shipment, "DELIVERY_DELIVERED", when=clock.local(at).strftime("%Y-%m-%d %H:%M"))


def send_code(session: Session, shipment: Shipment) -> None:
    """A new delivery code for the recipient's phone: 6 digits, 7 days, 5 tries (CR-7). Only its keyed hash is kept."""
    code = f"{secrets.randbelow(1_000_000):06d}"
    shipment.code_hash = _code_hash(shipment.id, code)
    shipment.code_expires_at = until = clock.now() + POLICY.code_lifetime
    shipment.code_tries = 0
    shipment.codes_sent += 1
    record.tell(session, shipment, "DELIVERY_CODE", code=code, when=clock.local(until).strftime("%Y-%m-%d"))


def resend_code(session: Session, *, actor: Citizen, shipment_id: UUID) -> Shipment:
    """Send a new code; the former one ends. Raises `NotFound`, `RateLimited`, `StateConflict` before the parcel is out."""
    queries.seen(session, shipment_id, actor, action=Action.COLLECT)
    hit(RESEND, str(shipment_id))
    shipment = queries.locked(session, shipment_id)
    if State(shipment.state) not in _CODE_HEARD_IN:
        raise StateConflict()
    send_code(session, shipment)
    record.note_act(session, shipment, actor, "shipment.code_resent")
    return shipment


@dataclass(frozen=True, slots=True)
class Verification:
    """What became of a clerk's check. A wrong code is a counted try, so it is refused only after the commit."""

    shipment: Shipment
    right: bool

    def insist(self) -> Shipment:
        """The shipment; raises `DeliveryCodeWrong` for a wrong code. To be called outside the transaction."""
        if not self.right:
            raise DeliveryCodeWrong()
        return self.shipment


def verify_identity(session: Session, *, actor: Staff, shipment_id: UUID, code: str, note: str) -> Verification:
    """A clerk follows an unverified signature up (CR-7): the recipient, on the phone, says the code and how the parcel came.

    Raises `StateConflict` unless it was signed for. Whether the code was right is in the answer.
    """
    shipment = queries.for_staff(session, shipment_id, actor, lock=True)
    if shipment.state != State.SIGNED_UNVERIFIED:
        raise StateConflict()
    now = clock.now()
    track = rules.read_track(
        queries.events(session, shipment.id), ordered_at=shipment.ordered_at or now, now=now, identity_ok=True
    )
    if track.state is not State.DELIVERED or track.signed_at is None:
        raise StateConflict()
    right = _code_fits(shipment, code, now)
    audit.record(
        session,
        actor=actor,
        action="shipment.identity_verified",
        object_type=record.MATTER,
        object_id=shipment.id,
        result="ok" if right else "wrong_code",
        note=note,
    )
    if right:
        shipment.identity_ok_at, shipment.code_hash = now, None
        _deliver(session, shipment, actor, track.signed_at)
    return Verification(shipment, right)


def _code_hash(shipment_id: UUID, code: str) -> bytes:
    return security.lookup("delivery_code", f"{shipment_id}:{code}")
