"""Reads of the catalogue: one item whole. Lists and search are in `search`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    func,
    literal,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.orm import InstrumentedAttribute, Session

from casework.catalogue.lookups.models import Department, LicenceType, Zone
from casework.catalogue.models import (
    ItemFeeLine,
    ItemMaterial,
    ItemQuestion,
    ItemRule,
    ItemVersion,
)
from casework.catalogue.redirects import queries as redirects
from casework.catalogue.rules import (
    LIVE,
    CaseType,
    FeeLine,
    Item,
    Material,
    MaterialForm,
    MaterialOrigin,
    Option,
    Question,
    RecipientPolicy,
    ServiceObject,
    is_code,
)
from casework.catalogue.situations.rules import Effect, Rule
from core.errors import NotFound
from core.workdays import Limit, Unit

# Made from more than the column of the same name; the other fields are taken from the row as they are.
_MADE = {
    "version_id", "case_type", "service_objects", "legal_basis", "legal_limit", "promised_limit", "process_steps",
    "result_form", "channels", "joint_topics", "recipient_policy", "materials", "questions", "fee_lines", "rules",
}  # fmt: skip
_PLAIN = [field.name for field in fields(Item) if field.name not in _MADE]
# What else the row holds: the elements (`elements.queries`), the life of the version, and what search derives from it.
_READ = {"id", "legal_limit_unit", "promised_limit_unit"} | {field.name for field in fields(Item)}


def _parts(model: type[Any], order: InstrumentedAttribute[int]) -> ColumnElement[Any]:
    """The rows of a part of the version, in order, as one JSON value: the whole item is one query."""
    row = func.to_jsonb(literal_column(model.__tablename__))
    rows = func.jsonb_agg(aggregate_order_by(row, order), type_=JSONB)
    return (
        select(func.coalesce(rows, literal([], JSONB)))
        .where(model.version_id == ItemVersion.id)
        .correlate(ItemVersion)
        .scalar_subquery()
    )


_ITEM = (
    select(
        *(column for column in ItemVersion.__table__.c if column.name in _READ),
        Zone.name.label("zone_name"),
        Department.name.label("department_name"),
        Department.name_2017.label("department_name_2017"),
        _parts(ItemQuestion, ItemQuestion.position).label("questions"),
        _parts(ItemMaterial, ItemMaterial.position).label("materials"),
        _parts(ItemFeeLine, ItemFeeLine.no).label("fee_lines"),
        _parts(ItemRule, ItemRule.no).label("rules"),
        select(func.jsonb_object_agg(LicenceType.key, LicenceType.name, type_=JSONB))
        .join(ItemMaterial, ItemMaterial.licence_key == LicenceType.key)
        .where(ItemMaterial.version_id == ItemVersion.id)
        .correlate(ItemVersion)
        .scalar_subquery()
        .label("licences"),
    )
    .select_from(ItemVersion)
    .join(Zone, Zone.code == ItemVersion.zone_code)
    .join(Department, Department.id == ItemVersion.department_id)
)


def in_force(day: date) -> ColumnElement[bool]:
    """The condition on `item_version` that picks what is in force on `day` (S22)."""
    return ItemVersion.in_force(day)


def item_in_force(session: Session, item_id: str, day: date) -> Item:
    """The item as it is in force on `day`.

    Raises `ItemNotInForce` (with where it went, see `redirects`), or `NotFound` for a code that was never given.
    """
    if not is_code(item_id):
        raise NotFound()
    row = session.execute(_ITEM.where(ItemVersion.item_id == item_id, in_force(day))).mappings().one_or_none()
    if row is None:
        raise redirects.not_in_force(session, item_id, day)
    return _item(row)


def item_version(session: Session, version_id: UUID) -> Item:
    """That version, in force or not: what a matter began with. Raises `NotFound`."""
    row = session.execute(_ITEM.where(ItemVersion.id == version_id)).mappings().one_or_none()
    if row is None:
        raise NotFound()
    return _item(row)


@dataclass(frozen=True, slots=True)
class AgentFacts:
    """What of an item decides whether it may be done for another (DG-3)."""

    item_id: str
    zone_code: str
    agent_allowed: bool
    agent_friendly: bool
    biometric_on_site: str
    service_objects: Sequence[str]


def agent_facts(session: Session, day: date) -> list[AgentFacts]:
    """Of every item in force on `day`, who may do it for another."""
    query = select(
        ItemVersion.item_id,
        ItemVersion.zone_code,
        ItemVersion.agent_allowed,
        ItemVersion.agent_friendly,
        ItemVersion.biometric_on_site,
        ItemVersion.service_objects,
    )
    return [AgentFacts(*row) for row in session.execute(query.where(in_force(day)))]


def base_of(session: Session, version_id: UUID) -> UUID | None:
    """The version that a version was made from, or None."""
    return session.scalar(select(ItemVersion.base_version_id).where(ItemVersion.id == version_id))


def is_law(session: Session, version_id: UUID) -> bool:
    """Whether a version was published and not taken back: in force, to come or over."""
    return session.scalar(select(ItemVersion.state).where(ItemVersion.id == version_id)) in LIVE


def item_versions(session: Session, version_ids: Sequence[UUID]) -> list[Item]:
    """Those versions, in the order of their items' codes."""
    rows = session.execute(_ITEM.where(ItemVersion.id.in_(version_ids)).order_by(ItemVersion.item_id)).mappings()
    return [_item(row) for row in rows]


def _item(row: RowMapping) -> Item:
    return Item(
        **{name: row[name] for name in _PLAIN},
        version_id=row["id"],
        case_type=CaseType(row["case_type"]),
        service_objects=tuple(ServiceObject(value) for value in row["service_objects"]),
        legal_basis=tuple(row["legal_basis"]),
        legal_limit=Limit(row["legal_limit"], Unit(row["legal_limit_unit"])),
        promised_limit=Limit(row["promised_limit"], Unit(row["promised_limit_unit"])),
        process_steps=tuple(row["process_steps"]),
        result_form=MaterialForm(row["result_form"]),
        channels=tuple(row["channels"]),
        joint_topics=tuple(row["joint_topics"]),
        recipient_policy=RecipientPolicy(row["recipient_policy"]),
        materials=tuple(_material(part, row["licences"] or {}) for part in row["materials"]),
        questions=tuple(
            Question(
                part["key"], part["text"], tuple(Option(**option) for option in part["options"]), part["asked_when"]
            )
            for part in row["questions"]
        ),
        fee_lines=tuple(
            FeeLine(**{name: value for name, value in part.items() if name != "version_id"})
            for part in row["fee_lines"]
        ),
        rules=tuple(
            Rule(part["no"], part["condition"], Effect(part["effect"]), part["params"]) for part in row["rules"]
        ),
    )


def _material(part: Mapping[str, Any], licences: Mapping[str, str]) -> Material:
    key = part["licence_key"] or ""
    same = {name: value for name, value in part.items() if name not in {"version_id", "position"}}
    made = {"origin": MaterialOrigin(part["origin"]), "form": MaterialForm(part["form"])}
    return Material(**same | made | {"licence_key": key, "licence_name": licences.get(key, "")})
