"""Reading the elements of a version: one query, with the rows of each kind as one JSON value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, func, literal, literal_column, select
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.orm import Session

from casework.catalogue.elements import models
from casework.catalogue.elements.rules import (
    CommonQuestion,
    Elements,
    ResultSample,
    ServeScope,
    SpecialProcedure,
    Step,
    SubItem,
)
from casework.catalogue.models import ItemVersion
from core.errors import NotFound
from core.workdays import Unit

PARTS: dict[str, tuple[type[Any], type[Any]]] = {
    "sub_items": (models.ItemSubItem, SubItem),
    "steps": (models.ItemStep, Step),
    "special_procedure_rows": (models.ItemSpecialProcedure, SpecialProcedure),
    "result_samples": (models.ItemResultSample, ResultSample),
    "common_questions": (models.ItemCommonQuestion, CommonQuestion),
}
"""Field of `Elements` → table and class of its rows."""
SCALARS = tuple(field.name for field in fields(Elements) if field.name not in PARTS)
_LISTS = {"use_levels", "joint_departments", "handle_forms", "online_depths"}


def _rows(model: type[Any]) -> ColumnElement[Any]:
    row = func.to_jsonb(literal_column(model.__tablename__)).op("-")("version_id")
    rows = func.jsonb_agg(aggregate_order_by(row, model.no), type_=JSONB)
    return (
        select(func.coalesce(rows, literal([], JSONB)))
        .where(model.version_id == ItemVersion.id)
        .correlate(ItemVersion)
        .scalar_subquery()
    )


_ELEMENTS = select(
    *(getattr(ItemVersion, name) for name in SCALARS), *(_rows(model).label(name) for name, (model, _) in PARTS.items())
)


def elements(session: Session, version_id: UUID) -> Elements:
    """The elements of a version. Raises `NotFound`."""
    row = session.execute(_ELEMENTS.where(ItemVersion.id == version_id)).mappings().one_or_none()
    if row is None:
        raise NotFound()
    return _made(row)


def elements_of(session: Session, version_ids: Sequence[UUID]) -> dict[UUID, Elements]:
    """The elements of many versions."""
    rows = session.execute(_ELEMENTS.add_columns(ItemVersion.id).where(ItemVersion.id.in_(version_ids))).mappings()
    return {row["id"]: _made(row) for row in rows}


def _made(row: RowMapping) -> Elements:
    made: dict[str, Any] = {name: tuple(row[name]) if name in _LISTS else row[name] for name in SCALARS}
    made["serve_scope"] = ServeScope(row["serve_scope"])
    for name, (_, kind) in PARTS.items():
        made[name] = tuple(kind(**part) for part in row[name])
    made["special_procedure_rows"] = tuple(
        SpecialProcedure(**part | {"unit": Unit(part["unit"])}) for part in row["special_procedure_rows"]
    )
    return Elements(**made)
