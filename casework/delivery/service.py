"""One function per thing a person, or the carrier, does to a shipment. The session is given; nothing here commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from auth.accounts import queries as accounts
from auth.accounts.events import SubjectsMerged
from casework.acting import service as acting
from casework.cases import queries as cases
from casework.cases.events import CaseEvent, CaseTransferred
from casework.cases.rules import State as CaseState
from casework.catalogue import queries as catalogue
from casework.delivery import queries, rules
from casework.delivery.errors import (
    AlreadyHandedOver,
    AlreadyRequested,
    NotDeliverable,
    SamePersonPacked,
)
from casework.delivery.models import Shipment
from casework.delivery.ports import Placed
from casework.delivery.record import service as record
from casework.delivery.rules import Flag, Incident, State
from casework.delivery.tracking.service import CARRIER
from core import clock, ids, jobs, numbers
from core.actors import Action, Actor, Capacity, Citizen, Staff, System
from core.errors import InvalidInput, StateConflict

_CASES = System("delivery")


def request(
    session: Session, *, actor: Citizen, case_id: UUID, phone: str | None, address: Mapping[str, str]
) -> Shipment:
    """Ask for the result by courier, to oneself (CR-1, CR-3). Allowed from acceptance until the result is handed out.

    `address`: region_code, region, street, detail. `phone` defaults to the verified one. Raises `NotDeliverable`,
    `AddressNotServed`, `AlreadyRequested`, `NotFound`, `InvalidInput` when no phone is known.
    """
    version_id = cases.owned(session, case_id, actor.owner_id).version_id
    acting.require_matter(session, actor=actor, action=Action.COLLECT, version_id=version_id)
    # Locked, so that the parcel starts from the hall that issues, even if another one is chosen just now (S12).
    case = cases.locked(session, case_id)
    _check_phone(actor, phone)
    item = catalogue.item_version(session, case.version_id)
    if not item.deliverable or item.original_return_required or not _may_request(CaseState(case.state)):
        raise NotDeliverable()
    rules.check_address(address["region_code"])
    receiver_phone = phone or accounts.person(session, actor.owner_id).phone
    if not receiver_phone:
        raise InvalidInput(fields={"phone": ["请填写收件人手机号 / the courier needs a phone number"]})
    now = clock.now()
    shipment = Shipment(
        number=numbers.issue(session, numbers.Kind.SHIPMENT, clock.local(now).date()),
        case_id=case.id,
        owner_id=case.owner_id,
        hall_id=case.issue_hall_id,
        item_id=case.item_id,
        matter_name=case.item_name,
        sensitive=case.sensitive,
        state=State.REQUESTED,
        receiver_name=case.applicant_name,
        receiver_phone=receiver_phone,
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
    record.write(session, shipment, None, actor)
    record.tell(session, shipment, "DELIVERY_REQUESTED")
    return shipment


def _check_phone(actor: Citizen, phone: str | None) -> None:
    """An agent's phone never stands for the principal's: the courier's code goes to who receives (DG-2, CR-2)."""
    if phone is not None and actor.acted_by in {Capacity.AGENT, Capacity.FAMILY, Capacity.AGENCY}:
        raise InvalidInput(fields={"phone": ["代办时使用本人预留的手机号 / the receiver's own phone is used"]})


def _may_request(state: CaseState) -> bool:
    return state in {
        CaseState.ACCEPTED, CaseState.UNDER_REVIEW, CaseState.SUSPENDED, CaseState.DECIDED_GRANT, CaseState.CONCLUDED,
        CaseState.ISSUING,
    }  # fmt: skip


def change_address(session: Session, *, actor: Citizen, shipment_id: UUID, address: Mapping[str, str]) -> Shipment:
    """Send it elsewhere, until the courier is asked: an order that got lost may name the old address already.

    After the carrier refused the address, the order is tried again. Raises `AlreadyHandedOver`, `AddressNotServed`.
    """
    queries.seen(session, shipment_id, actor, action=Action.COLLECT)
    shipment = queries.locked(session, shipment_id)
    if State(shipment.state) not in rules.BEFORE_ORDER or shipment.order_asked_at is not None:
        raise AlreadyHandedOver()
    rules.check_address(address["region_code"])
    shipment.region_code, shipment.region = address["region_code"], address["region"]
    shipment.address_street, shipment.address_detail = address["street"], address["detail"]
    record.note_act(session, shipment, actor, "shipment.address")
    if shipment.state == State.CONFIRMED:
        record.unflag(shipment, Flag.ORDER_REFUSED)
        _order_later(session, shipment)
    return shipment


def change_to_pickup(session: Session, *, actor: Citizen, shipment_id: UUID) -> Shipment:
    """Collect at the counter after all, until the parcel is handed over (CR-1); an ordered courier is called off by a job."""
    queries.seen(session, shipment_id, actor, action=Action.COLLECT)
    shipment = queries.locked(session, shipment_id)
    rules.check_changeable(State(shipment.state))
    _cancel(session, shipment, actor)
    return shipment


def on_case_closed(session: Session, event: CaseEvent) -> None:
    """The case was withdrawn or its result collected: a job cancels a delivery that isn't under way."""
    jobs.defer(session, "delivery.end_request", case_id=str(event.case_id))


def on_case_transferred(session: Session, event: CaseTransferred) -> None:
    """The result is made in another hall: a parcel that nobody packed yet starts from there. Raises `StateConflict` else."""
    shipment = session.scalar(
        select(Shipment)
        .where(Shipment.case_id == event.case_id, Shipment.state.in_(rules.BEFORE_HAND_OVER))
        .with_for_update()
    )
    if shipment is None:
        return
    if shipment.state != State.REQUESTED:
        raise StateConflict()
    shipment.hall_id = event.hall_id


