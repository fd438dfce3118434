"""Following an old code to what is in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import and_, exists, func, select
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import Session

from casework.catalogue.errors import ItemNotInForce
from casework.catalogue.models import CatalogueItem, ItemRedirect, ItemVersion
from casework.catalogue.redirects.rules import Coming, Successor, Whereabouts
from casework.catalogue.rules import LIVE, GoneKind, Item
from core.errors import NotFound

MAX_STEPS = 50
"""Longer than any chain of a city; what lies behind isn't followed."""


def whereabouts(session: Session, item_id: str, day: date) -> Whereabouts:
    """Where `item_id`, not in force on `day`, went: its redirects followed to items in force, each once, in order.

    Raises `NotFound` for a code that was never given.
    """
    found = gone(session, [item_id], day)
    if not found:
        raise NotFound()
    return found[0].whereabouts


def not_in_force(session: Session, item_id: str, day: date) -> ItemNotInForce:
    """The refusal of `item_id`, not in force on `day`: since or until when, and where it went. Raises `NotFound`."""
    found = whereabouts(session, item_id, day)
    zh, en = found.text("zh"), found.text("en")
    return ItemNotInForce(extra=found.extra, why_zh=f"：{zh}" if zh else "", why_en=f": {en}" if en else "")


@dataclass(frozen=True, slots=True)
class Gone:
    """An item that isn't in force: the last name it had, and where it went. Never published: no name."""

    item_id: str
    name: str
    whereabouts: Whereabouts

    def answer(self, language: str) -> dict[str, object]:
        """As it is answered in a list."""
        where = self.whereabouts
        return {
            "item_id": self.item_id,
            "name": self.name,
            "text": where.text(language) or ItemNotInForce(why_zh="", why_en="").sentence(language),
            "in_force_from": where.starts.isoformat() if where.starts else None,
            "went_to": where.successors,
        }


def gone(session: Session, item_ids: Sequence[str], day: date) -> list[Gone]:
    """Of these items, none in force on `day`: where each went, in this order; codes that were never given are left out.

    At most two queries.
    """
    own = ItemVersion.item_id == CatalogueItem.item_id
    law = and_(own, ItemVersion.state.in_(LIVE))
    names = select(ItemVersion.name).where(law).order_by(ItemVersion.effective_from.desc()).limit(1)
    starts = select(func.min(ItemVersion.effective_from)).where(law, ItemVersion.effective_from > day)
    rows = session.execute(
        select(
            CatalogueItem.item_id,
            CatalogueItem.gone_kind,
            CatalogueItem.gone_reason,
            func.coalesce(names.correlate(CatalogueItem).scalar_subquery(), "").label("name"),
            starts.correlate(CatalogueItem).scalar_subquery().label("starts"),
        ).where(CatalogueItem.item_id.in_(item_ids))
    ).all()
    went = _followed(session, [row.item_id for row in rows if row.gone_kind is not None], day)
    found = {
        row.item_id: Gone(
            row.item_id,
            row.name,
            Whereabouts(
                GoneKind(row.gone_kind) if row.gone_kind else None,
                row.gone_reason,
                tuple(went.get(row.item_id, ())),
                row.starts,
            ),
        )
        for row in rows
    }
    return [found[item_id] for item_id in item_ids if item_id in found]


def coming(session: Session, item: Item) -> Coming | None:
    """What is published of the days after `item`, a version in force; no query when it has no end."""
    if item.effective_to is None:
        return None
    again = session.scalar(
        select(ItemVersion.id).where(ItemVersion.item_id == item.item_id, ItemVersion.in_force(item.effective_to))
    )
    return Coming(item.effective_to, None if again else whereabouts(session, item.item_id, item.effective_to))


def _followed(session: Session, item_ids: Sequence[str], day: date) -> dict[str, list[Successor]]:
    if not item_ids:
        return {}
    chain = (
        select(
            ItemRedirect.item_id.label("root"), ItemRedirect.to_item_id, array([ItemRedirect.position]).label("path")
        )
        .where(ItemRedirect.item_id.in_(item_ids))
        .cte("chain", recursive=True)
    )
    lives = exists().where(ItemVersion.item_id == chain.c.to_item_id, ItemVersion.in_force(day))
    chain = chain.union_all(
        select(chain.c.root, ItemRedirect.to_item_id, chain.c.path.op("||")(ItemRedirect.position))
        .join(chain, ItemRedirect.item_id == chain.c.to_item_id)
        .where(func.cardinality(chain.c.path) < MAX_STEPS, ~lives)
    )
    rows = session.execute(
        select(chain.c.root, ItemVersion.item_id, ItemVersion.name)
        .join(chain, chain.c.to_item_id == ItemVersion.item_id)
        .where(ItemVersion.in_force(day))
        .group_by(chain.c.root, ItemVersion.id)
        .order_by(func.min(chain.c.path))
    )
    found: dict[str, list[Successor]] = {}
    for row in rows:
        found.setdefault(row.root, []).append(Successor(row.item_id, row.name))
    return found


def leads_back(session: Session, item_id: str, targets: Sequence[str]) -> bool:
    """Whether one of `targets` leads, over redirects that are written down, to `item_id`."""
    behind = select(ItemRedirect.to_item_id).where(ItemRedirect.item_id.in_(targets)).cte("behind", recursive=True)
    behind = behind.union(select(ItemRedirect.to_item_id).join(behind, ItemRedirect.item_id == behind.c.to_item_id))
    return session.scalar(select(behind.c.to_item_id).where(behind.c.to_item_id == item_id)) is not None
