"""What item managers see of the files that their department sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from casework.catalogue.importing.uploads.models import CatalogueImport
from core.actors import Staff
from core.errors import NotFound
from core.web.paging import Page, by_id


def sent(session: Session, actor: Staff, import_id: UUID) -> CatalogueImport:
    """One file of the actor's department. Raises `NotFound`."""
    found = session.scalars(
        select(CatalogueImport)
        .options(defer(CatalogueImport.content))
        .where(CatalogueImport.id == import_id, CatalogueImport.department_id == (actor.department_id or ""))
    ).one_or_none()
    if found is None:
        raise NotFound()
    return found


def page(session: Session, actor: Staff, args: Mapping[str, Any]) -> Page[CatalogueImport]:
    """The department's files, newest first."""
    query = select(CatalogueImport).options(defer(CatalogueImport.content), defer(CatalogueImport.faults))
    mine = query.where(CatalogueImport.department_id == (actor.department_id or ""))
    return by_id(session, mine, CatalogueImport.id, args)
