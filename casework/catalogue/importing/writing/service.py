"""Publishing or drafting contents. The caller has checked them."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from operator import itemgetter
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Text, any_, delete, func, insert, literal, or_, select, text, update
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from casework.catalogue.drafts.service import ROWS, note
from casework.catalogue.errors import ImportRunning
from casework.catalogue.events import ItemVersionsPublished, Publication
from casework.catalogue.importing.rules import Content
from casework.catalogue.models import CatalogueItem, ItemRedirect, ItemVersion
from casework.catalogue.rules import LIVE, VersionState
from core import clock, events, ids
from core.actors import Staff
from core.copying import copy
from core.db import Base

RECORD_BEGINS = date(2017, 1, 1)
"""An item's first version counts as in force since then: what was true before it was recorded isn't known [D]."""
_AT_ONCE = 1_000
_LOCK = "catalogue.import"

Progress = Callable[[str, int, int], None]
"""Told the step (`read`, `check`, `write`, `index`), how many items are done, and of how many."""


def silent(step: str, done: int, total: int) -> None:
    """No progress is shown."""


@dataclass(frozen=True, slots=True)
class Change:
    """A content to write, with the digest of what the file said."""

    content: Content
    digest: bytes


def digest(content: Content) -> bytes:
    """By which the same content is known again."""
    whole = [content.row, content.questions, content.materials, content.fee_lines]
    if content.others:
        whole.append(content.others)
    return hashlib.sha256(orjson.dumps(whole, option=orjson.OPT_SORT_KEYS)).digest()


def lock(session: Session) -> None:
    """Keep other imports out until the transaction ends. Raises `ImportRunning`."""
    taken = session.scalar(text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": _LOCK})
    if not taken:
        raise ImportRunning()


def _any(codes: Sequence[str]) -> Any:
    """Any of many codes, as one value: a city's catalogue has more than a statement takes values."""
    return any_(literal(list(codes), ARRAY(Text)))


def enter(session: Session, contents: Sequence[Content]) -> set[str]:
    """Give the codes that are new, and lock the items; returns those that had a version or a draft before."""
    now = clock.now()
    codes = sorted({content.item_id for content in contents})
    if codes:
        session.execute(
            pg.insert(CatalogueItem)
            .from_select(
                ["item_id", "created_at", "updated_at"],
                select(func.unnest(literal(codes, ARRAY(Text))), literal(now), literal(now)),
            )
            .on_conflict_do_nothing()
        )
    # Item managers and imports take the same locks, in key order.
    session.execute(
        select(CatalogueItem.item_id)
        .where(CatalogueItem.item_id == _any(codes))
        .order_by(CatalogueItem.item_id)
        .with_for_update()
    )
    return set(session.scalars(select(ItemVersion.item_id).where(ItemVersion.item_id == _any(codes)).distinct()))


def publish(session: Session, changes: Sequence[Change], begun: set[str], today: date, progress: Progress) -> int:
    """Make contents law: new items since `RECORD_BEGINS`, others from `today`. `begun`: see `enter`."""
    published: list[Publication] = []
    for at in range(0, len(changes), _AT_ONCE):
        published += _publish(session, changes[at : at + _AT_ONCE], begun, today)
        progress("write", len(published), len(changes))
    if published:
        progress("index", 0, len(published))
        events.publish(session, ItemVersionsPublished(tuple(published)))
        progress("index", len(published), len(published))
    return len(published)


def _publish(session: Session, changes: Sequence[Change], begun: set[str], today: date) -> list[Publication]:
    """Publish versions of many items; those in force end the day before, and the new ones when the next to come begin."""
    old = [change.content.item_id for change in changes if change.content.item_id in begun]
    last, replaced, coming = _before(session, old, today) if old else ({}, {}, {})
    some = [(ids.uuid7(), change.content.item_id in begun, change) for change in changes]
    versions = [
        {
            "id": version_id,
            "item_id": change.content.item_id,
            "version": last.get(change.content.item_id, 0) + 1,
            "state": VersionState.DRAFT,
            "effective_from": today if known else RECORD_BEGINS,
            "effective_to": coming.get(change.content.item_id),
            "digest": change.digest,
            "base_version_id": replaced.get(change.content.item_id),
            **change.content.row,
        }
        for version_id, known, change in some
    ]
    _insert(session, ItemVersion, versions)
    _write_parts(session, [(version_id, change.content) for version_id, _, change in some])
    session.execute(
        update(ItemVersion)
        .where(ItemVersion.id.in_([version_id for version_id, _, _ in some]))
        .values(state=VersionState.PUBLISHED),
        execution_options={"synchronize_session": False},
    )
    if old:
        session.execute(delete(ItemRedirect).where(ItemRedirect.item_id == _any(old)))
        session.execute(
            update(CatalogueItem)
            .where(CatalogueItem.item_id == _any(old))
            .values(gone_kind=None, gone_reason="", updated_at=clock.now()),
            execution_options={"synchronize_session": False},
        )
    return [
        Publication(change.content.item_id, version_id, replaced.get(change.content.item_id), today)
        if known
        else Publication(change.content.item_id, version_id, None, RECORD_BEGINS)
        for version_id, known, change in some
    ]


