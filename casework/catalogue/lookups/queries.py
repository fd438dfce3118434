"""Reads of the reference lists, as ready-made answers; `items` and `hot` count what is in force on the day."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import ScalarSelect, exists, func, not_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from casework.catalogue.lookups.models import AppTile, Department, DevZone, JointTopic, LifeEventPackage, Region, Zone
from casework.catalogue.models import ItemVersion
from casework.catalogue.queries import in_force
from core.errors import InvalidInput

Rows = list[dict[str, Any]]


_NAVIGATED = {
    "zone": ((Zone.code,), "没有这个分区 / no such zone"),
    "department": ((Department.id,), "没有这个部门 / no such department"),
    "region": ((Region.code,), "没有这个区（县、市） / no such district or county"),
    "topic": ((JointTopic.key, LifeEventPackage.key), "没有这个主题 / no such topic or package"),
}


def check(session: Session, **codes: str | None) -> None:
    """Raise `InvalidInput` for a zone, department, region or topic (a package too) that there isn't; None is fine. One query."""
    asked = {name: code for name, code in codes.items() if code is not None}
    if not asked:
        return
    known = [
        or_(*(exists().where(column == code) for column in _NAVIGATED[name][0])).label(name)
        for name, code in asked.items()
    ]
    found = session.execute(select(*known)).one()
    faults = {name: [_NAVIGATED[name][1]] for name, there in zip(asked, found, strict=True) if not there}
    if faults:
        raise InvalidInput(fields=faults)


_NONE = {"items": 0, "hot": 0}


def _counts(session: Session, key: InstrumentedAttribute[str], day: date) -> dict[str, dict[str, int]]:
    """By `key`: how many items are in force, and how many of them are hot (S48): those that are paused are not."""
    hot = func.count().filter(ItemVersion.hot, not_(ItemVersion.paused))
    rows = session.execute(select(key, func.count(), hot).where(in_force(day)).group_by(key))
    return {row[0]: {"items": row[1], "hot": row[2]} for row in rows}


def _items_by_topic(session: Session, day: date) -> dict[str, list[str]]:
    topic = func.unnest(ItemVersion.joint_topics).label("topic")
    found: dict[str, list[str]] = {}
    for row in session.execute(select(topic, ItemVersion.item_id).where(in_force(day)).order_by(ItemVersion.item_id)):
        found.setdefault(row.topic, []).append(row.item_id)
    return found


def zones(session: Session, day: date) -> Rows:
    """The zones (S2) in their order."""
    counts = _counts(session, ItemVersion.zone_code, day)
    return [
        {"code": zone.code, "name": zone.name} | counts.get(zone.code, _NONE)
        for zone in session.scalars(select(Zone).order_by(Zone.position))
    ]


def zone_names(session: Session) -> dict[str, str]:
    """Zone code → name."""
    return {row.code: row.name for row in session.execute(select(Zone.code, Zone.name))}


def departments(session: Session, day: date) -> Rows:
    """The departments (S30), with the name of 2017."""
    counts = _counts(session, ItemVersion.department_id, day)
    return [
        {"id": found.id, "name": found.name, "name_2017": found.name_2017} | counts.get(found.id, _NONE)
        for found in session.scalars(select(Department).order_by(Department.position))
    ]


def department_name(session: Session, department_id: str) -> str | None:
    """The name of a department; None for an unknown one."""
    return session.scalar(select(Department.name).where(Department.id == department_id))


def regions(session: Session) -> Rows:
    """The districts and counties (S30)."""
    return [
        {"code": region.code, "name": region.name, "kind": region.kind}
        for region in session.scalars(select(Region).order_by(Region.position))
    ]


def region_named(authority: str) -> ScalarSelect[str]:
    """As part of a query: the district or county whose authority this is; NULL for one of the city."""
    return select(Region.code).where(func.strpos(authority, Region.name) > 0).limit(1).scalar_subquery()


def dev_zones(session: Session) -> Rows:
    """The development zones (S30)."""
    return [
        {
            "code": zone.code,
            "name_2017": zone.name_2017,
            "name_now": zone.name_now,
            "confidence": zone.confidence,
            "note": zone.note,
        }
        for zone in session.scalars(select(DevZone).order_by(DevZone.position))
    ]


def topics(session: Session, day: date) -> Rows:
    """The industries with a joint approval (S8), with their items."""
    items = _items_by_topic(session, day)
    return [
        {
            "key": topic.key,
            "name": topic.name,
            "lead_department_id": topic.lead_department_id,
            "participants": topic.participants,
            "before_days": topic.before_days,
            "after_days": topic.after_days,
            "items": items.get(topic.key, []),
        }
        for topic in session.scalars(select(JointTopic).order_by(JointTopic.position))
    ]


def packages(session: Session, day: date) -> Rows:
    """Several items as one thing (一件事)."""
    items = _items_by_topic(session, day)
    return [
        {"key": package.key, "name": package.name, "items": items.get(package.key, [])}
        for package in session.scalars(select(LifeEventPackage).order_by(LifeEventPackage.position))
    ]


def tiles(session: Session) -> Rows:
    """The tiles of other systems (S38)."""
    return [
        {"id": tile.id, "group": tile.group_name, "name": tile.name, "department_id": tile.department_id}
        for tile in session.scalars(select(AppTile).order_by(AppTile.position))
    ]
