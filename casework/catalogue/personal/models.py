"""Favourites and what was looked at lately."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class ItemFavourite(Base):
    """An item somebody wants at hand."""

    __tablename__ = "item_favourite"
    __table_args__ = (Index("ix_item_favourite_item_id", "item_id"),)

    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"), primary_key=True)
    item_id: Mapped[str] = mapped_column(ForeignKey("item.item_id"), primary_key=True)
    added_at: Mapped[datetime]


class ItemSeen(Base):
    """When somebody last looked at an item."""

    __tablename__ = "item_seen"
    __table_args__ = (
        Index("ix_item_seen_subject_id_seen_at", "subject_id", "seen_at"),
        Index("ix_item_seen_item_id", "item_id"),
        Index("ix_item_seen_seen_at", "seen_at"),
    )

    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"), primary_key=True)
    item_id: Mapped[str] = mapped_column(ForeignKey("item.item_id"), primary_key=True)
    seen_at: Mapped[datetime]
