"""Reading a catalogue document and writing what it says."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import delete, func, insert, inspect, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.orm import Session

from casework.catalogue.answers import service as answers
from casework.catalogue.events import ItemVersionsPublished, Publication
from casework.catalogue.importing import rules
from casework.catalogue.importing.ports import DocumentShape
from casework.catalogue.importing.rules import Content, Fault, Policies
from casework.catalogue.linting.rules import sheet_faults
from casework.catalogue.lookups import models as lookups
from casework.catalogue.models import CatalogueItem, ItemFeeLine, ItemMaterial, ItemQuestion, ItemRedirect, ItemVersion
from casework.catalogue.rules import LIVE, VersionState
from casework.catalogue.search import service as search
from core import clock, events, ids
from core.db import Base

RECORD_BEGINS = date(2017, 1, 1)
"""An item's first version counts as in force since then: what was true before it was recorded isn't known [D]."""
_AT_ONCE = 1_000
_PARTS: dict[type[Base], str] = {ItemQuestion: "questions", ItemMaterial: "materials", ItemFeeLine: "fee_lines"}


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Items in the document, how many of them are new or got a new version, and the faults (then nothing was written)."""

    items: int
    changed: int
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Beside:
    """The data files that complete a document: policies, wording of questions."""

    policies: Policies
    wording: Mapping[str, Mapping[str, Mapping[str, str]]]


def import_document(session: Session, document: Mapping[str, Any], beside: Beside, *, today: date) -> ImportReport:
    """Write `document`; changed items get a version that is in force from `today`. Nothing is written if anything is wrong.

    New items are in force since `RECORD_BEGINS`.
    Items that the document doesn't name stay as they are; one that was withdrawn comes back only with a new content.
    """
    wrong = tuple(_flat("", DocumentShape().validate(document))) or tuple(rules.faults(document, beside.policies))
    if wrong:
        return ImportReport(0, 0, wrong)
    make = rules.content_maker(document, beside.policies, beside.wording)
    contents = [make(item) for item in document["items"]]
    wrong = tuple(
        Fault(f"items.{i}.{fault.path}", str(fault))
        for i, content in enumerate(contents)
        for fault in sheet_faults(rules.sheet(content))
    )
    if wrong:
        return ImportReport(0, 0, wrong)
    lists = sum(
        upsert(session, model, [row | {"position": position} for position, row in enumerate(rows, 1)])
        for model, rows in _lists(document["lookups"], beside.policies)
    )
    changed = _write_items(session, contents, today)
    if lists:
        search.reindex(session)
    if lists or changed:
        answers.touch(session)
    return ImportReport(len(contents), changed, ())


def _flat(path: str, messages: Any) -> Iterator[Fault]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _flat(path if key == "_schema" else f"{path}.{key}" if path else str(key), inner)
    else:
        for message in messages:
            yield Fault(path, str(message))


def _lists(data: Mapping[str, Any], policies: Policies) -> Iterator[tuple[type[Base], list[dict[str, Any]]]]:
    by_name = rules.departments(data, policies)
    yield lookups.Zone, [{"code": z["zone_code"], "name": z["name"]} for z in data["zones"]]
    yield (
        lookups.Department,
        [
            {"id": d["dept_id"], "name": d["name_now"], "name_2017": d["name_2017"], "confidence": d["confidence"]}
            for d in data["departments"]
        ],
    )
    yield lookups.Region, [{key: r[key] for key in ("code", "name", "kind")} for r in data["regions"]]
    yield (
        lookups.DevZone,
        [{key: z[key] for key in ("code", "name_2017", "name_now", "confidence", "note")} for z in data["dev_zones"]],
    )
    yield (
        lookups.JointTopic,
        [
            {"key": t["topic_key"], "lead_department_id": by_name[t["lead_authority_2017"]]}
            | {key: t[key] for key in ("name", "participants", "before_days", "after_days")}
            for t in data["joint_topics"]
        ],
    )
    yield lookups.LifeEventPackage, [{"key": p["topic_key"], "name": p["name"]} for p in data["packages"]]
    yield (
        lookups.AppTile,
        [
            {"id": t["tile_id"], "group_name": t["group"], "department_id": by_name[t["authority_2017"]]}
            | {key: t[key] for key in ("name", "link_mode")}
            for t in data["app_tiles"]
        ],
    )
    yield lookups.LicenceType, [{"key": row["licence_key"], "name": row["name"]} for row in data["licences"]]


def upsert(session: Session, model: type[Base], rows: Sequence[dict[str, Any]], *, keep: Sequence[str] = ()) -> int:
    """Insert or update whole rows, leaving the columns `keep` of existing ones alone; returns how many differed."""
    table = inspect(model).local_table
    write = pg.insert(model)
    rest = [column for column in table.c if not column.primary_key and column.name not in keep]
    new = {column.name: write.excluded[column.name] for column in rest}
    statement = write.on_conflict_do_update(
        index_elements=list(table.primary_key),
        set_=new,
        where=tuple_(*rest).is_distinct_from(tuple_(*new.values())),
    ).returning(*table.primary_key)
    return len(session.execute(statement, rows).all())


