"""Reading the catalogue as records, many at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Text, any_, literal, select
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from casework.catalogue import queries as catalogue
from casework.catalogue.differences.rules import snapshot
from casework.catalogue.elements.queries import elements_of
from casework.catalogue.importing.records.rules import FIELDS, Known, Record
from casework.catalogue.lookups.models import Department, JointTopic, LicenceType, LifeEventPackage, Zone
from casework.catalogue.models import CatalogueItem, ItemVersion
from casework.catalogue.rules import LIVE

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Current:
    """The version that an import compares with: the one in force, or the last that was or will be."""

    item_id: str
    version_id: UUID
    task_code: str
    handle_item_code: str
    department_id: str
    authority: str
    in_force: bool
    gone: bool


def current(session: Session, day: date) -> dict[str, Current]:
    """By item, for every item that has a version."""
    alive = ItemVersion.in_force(day)
    query = (
        select(
            ItemVersion.item_id,
            ItemVersion.id,
            ItemVersion.task_code,
            ItemVersion.handle_item_code,
            ItemVersion.department_id,
            ItemVersion.authority,
            alive.label("alive"),
            CatalogueItem.gone_kind.is_not(None).label("gone"),
        )
        .join(CatalogueItem, CatalogueItem.item_id == ItemVersion.item_id)
        .ext(pg.distinct_on(ItemVersion.item_id))
        .where(ItemVersion.state.in_(LIVE))
        .order_by(ItemVersion.item_id, alive.desc(), ItemVersion.version.desc())
    )
    return {row.item_id: Current(*row) for row in session.execute(query)}


def records(session: Session, version_ids: Sequence[UUID]) -> Iterator[tuple[str, Record]]:
    """Item and record of each of these versions, a few hundred in memory at a time."""
    for at in range(0, len(version_ids), AT_ONCE):
        some = version_ids[at : at + AT_ONCE]
        beside = {
            row.id: {"authority_2017": row.authority_2017, "seed_fact": row.seed_fact, "source": row.source,
                     "confidence": row.confidence}
            for row in session.execute(
                select(
                    ItemVersion.id,
                    ItemVersion.authority_2017,
                    ItemVersion.seed_fact,
                    ItemVersion.source,
                    ItemVersion.confidence,
                ).where(ItemVersion.id.in_(some))
            )
        }  # fmt: skip
        said = elements_of(session, some)
        for item in catalogue.item_versions(session, some):
            whole = snapshot(item, said[item.version_id]) | beside[item.version_id]
            yield item.item_id, {name: whole[name] for name in FIELDS}


def known(session: Session, item_ids: Iterable[str]) -> Known:
    """What records may refer to; `item_ids`: the items there will be."""

    def keys(*columns: object) -> frozenset[str]:
        return frozenset(key for column in columns for key in session.scalars(select(column)))  # type: ignore[call-overload]

    return Known(
        keys(Zone.code),
        keys(Department.id),
        keys(JointTopic.key, LifeEventPackage.key),
        keys(LicenceType.key),
        frozenset(item_ids),
    )


def known_items(session: Session, item_ids: Iterable[str]) -> set[str]:
    """Those of these codes that an item has or had."""
    wanted = any_(literal(list(item_ids), ARRAY(Text)))
    return set(session.scalars(select(CatalogueItem.item_id).where(CatalogueItem.item_id == wanted)))


@dataclass(frozen=True, slots=True)
class Names:
    """What a table says by name: department by any of its names, and the zone that most of its items are handled in."""

    departments: dict[str, str]
    zones: dict[str, str]


def names(session: Session, day: date) -> Names:
    """For formats that name the authority only."""
    named: dict[str, set[str]] = {}
    for row in session.execute(select(Department.id, Department.name, Department.name_2017)):
        for name in (row.id, row.name, row.name_2017, row.name.split(";")[0]):
            named.setdefault(name, set()).add(row.id)
    count: dict[str, dict[str, int]] = {}
    for item in session.execute(
        select(ItemVersion.department_id, ItemVersion.zone_code, ItemVersion.authority, ItemVersion.authority_2017)
        .where(ItemVersion.in_force(day))
        .order_by(ItemVersion.item_id)
    ):
        zones = count.setdefault(item.department_id, {})
        zones[item.zone_code] = zones.get(item.zone_code, 0) + 1
        for name in (item.authority, item.authority_2017):
            named.setdefault(name, set()).add(item.department_id)
    # A name of two departments says nothing: it is told as unknown.
    departments = {name: min(ids) for name, ids in named.items() if len(ids) == 1}
    return Names(departments, {key: max(zones, key=lambda zone: zones[zone]) for key, zones in count.items()})
