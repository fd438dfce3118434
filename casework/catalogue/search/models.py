"""Tables of the search: one row for each version that is or will be in force, and how common each term is."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class ItemSearch(Base):
    """What a version is found, narrowed and shown by. `entry_zh`, `entry_en`: its line of the list, as JSON.

    `terms` lies outside the row (migration 0017): what is compared fits into few pages. `stamp` is a random number, new at
    each writing: all that is read under it but `uses` never changes.
    """

    __tablename__ = "item_search"
    __table_args__ = (
        Index("ix_item_search_terms", "terms", postgresql_using="gin"),
        Index("ix_item_search_item_id", "item_id"),
        Index("ix_item_search_listing", text("(hot IS FALSE)"), "item_id"),
        Index("ix_item_search_uses", text("uses DESC"), text("(hot IS FALSE)"), "item_id"),
    )

    version_id: Mapped[UUID] = mapped_column(ForeignKey("item_version.id"), primary_key=True)
    stamp: Mapped[int] = mapped_column(
        BigInteger, unique=True, server_default=text("floor(random() * 9007199254740991)")
    )
    item_id: Mapped[str] = mapped_column(ForeignKey("item.item_id"))
    effective_from: Mapped[date]
    effective_to: Mapped[date | None]
    zone_code: Mapped[str] = mapped_column(Text)
    department_id: Mapped[str] = mapped_column(Text)
    region_code: Mapped[str] = mapped_column(Text)
    service_objects: Mapped[list[str]] = mapped_column(ARRAY(Text))
    online_depth: Mapped[str] = mapped_column(Text)
    bookable: Mapped[bool]
    deliverable: Mapped[bool]
    hot: Mapped[bool]
    is_sample: Mapped[bool]
    uses: Mapped[int] = mapped_column(server_default="0")
    title: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    head: Mapped[int]
    also: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    said: Mapped[str] = mapped_column(Text)
    initials: Mapped[str] = mapped_column(Text)
    terms: Mapped[list[str]] = mapped_column(ARRAY(Text(collation="C")))
    entry_zh: Mapped[str] = mapped_column(Text)
    entry_en: Mapped[str] = mapped_column(Text)


class ItemSearchTerm(Base):
    """In how many rows a term occurs; the empty term counts the rows."""

    __tablename__ = "item_search_term"

    term: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    items: Mapped[int]


class ItemUse(Base):
    """How many people used an item lately."""

    __tablename__ = "item_use"
    __table_args__ = (CheckConstraint("people > 0", name="somebody_did"),)

    item_id: Mapped[str] = mapped_column(ForeignKey("item.item_id"), primary_key=True)
    people: Mapped[int]
