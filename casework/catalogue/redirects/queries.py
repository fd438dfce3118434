"""Following an old code to what is in force."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import exists, func, select
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import Session

from casework.catalogue.models import CatalogueItem, ItemRedirect, ItemVersion
from casework.catalogue.redirects.rules import Successor, Whereabouts
from casework.catalogue.rules import GoneKind
from core.errors import NotFound

MAX_STEPS = 50
"""Longer than any chain of a city; what lies behind isn't followed."""


def whereabouts(session: Session, item_id: str, day: date) -> Whereabouts:
    """Where `item_id`, not in force on `day`, went: its redirects followed to items in force, each once, in order.

    Raises `NotFound` for a code that was never given.
    """
    item = session.execute(
        select(CatalogueItem.gone_kind, CatalogueItem.gone_reason).where(CatalogueItem.item_id == item_id)
    ).one_or_none()
    if item is None:
        raise NotFound()
    if item.gone_kind is None:
        return Whereabouts(None, "", ())
    return Whereabouts(GoneKind(item.gone_kind), item.gone_reason, _followed(session, item_id, day))


def _followed(session: Session, item_id: str, day: date) -> tuple[Successor, ...]:
    chain = (
        select(ItemRedirect.to_item_id, array([ItemRedirect.position]).label("path"))
        .where(ItemRedirect.item_id == item_id)
        .cte("chain", recursive=True)
    )
    lives = exists().where(ItemVersion.item_id == chain.c.to_item_id, ItemVersion.in_force(day))
    chain = chain.union_all(
        select(ItemRedirect.to_item_id, chain.c.path.op("||")(ItemRedirect.position))
        .join(chain, ItemRedirect.item_id == chain.c.to_item_id)
        .where(func.cardinality(chain.c.path) < MAX_STEPS, ~lives)
    )
    rows = session.execute(
        select(ItemVersion.item_id, ItemVersion.name)
        .join(chain, chain.c.to_item_id == ItemVersion.item_id)
        .where(ItemVersion.in_force(day))
        .group_by(ItemVersion.id)
        .order_by(func.min(chain.c.path))
    )
    return tuple(Successor(row.item_id, row.name) for row in rows)


def leads_back(session: Session, item_id: str, targets: Sequence[str]) -> bool:
    """Whether one of `targets` leads, over redirects that are written down, to `item_id`."""
    behind = select(ItemRedirect.to_item_id).where(ItemRedirect.item_id.in_(targets)).cte("behind", recursive=True)
    behind = behind.union(select(ItemRedirect.to_item_id).join(behind, ItemRedirect.item_id == behind.c.to_item_id))
    return session.scalar(select(behind.c.to_item_id).where(behind.c.to_item_id == item_id)) is not None
