"""Reading one's own favourites, and what one looked at lately."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from casework.catalogue.personal.models import ItemFavourite, ItemSeen
from core import clock

LATELY = 20
"""How many of the items looked at lately are shown."""


def favourites(session: Session, subject_id: UUID) -> list[str]:
    """The codes of the person's favourites, the latest first."""
    mine = select(ItemFavourite.item_id).where(ItemFavourite.subject_id == subject_id)
    return list(session.scalars(mine.order_by(ItemFavourite.added_at.desc(), ItemFavourite.item_id)))


def seen_lately(session: Session, subject_id: UUID) -> list[str]:
    """The codes of what the person looked at, the latest first."""
    mine = select(ItemSeen.item_id).where(ItemSeen.subject_id == subject_id)
    return list(session.scalars(mine.order_by(ItemSeen.seen_at.desc(), ItemSeen.item_id).limit(LATELY)))


def people_by_item(session: Session, *, days: int) -> dict[str, int]:
    """How many people looked at each item in the last `days`."""
    rows = session.execute(
        select(ItemSeen.item_id, func.count().label("people"))
        .where(ItemSeen.seen_at >= clock.now() - timedelta(days=days))
        .group_by(ItemSeen.item_id)
    )
    return {row.item_id: row.people for row in rows}


def export(session: Session, subject_id: UUID) -> Mapping[str, Any]:
    """The person's favourites, and what they looked at lately (P-4)."""
    kept = session.execute(
        select(ItemFavourite.item_id, ItemFavourite.added_at).where(ItemFavourite.subject_id == subject_id)
    )
    seen = session.execute(select(ItemSeen.item_id, ItemSeen.seen_at).where(ItemSeen.subject_id == subject_id))
    return {
        "favourites": [{"item": row.item_id, "added_at": row.added_at} for row in kept],
        "seen": [{"item": row.item_id, "at": row.seen_at} for row in seen],
    }
