"""Reads of the offline bundle, and of what it is made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Row, exists, func, literal, literal_column, select
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.orm import InstrumentedAttribute, Session

from casework.catalogue.bundle.models import CatalogueBundle, CatalogueBundleKey
from casework.catalogue.lookups.models import Department, Zone
from casework.catalogue.models import ItemFeeLine, ItemMaterial, ItemVersion

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Head:
    """A document without its body."""

    number: int
    etag: str
    signature: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What leads from one bundle to the newest; `body` is gzip."""

    body: bytes
    etag: str
    signature: str


def newest(session: Session) -> Head | None:
    """The newest bundle; None before there is one."""
    query = select(CatalogueBundle.number, CatalogueBundle.etag, CatalogueBundle.signature)
    row = session.execute(query.order_by(CatalogueBundle.number.desc()).limit(1)).one_or_none()
    return None if row is None else Head(*row)


def body(session: Session, number: int) -> bytes:
    """The body of a bundle, gzip."""
    return session.execute(select(CatalogueBundle.body).where(CatalogueBundle.number == number)).scalar_one()


def changes(session: Session, number: int) -> Changes | None:
    """What leads from that bundle to the newest; None when it isn't kept."""
    query = select(CatalogueBundle.changes, CatalogueBundle.changes_etag, CatalogueBundle.changes_signature)
    row = session.execute(query.where(CatalogueBundle.number == number)).one_or_none()
    return None if row is None else Changes(*row)


def any_made(session: Session) -> bool:
    """Whether there is a bundle at all."""
    return bool(session.scalar(select(exists(select(CatalogueBundle.number)))))


def key_set(session: Session) -> dict[str, Any]:
    """The public key as a key set (RFC 7517); empty before the first bundle."""
    return {"keys": list(session.scalars(select(CatalogueBundleKey.public_jwk)))}


def _parts(model: type[Any], order: InstrumentedAttribute[int]) -> ColumnElement[Any]:
    rows = func.jsonb_agg(aggregate_order_by(func.to_jsonb(literal_column(model.__tablename__)), order), type_=JSONB)
    return (
        select(func.coalesce(rows, literal([], JSONB)))
        .where(model.version_id == ItemVersion.id)
        .correlate(ItemVersion)
        .scalar_subquery()
    )


def rows(session: Session, day: date) -> Iterable[Row[Any]]:
    """What `rules.entry` is made of, of every item in force on `day`, by code: one statement, read bit by bit."""
    query = select(
        ItemVersion.item_id,
        ItemVersion.version,
        ItemVersion.name,
        ItemVersion.zone_code,
        ItemVersion.department_id,
        ItemVersion.legal_limit,
        ItemVersion.legal_limit_unit,
        ItemVersion.legal_limit_note,
        ItemVersion.promised_limit,
        ItemVersion.promised_limit_unit,
        ItemVersion.promised_limit_note,
        ItemVersion.is_fee,
        ItemVersion.address,
        ItemVersion.hours,
        ItemVersion.consult,
        ItemVersion.supervise,
        ItemVersion.is_sample,
        _parts(ItemMaterial, ItemMaterial.position).label("materials"),
        _parts(ItemFeeLine, ItemFeeLine.no).label("fee_lines"),
    )
    query = query.where(ItemVersion.in_force(day)).order_by(ItemVersion.item_id)
    return session.execute(query, execution_options={"yield_per": _AT_ONCE})


def names(session: Session) -> dict[str, dict[str, str]]:
    """What zones and departments are called, by their codes."""
    zones = session.execute(select(Zone.code, Zone.name).order_by(Zone.code))
    departments = session.execute(select(Department.id, Department.name).order_by(Department.id))
    return {
        "zones": {row.code: row.name for row in zones},
        "departments": {row.id: row.name for row in departments},
    }