def _before(
    session: Session, items: Sequence[str], today: date
) -> tuple[dict[str, int], dict[str, UUID], dict[str, date]]:
    """By item: the last version's number, the version in force, which is ended, and when the next to come begins."""
    mine = ItemVersion.item_id == _any(items)
    numbers = (
        select(ItemVersion.item_id, func.max(ItemVersion.version).label("version"))
        .where(mine)
        .group_by(ItemVersion.item_id)
    )
    ended = (
        update(ItemVersion)
        .where(
            mine,
            ItemVersion.state.in_(LIVE),
            ItemVersion.effective_from <= today,
            or_(ItemVersion.effective_to.is_(None), ItemVersion.effective_to > today),
        )
        .values(effective_to=today)
        .returning(ItemVersion.item_id, ItemVersion.id)
        .execution_options(synchronize_session=False)
    )
    starts = (
        select(ItemVersion.item_id, func.min(ItemVersion.effective_from).label("start"))
        .where(mine, ItemVersion.state.in_(LIVE), ItemVersion.effective_from > today)
        .group_by(ItemVersion.item_id)
    )
    last = {row.item_id: row.version for row in session.execute(numbers)}
    replaced = {row.item_id: row.id for row in session.execute(ended)}
    return last, replaced, {row.item_id: row.start for row in session.execute(starts)}


def _write_parts(session: Session, versions: Sequence[tuple[UUID, Content]]) -> None:
    for name, model in ROWS.items():
        rows = [
            row | {"version_id": version_id}
            for version_id, content in versions
            for row in (content.others[name] if name in content.others else getattr(content, name, ()))
        ]
        _insert(session, model, rows)


def _insert(session: Session, model: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, those with the same columns at once."""
    by_columns: dict[frozenset[str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        by_columns[frozenset(row)].append(row)
    for names, some in by_columns.items():
        columns = sorted(names)
        copy(session, Base.metadata.tables[model.__tablename__], columns, map(itemgetter(*columns), some))


def draft(session: Session, *, actor: Staff, change: Change, base: UUID | None, today: date) -> None:
    """A draft of the actor's with this content, made from the version `base`; review and a second person follow."""
    version_id = ids.uuid7()
    last = session.scalar(select(func.max(ItemVersion.version)).where(ItemVersion.item_id == change.content.item_id))
    session.execute(
        insert(ItemVersion).values(
            id=version_id,
            item_id=change.content.item_id,
            version=(last or 0) + 1,
            state=VersionState.DRAFT,
            effective_from=today,
            digest=change.digest,
            authors=[actor.staff_id],
            base_version_id=base,
            **change.content.row,
        )
    )
    _write_parts(session, [(version_id, change.content)])
    note(session, session.get_one(ItemVersion, version_id), actor, "draft.import", detail=change.content.item_id)


def open_drafts(session: Session) -> set[str]:
    """The items that have an open draft of an item manager."""
    query = select(ItemVersion.item_id).where(
        ItemVersion.state.in_((VersionState.DRAFT, VersionState.IN_REVIEW)),
        func.cardinality(ItemVersion.authors) > 0,
    )
    return set(session.scalars(query))


def latest_digests(session: Session) -> dict[str, bytes]:
    """By item, the digest of its last published version."""
    query = (
        select(ItemVersion.item_id, ItemVersion.digest)
        .ext(pg.distinct_on(ItemVersion.item_id))
        .where(ItemVersion.state.in_(LIVE))
        .order_by(ItemVersion.item_id, ItemVersion.version.desc())
    )
    return {row.item_id: row.digest for row in session.execute(query)}