def end_request(session: Session, case_id: UUID) -> None:
    """Cancel the delivery of a case that needs none any more, unless the carrier has the parcel."""
    query = select(Shipment.id).where(Shipment.case_id == case_id, Shipment.state.in_(rules.BEFORE_HAND_OVER))
    for shipment_id in session.scalars(query).all():
        shipment = queries.locked(session, shipment_id)
        if shipment.state in rules.BEFORE_HAND_OVER:
            _cancel(session, shipment, _CASES)


def _cancel(session: Session, shipment: Shipment, actor: Actor) -> None:
    record.move(session, shipment, State.CANCELLED, actor)
    if shipment.waybill is not None:
        jobs.defer(session, "delivery.call_off", shipment_id=str(shipment.id))
    elif shipment.order_asked_at is not None:
        # The carrier may have an order whose answer was lost: it is asked for again, and then called off.
        _order_later(session, shipment)


def _order_later(session: Session, shipment: Shipment) -> None:
    jobs.defer(session, "delivery.place_order", lock=f"order:{shipment.id}", shipment_id=str(shipment.id))


def confirm(session: Session, *, actor: Staff, shipment_id: UUID, items: Sequence[Mapping[str, Any]]) -> Shipment:
    """The first clerk packs: name, number and copies of each result (CR-6)."""
    shipment = queries.for_staff(session, shipment_id, actor, lock=True)
    if shipment.state != State.REQUESTED:
        raise StateConflict()
    shipment.pack_list, shipment.packed_by = [dict(item) for item in items], actor.staff_id
    record.note_act(session, shipment, actor, "shipment.packed")
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
    record.move(session, shipment, State.CONFIRMED, actor)
    _order_later(session, shipment)
    return shipment


def begin_order(session: Session, shipment_id: UUID) -> Shipment | None:
    """Note that the carrier is being asked, before it is; None when there is nothing to order.

    A cancelled shipment whose order may have reached the carrier is asked for too, so that it can be called off.
    """
    shipment = queries.locked(session, shipment_id)
    cancelled = shipment.state == State.CANCELLED and shipment.order_asked_at is not None
    if shipment.waybill is not None or not (shipment.state == State.CONFIRMED or cancelled):
        return None
    shipment.order_asked_at = shipment.order_asked_at or clock.now()
    return shipment


def on_ordered(session: Session, shipment_id: UUID, placed: Placed) -> None:
    """The carrier has the order. A shipment that was cancelled meanwhile is called off."""
    shipment = queries.locked(session, shipment_id)
    if shipment.waybill is not None:
        return
    shipment.carrier, shipment.waybill = placed.carrier, placed.waybill
    shipment.carrier_order_id, shipment.carrier_task_id = placed.order_id, placed.task_id
    shipment.ordered_at = shipment.last_report_at = clock.now()
    if shipment.state == State.CANCELLED:
        jobs.defer(session, "delivery.call_off", shipment_id=str(shipment.id))
        return
    record.move(session, shipment, State.ORDERED, CARRIER)
    jobs.defer(session, "delivery.subscribe", shipment_id=str(shipment.id))
    record.tell(session, shipment, "DELIVERY_ORDERED")


def on_order_refused(session: Session, shipment_id: UUID) -> None:
    """The carrier said no, so there is no order: the citizen may choose another address or the counter, a clerk sees the flag."""
    shipment = queries.locked(session, shipment_id)
    shipment.order_asked_at = None
    if shipment.state == State.CONFIRMED:
        record.flag(shipment, Flag.ORDER_REFUSED)
        record.tell(session, shipment, "DELIVERY_PROBLEM", note="快递公司没有接单，请修改地址或改为窗口领取")


def on_call_off_refused(session: Session, shipment_id: UUID) -> None:
    """The carrier won't cancel: a clerk must keep the parcel from the courier who may come."""
    record.flag(queries.locked(session, shipment_id), Flag.CALL_OFF_REFUSED)


def hand_over(session: Session, *, actor: Staff, shipment_id: UUID) -> Shipment:
    """The courier took the parcel from the clerk. If the carrier reported it already, nothing changes."""
    shipment = queries.for_staff(session, shipment_id, actor, lock=True)
    if State(shipment.state) in rules.CARRIED:
        return shipment
    record.move(session, shipment, State.HANDED_OVER, actor)
    record.handed_over(session, shipment)
    return shipment


def record_incident(session: Session, *, actor: Staff, shipment_id: UUID, outcome: Incident, note: str) -> Shipment:
    """A clerk records that the parcel was lost, came to harm, or is back at the counter (CR-9, CR-10); the citizen is told.

    The result can then be collected, or sent again. Raises `NotFound`, `StateConflict` unless the carrier had it.
    """
    shipment = queries.for_staff(session, shipment_id, actor, lock=True)
    to = State(outcome.value)
    record.move(session, shipment, to, actor, note=note)
    record.tell(session, shipment, "DELIVERY_PROBLEM", note=rules.LABELS[to][0])
    return shipment


def move_owner(session: Session, event: SubjectsMerged) -> None:
    """The absorbed subject's shipments are now the kept one's."""
    session.execute(update(Shipment).where(Shipment.owner_id == event.absorbed).values(owner_id=event.kept))


def forget_addresses(session: Session, before: datetime) -> int:
    """P-6: blank phone and address of parcels whose way ended before `before`; returns how many."""
    old = select(Shipment).where(Shipment.ended_at < before, Shipment.address_forgotten.is_(False)).limit(500)
    shipments = session.scalars(old.with_for_update(skip_locked=True)).all()
    for shipment in shipments:
        shipment.receiver_phone = shipment.address_street = shipment.address_detail = ""
        shipment.address_forgotten = True
    return len(shipments)
