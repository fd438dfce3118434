"""What an item manager sees: the versions of the own department's items (3.16)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from casework.catalogue.differences import queries as differences
from casework.catalogue.models import CatalogueItem, ItemVersion, ItemVersionEvent
from casework.catalogue.rules import LIVE
from core.actors import Staff
from core.errors import NotFound
from core.web.paging import Page, by_id


def managed(session: Session, actor: Staff, version_id: UUID, *, lock: bool = False) -> ItemVersion:
    """A version of an item of the actor's department. `lock`: its item first, then itself. Raises `NotFound`."""
    query = select(ItemVersion).where(
        ItemVersion.id == version_id, ItemVersion.department_id == (actor.department_id or "")
    )
    found = session.scalars(query).one_or_none()
    if found is not None and lock:
        session.get_one(CatalogueItem, found.item_id, with_for_update=True)
        found = session.scalars(query.with_for_update().execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NotFound()
    return found


def latest(session: Session, item_id: str) -> ItemVersion | None:
    """The last published version of an item by its days: in force or to come."""
    return session.scalars(
        select(ItemVersion)
        .where(ItemVersion.item_id == item_id, ItemVersion.state.in_(LIVE))
        .order_by(ItemVersion.effective_from.desc(), ItemVersion.version.desc())
        .limit(1)
    ).one_or_none()


def last_written(session: Session, item_id: str) -> ItemVersion | None:
    """The newest version of an item, whatever became of it."""
    return session.scalars(
        select(ItemVersion).where(ItemVersion.item_id == item_id).order_by(ItemVersion.version.desc()).limit(1)
    ).one_or_none()


def in_force_on(session: Session, item_id: str, day: date) -> ItemVersion | None:
    """The version in force on `day`."""
    return session.scalars(
        select(ItemVersion).where(ItemVersion.item_id == item_id, ItemVersion.in_force(day))
    ).one_or_none()


def page(session: Session, actor: Staff, args: Mapping[str, Any]) -> Page[ItemVersion]:
    """Versions of the department's items, newest first, narrowed by `state` and `item_id`."""
    query = select(ItemVersion).where(ItemVersion.department_id == (actor.department_id or ""))
    for column, wanted in ((ItemVersion.state, args.get("state")), (ItemVersion.item_id, args.get("item_id"))):
        if wanted is not None:
            query = query.where(column == wanted)
    return by_id(session, query, ItemVersion.id, args)


def is_in_force(version: ItemVersion, day: date) -> bool:
    """Whether a version that was read is in force on `day`."""
    begun = version.state in LIVE and version.effective_from <= day
    return begun and (version.effective_to is None or version.effective_to > day)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a version changes in the one it was compared with (None: there is none)."""

    compared_with: UUID | None
    changes: list[dict[str, Any]]


def compared(
    session: Session, actor: Staff, version_id: UUID, day: date, language: str, *, against: UUID | None = None
) -> Comparison:
    """The version against `against`, another one of the same item.

    Without it: against the one in force on `day`, or, if it is that one itself, against the one it was made from. Raises
    `NotFound`.
    """
    version = managed(session, actor, version_id)
    other = against
    if against is not None and managed(session, actor, against).item_id != version.item_id:
        raise NotFound()
    if against is None:
        current = in_force_on(session, version.item_id, day)
        other = current.id if current is not None and current.id != version.id else version.base_version_id
    if other is None:
        return Comparison(None, [])
    return Comparison(other, differences.between(session, other, version.id).told(language))


def history(session: Session, version_id: UUID) -> list[ItemVersionEvent]:
    """What was done to a version, oldest first."""
    return list(
        session.scalars(
            select(ItemVersionEvent).where(ItemVersionEvent.version_id == version_id).order_by(ItemVersionEvent.id)
        )
    )
