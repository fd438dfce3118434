"""What happens to a shipment later. The carrier is called between two transactions, never inside one."""

from __future__ import annotations

import logging
from uuid import UUID

from sqlalchemy import select

from casework.delivery import queries, rules, service
from casework.delivery.models import Shipment
from casework.delivery.ports import CallbackAddress, Courier, CourierOrder, Party, TrackReport
from casework.delivery.rules import State
from casework.delivery.tracking import service as tracking
from casework.places import queries as places
from core import callbacks, clock, jobs, ports, retention
from core.db import transaction
from core.ports import PartnerRefused

log = logging.getLogger("delivery")

SERVICE_LINE = "057412345"
"""What the label gives as the sender's phone: the city's 12345, with its area code."""

_BATCH = 200


@jobs.task("delivery.place_order", queue="partners")
def place_order(shipment_id: str) -> None:
    """Order the courier; the shipment's number is the carrier's key, so a repeat names the same order."""
    with transaction() as session:
        shipment = service.begin_order(session, UUID(shipment_id))
        if shipment is None:
            return
        hall = places.hall(session, shipment.hall_id)
        order = CourierOrder(
            our_number=shipment.number,
            sender=Party(hall.name, SERVICE_LINE, hall.address),
            receiver=Party(
                shipment.receiver_name,
                shipment.receiver_phone,
                shipment.region + shipment.address_street + shipment.address_detail,
            ),
            callback_url=_callback_url(shipment),
            salt=shipment.callback_salt,
        )
    try:
        placed = ports.get(Courier).place_order(order)
    except PartnerRefused as refusal:
        log.warning("the carrier refuses an order", extra={"shipment": shipment_id, "code": refusal.code})
        with transaction() as session:
            service.on_order_refused(session, UUID(shipment_id))
        return
    with transaction() as session:
        service.on_ordered(session, UUID(shipment_id), placed)


@jobs.task("delivery.subscribe", queue="partners")
def subscribe(shipment_id: str) -> None:
    """Ask for the carrier's reports."""
    with transaction() as session:
        shipment = queries.locked(session, UUID(shipment_id))
        wanted = {
            "carrier": shipment.carrier or "",
            "waybill": shipment.waybill or "",
            "phone": shipment.receiver_phone,
            "callback_url": _callback_url(shipment),
            "salt": shipment.callback_salt,
        }
    ports.get(Courier).subscribe(**wanted)


@jobs.task("delivery.call_off", queue="partners")
def call_off(shipment_id: str) -> None:
    """Cancel the order of a shipment that was changed to collection."""
    with transaction() as session:
        shipment = queries.locked(session, UUID(shipment_id))
        order_id, task_id = shipment.carrier_order_id, shipment.carrier_task_id
    if order_id is None or task_id is None:
        return
    try:
        ports.get(Courier).cancel(order_id=order_id, task_id=task_id)
    except PartnerRefused as refusal:
        log.warning("the carrier refuses to cancel", extra={"shipment": shipment_id, "code": refusal.code})
        with transaction() as session:
            service.on_call_off_refused(session, UUID(shipment_id))


@jobs.task("delivery.end_request", queue="bulk")
def end_request(case_id: str) -> None:
    """Cancel the delivery of a case that was withdrawn or whose result was collected."""
    with transaction() as session:
        service.end_request(session, UUID(case_id))


@jobs.task("delivery.apply_callback", queue="partners")
def apply_callback(callback_id: str, shipment_id: str) -> None:
    """Work a stored and verified callback in (CR-16)."""
    with transaction() as session:
        _partner, body = callbacks.get(session, UUID(callback_id))
        salt = queries.salt_of(session, UUID(shipment_id)) or ""
        report = ports.get(Courier).read_callback(body, salt)
        if isinstance(report, TrackReport):
            tracking.apply_track(session, UUID(shipment_id), report)
        elif report is not None:
            tracking.apply_order(session, UUID(shipment_id), report)
        callbacks.finish(session, UUID(callback_id), "DONE")


@jobs.every("23 * * * *", "delivery.pull_quiet")
def pull_quiet() -> None:
    """Ask for every parcel whose carrier has been silent for 24 h (CR-16)."""
    with transaction() as session:
        quiet = select(Shipment.id).where(
            Shipment.waybill.is_not(None),
            Shipment.delivered_at.is_(None),
            Shipment.state.in_(rules.CARRIED | {State.ORDERED}),
            Shipment.last_report_at < clock.now() - rules.POLICY.quiet_after,
        )
        for shipment_id in session.scalars(quiet.limit(_BATCH)):
            jobs.defer(session, "delivery.pull", once=f"pull:{shipment_id}", shipment_id=str(shipment_id))


@jobs.task("delivery.pull", queue="partners")
def pull(shipment_id: str) -> None:
    """Ask the carrier for one parcel's track."""
    with transaction() as session:
        shipment = queries.locked(session, UUID(shipment_id))
        wanted = {
            "carrier": shipment.carrier or "",
            "waybill": shipment.waybill or "",
            "phone": shipment.receiver_phone,
        }
    report = ports.get(Courier).track(**wanted)
    if report is not None:
        with transaction() as session:
            tracking.apply_track(session, UUID(shipment_id), report)


@jobs.every("33 19 * * *", "delivery.forget_addresses")
def forget_addresses() -> None:
    """P-6: addresses are kept 180 days after delivery, or whatever else ended the way."""
    retention.run("delivery_addresses", service.forget_addresses)


def _callback_url(shipment: Shipment) -> str:
    return ports.get(CallbackAddress).of(shipment.id)
