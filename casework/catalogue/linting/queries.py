"""Linting what is in the database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from casework.catalogue import queries as catalogue
from casework.catalogue.elements.queries import elements
from casework.catalogue.linting.rules import LintFault, Sheet, sheet_faults
from casework.catalogue.linting.whole.rules import element_faults
from casework.catalogue.models import ItemVersion
from casework.catalogue.situations.rules import Effect

_BATCH = 200


def version_faults(session: Session, version_id: UUID, day: date) -> list[LintFault]:
    """What the linter objects to in a version that is to be in force on `day`. Raises `NotFound`."""
    item = catalogue.item_version(session, version_id)
    return [*_faults(session, Sheet.of(item), day), *element_faults(item, elements(session, version_id))]


def all_faults(session: Session, day: date) -> Iterator[LintFault]:
    """What the linter objects to in every item in force on `day` or published for later, in the order of their codes."""
    last = ""
    while True:
        batch = (
            select(ItemVersion.id, ItemVersion.item_id)
            .where(ItemVersion.item_id > last, ItemVersion.in_force(day))
            .order_by(ItemVersion.item_id)
            .limit(_BATCH)
        )
        rows = session.execute(batch).all()
        if not rows:
            return
        for item in catalogue.item_versions(session, [row.id for row in rows]):
            yield from _faults(session, Sheet.of(item), day)
        last = rows[-1].item_id


def _faults(session: Session, sheet: Sheet, day: date) -> list[LintFault]:
    named = {str(rule.params.get("item")) for rule in sheet.rules if rule.effect is Effect.REFUSE}
    alive = select(ItemVersion.item_id).where(ItemVersion.item_id.in_(named), ItemVersion.in_force(day))
    return sheet_faults(sheet, set(session.scalars(alive)) if named else frozenset())
