"""Reads of tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from casework.catalogue.lookups import queries as lookups
from casework.tiles.models import LinkHost, TileLaunch, TileTarget
from casework.tiles.rules import NOT_CONNECTED


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile as the app shows it; `reason` (zh, en) says why a closed one is."""

    id: str
    group: str
    name: str
    department_id: str
    open: bool
    min_level: int
    signs_in: bool
    reason: tuple[str, str] | None


def tiles(session: Session) -> Sequence[Tile]:
    """All tiles in their order; one without a target is not connected yet."""
    targets = {target.tile_id: target for target in session.scalars(select(TileTarget))}
    return [_tile(row, targets.get(row["id"])) for row in lookups.tiles(session)]


def _tile(row: dict[str, Any], target: TileTarget | None) -> Tile:
    if target is None:
        return Tile(row["id"], row["group"], row["name"], row["department_id"], False, 1, False, NOT_CONNECTED)
    reason = None if target.open else (target.closed_zh, target.closed_en)
    signs_in = target.client_id is not None
    return Tile(
        row["id"], row["group"], row["name"], row["department_id"], target.open, target.min_level, signs_in, reason
    )


def target(session: Session, tile_id: str) -> TileTarget | None:
    """Where a tile leads; None while it isn't connected."""
    return session.get(TileTarget, tile_id)


def hosts(session: Session) -> Sequence[LinkHost]:
    """The hosts that plain tiles may lead to."""
    return session.scalars(select(LinkHost).order_by(LinkHost.host)).all()


def launches(session: Session, since: date, until: date) -> Sequence[dict[str, Any]]:
    """How often each tile was opened from `since` to `until`, by channel."""
    rows = session.execute(
        select(TileLaunch.tile_id, TileLaunch.channel, func.sum(TileLaunch.launches).label("launches"))
        .where(TileLaunch.day.between(since, until))
        .group_by(TileLaunch.tile_id, TileLaunch.channel)
        .order_by(TileLaunch.tile_id, TileLaunch.channel)
    )
    return [dict(row._mapping) for row in rows]
