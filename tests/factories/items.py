"""Versions of items on their way, made by the acts that lead there. Each test that uses these has a database of its own."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from casework.catalogue.differences import queries as differences
from casework.catalogue.drafts import service as drafts
from casework.catalogue.drafts.ports import SECTIONS
from casework.catalogue.models import ItemVersion
from casework.catalogue.publishing import service as publishing
from core import clock
from core.actors import Staff
from tests.factories import auth as people

# 存量房买卖转移登记 and its department.
ITEM, DEPARTMENT = "NB-002", "D11"


def managers(session: Session, department: str = DEPARTMENT) -> tuple[Staff, Staff]:
    """Two item managers of a department."""
    one, _ = people.make_staff(session, roles=["ITEM_MANAGER"], department_id=department)
    two, _ = people.make_staff(session, roles=["ITEM_MANAGER"], department_id=department)
    return one, two


def section(session: Session, version_id: UUID, name: str) -> dict[str, Any]:
    """A section as the version says it now."""
    said = differences.of_version(session, version_id)
    return {element: said[element] for element in SECTIONS[name]}


def edited(session: Session, author: Staff, version: ItemVersion, part: str, /, **changes: Any) -> ItemVersion:
    """A draft after some elements of one section were changed."""
    content = section(session, version.id, part) | changes
    return drafts.edit(session, actor=author, version_id=version.id, edit=version.edit, section=part, content=content)


def submitted(session: Session, author: Staff, part: str, /, *, item_id: str = ITEM, **changes: Any) -> ItemVersion:
    """A draft with changes to one section, handed over for review."""
    draft = edited(session, author, drafts.open_draft(session, actor=author, item_id=item_id), part, **changes)
    return publishing.submit(session, actor=author, version_id=draft.id, edit=draft.edit)


def published(
    session: Session,
    pair: tuple[Staff, Staff],
    part: str,
    /,
    *,
    item_id: str = ITEM,
    effective_from: date | None = None,
    **changes: Any,
) -> ItemVersion:
    """A version written by one and published by the other of `pair`, from today on if no day is given."""
    made = submitted(session, pair[0], part, item_id=item_id, **changes)
    day = effective_from or clock.today()
    return publishing.publish(session, actor=pair[1], version_id=made.id, effective_from=day)


def new_item(session: Session, pair: tuple[Staff, Staff], code: str, *, like: str = ITEM, name: str) -> str:
    """A new item that began as a copy of another one; in force from today on."""
    draft = drafts.open_draft(session, actor=pair[0], item_id=like, as_item=code)
    draft = edited(session, pair[0], draft, "basics", name=name)
    made = publishing.submit(session, actor=pair[0], version_id=draft.id, edit=draft.edit)
    publishing.publish(session, actor=pair[1], version_id=made.id, effective_from=clock.today())
    return code
