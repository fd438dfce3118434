"""Tables of tiles: where each leads, the hosts that plain ones may lead to, and how often they are opened."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, SmallInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from casework.tiles.rules import Kind
from core.db import Base

_KINDS = ", ".join(f"'{kind}'" for kind in Kind)


class TileTarget(Base):
    """Where a tile leads: a plain or bridge `address`, or a client's own for OpenID Connect. Without a row: not connected."""

    __tablename__ = "tile_target"
    __table_args__ = (
        CheckConstraint(f"kind IN ({_KINDS})", name="kind_known"),
        CheckConstraint("min_level BETWEEN 1 AND 3", name="level_known"),
        CheckConstraint("(kind = 'PLAIN') = (client_id IS NULL)", name="client_where_signed_in"),
        CheckConstraint("(kind = 'OIDC') = (address IS NULL)", name="address_unless_the_clients_own"),
        CheckConstraint("open OR (closed_zh <> '' AND closed_en <> '')", name="closed_has_reason"),
    )

    tile_id: Mapped[str] = mapped_column(ForeignKey("app_tile.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    client_id: Mapped[str | None] = mapped_column(Text)
    address: Mapped[str | None] = mapped_column(Text)
    min_level: Mapped[int] = mapped_column(SmallInteger)
    open: Mapped[bool]
    closed_zh: Mapped[str] = mapped_column(Text)
    closed_en: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime]


class TileLaunch(Base):
    """How often a tile was opened on a day, by channel (S38)."""

    __tablename__ = "tile_launch"

    day: Mapped[date] = mapped_column(primary_key=True)
    tile_id: Mapped[str] = mapped_column(ForeignKey("app_tile.id"), primary_key=True)
    channel: Mapped[str] = mapped_column(Text, primary_key=True)
    launches: Mapped[int]


class LinkHost(Base):
    """A host that plain tiles may lead to (ID-8)."""

    __tablename__ = "link_host"

    host: Mapped[str] = mapped_column(Text, primary_key=True)
    note: Mapped[str] = mapped_column(Text)
    added_at: Mapped[datetime]