def _write_items(session: Session, contents: Sequence[Content], today: date) -> int:
    """Give every item whose content differs a new version; returns how many."""
    now = clock.now()
    session.execute(
        pg.insert(CatalogueItem).on_conflict_do_nothing(),
        [{"item_id": content.item_id, "created_at": now, "updated_at": now} for content in contents],
    )
    # One import at a time: the rows are locked in key order.
    session.execute(select(CatalogueItem.item_id).order_by(CatalogueItem.item_id).with_for_update())
    latest = {
        row.item_id: row.digest
        for row in session.execute(
            select(ItemVersion.item_id, ItemVersion.digest)
            .ext(pg.distinct_on(ItemVersion.item_id))
            .where(ItemVersion.state.in_(LIVE))
            .order_by(ItemVersion.item_id, ItemVersion.version.desc())
        )
    }
    begun = set(session.scalars(select(ItemVersion.item_id).distinct()))
    published = _publish_new(session, [content for content in contents if content.item_id not in begun])
    for content in contents:
        if content.item_id in begun and latest.get(content.item_id) != _digest(content):
            published.append(_publish(session, content, today))
    if published:
        events.publish(session, ItemVersionsPublished(tuple(published)))
    return len(published)


def _digest(content: Content) -> bytes:
    whole = [content.row, content.questions, content.materials, content.fee_lines]
    return hashlib.sha256(orjson.dumps(whole, option=orjson.OPT_SORT_KEYS)).digest()


def _publish_new(session: Session, contents: Sequence[Content]) -> list[Publication]:
    """Publish the first versions of items, many at a time: a city's catalogue comes in one document."""
    published: list[Publication] = []
    for at in range(0, len(contents), _AT_ONCE):
        some = [(ids.uuid7(), content) for content in contents[at : at + _AT_ONCE]]
        versions = [
            {
                "id": version_id,
                "item_id": content.item_id,
                "version": 1,
                "state": VersionState.DRAFT,
                "effective_from": RECORD_BEGINS,
                "digest": _digest(content),
                **content.row,
            }
            for version_id, content in some
        ]
        _insert(session, ItemVersion, versions)
        _write_parts(session, some)
        keys = [version_id for version_id, _ in some]
        session.execute(
            update(ItemVersion).where(ItemVersion.id.in_(keys)).values(state=VersionState.PUBLISHED),
            execution_options={"synchronize_session": False},
        )
        published += [Publication(content.item_id, version_id, None, RECORD_BEGINS) for version_id, content in some]
    return published


def _write_parts(session: Session, versions: Sequence[tuple[UUID, Content]]) -> None:
    for model, part in _PARTS.items():
        rows = [row | {"version_id": version_id} for version_id, content in versions for row in getattr(content, part)]
        _insert(session, model, rows)


def _insert(session: Session, model: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, those with the same columns at once."""
    by_columns: dict[frozenset[str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        by_columns[frozenset(row)].append(row)
    for some in by_columns.values():
        session.execute(insert(Base.metadata.tables[model.__tablename__]), some)


def _publish(session: Session, content: Content, today: date) -> Publication:
    """End the version in force the day before `today` and publish `content` from `today` on, until the next to come."""
    version_id = ids.uuid7()
    mine = ItemVersion.item_id == content.item_id
    last = session.scalar(select(func.max(ItemVersion.version)).where(mine))
    replaces = session.scalar(
        update(ItemVersion)
        .where(
            mine,
            ItemVersion.state.in_(LIVE),
            ItemVersion.effective_from <= today,
            or_(ItemVersion.effective_to.is_(None), ItemVersion.effective_to > today),
        )
        .values(effective_to=today)
        .returning(ItemVersion.id)
    )
    coming = select(func.min(ItemVersion.effective_from)).where(
        mine, ItemVersion.state.in_(LIVE), ItemVersion.effective_from > today
    )
    first_day = today if last else RECORD_BEGINS
    session.execute(
        insert(ItemVersion).values(
            id=version_id,
            item_id=content.item_id,
            version=(last or 0) + 1,
            state=VersionState.DRAFT,
            effective_from=first_day,
            effective_to=session.scalar(coming) if last else None,
            digest=_digest(content),
            base_version_id=replaces,
            **content.row,
        )
    )
    _write_parts(session, [(version_id, content)])
    session.execute(update(ItemVersion).where(ItemVersion.id == version_id).values(state=VersionState.PUBLISHED))
    if last:
        session.execute(delete(ItemRedirect).where(ItemRedirect.item_id == content.item_id))
        session.execute(
            update(CatalogueItem)
            .where(CatalogueItem.item_id == content.item_id)
            .values(gone_kind=None, gone_reason="", updated_at=clock.now())
        )
    return Publication(content.item_id, version_id, replaces, first_day)
