"""The person's own parcels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.personal_data.ports import OpenMatter
from casework.delivery.models import Shipment
from casework.delivery.rules import ENDED, LABELS, State


def export(session: Session, subject_id: UUID) -> Mapping[str, Any]:
    """Every parcel with the address it went to, while that is kept. A receiver who is somebody else isn't named."""
    rows = session.scalars(select(Shipment).where(Shipment.owner_id == subject_id).order_by(Shipment.id))
    return {
        "deliveries": [
            {
                "number": row.number,
                "matter": row.matter_name,
                "state": row.state,
                "region": row.region,
                "address": row.address_street + row.address_detail,
                "carrier": row.carrier,
                "waybill": row.waybill,
                "requested_at": row.requested_at,
                "delivered_at": row.delivered_at,
            }
            for row in rows
        ]
    }


def open_matters(session: Session, subject_id: UUID) -> Sequence[OpenMatter]:
    """Parcels that are on their way."""
    rows = session.execute(
        select(Shipment.number, Shipment.matter_name, Shipment.state)
        .where(Shipment.owner_id == subject_id, Shipment.state.not_in(ENDED))
        .order_by(Shipment.id)
    )
    return [OpenMatter("DELIVERY", row.number, row.matter_name, LABELS[State(row.state)]) for row in rows]
