"""Reads of measured durations."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from casework.durations import rules
from casework.durations.models import ItemDuration
from casework.durations.rules import ItemMeasured, Measured
from casework.places import queries as places


def measured(session: Session, item_id: str) -> ItemMeasured | None:
    """What was measured of the item last night, in one query; None when no case was decided in the window."""
    rows = session.scalars(select(ItemDuration).where(ItemDuration.item_id == item_id)).all()
    overall = next((row for row in rows if row.hall_id is None), None)
    if overall is None:
        return None
    halls = {row.hall_id: _measured(row) for row in rows if row.hall_id is not None and row.p50 is not None}
    return ItemMeasured(_measured(overall), halls, overall.since)


def _measured(row: ItemDuration) -> Measured:
    return Measured(row.cases, row.p50, row.p90)


def measured_answer(session: Session, item_id: str, language: str) -> dict[str, Any]:
    """It as it is answered; the number of cases only when it is large enough to tell something."""
    found = measured(session, item_id)
    overall = found.overall if found else None
    enough = overall is not None and overall.p50 is not None
    halls = found.halls if found and enough else {}
    names = places.hall_names(session, halls) if halls else {}
    return {
        "unit": "WORKDAY",
        "window_days": rules.POLICY.window_days,
        "enough": enough,
        "p50": overall.p50 if overall else None,
        "p90": overall.p90 if overall else None,
        "cases": overall.cases if overall and enough else None,
        "text": rules.text(overall, language),
        "halls": [
            {"hall_id": str(hall_id), "name": names[hall_id], "p50": one.p50, "p90": one.p90, "cases": one.cases}
            for hall_id, one in sorted(halls.items(), key=lambda one: (one[1].p50 or 0, names[one[0]]))
        ],
    }
