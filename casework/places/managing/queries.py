"""The hall as its manager reads it before changing it."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from casework.places import queries
from casework.places.models import HallException, ServiceHall, ServiceWindow


def desk(session: Session, hall_id: UUID, today: date, language: str) -> dict[str, Any]:
    """Hours, zones with windows, and the exceptions from today on, with the numbers to change them by. Raises `NotFound`."""
    shown = queries.hall_detail(session, hall_id, today, language)
    edits = {
        str(row.id): row.edit
        for row in session.execute(select(ServiceWindow.id, ServiceWindow.edit).where(ServiceWindow.hall_id == hall_id))
    }
    for zone in shown["zones"]:
        for window in zone["windows"]:
            window["edit"] = edits[window["id"]]
    ahead = select(HallException).where(HallException.hall_id == hall_id, HallException.day >= today)
    return {
        "id": shown["id"],
        "name": shown["name"],
        "edit": session.scalar(select(ServiceHall.edit).where(ServiceHall.id == hall_id)),
        "hours": shown["hours"],
        "zones": shown["zones"],
        "exceptions": [
            {
                "day": row.day.isoformat(),
                "periods": [{"opens": opens, "closes": closes} for opens, closes in row.periods],
                "reason": row.reason,
                "reason_en": row.reason_en,
            }
            for row in session.scalars(ahead.order_by(HallException.day))
        ],
    }
