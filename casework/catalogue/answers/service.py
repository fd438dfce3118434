"""Telling every process that public answers are out of date."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.orm import Session

from casework.catalogue.models import CatalogueRevision
from core import clock


def touch(session: Session) -> None:
    """Count the revision up in `session`'s transaction. Concurrent changes queue for its one row until they commit."""
    session.execute(update(CatalogueRevision).values(revision=CatalogueRevision.revision + 1, changed_at=clock.wall()))
