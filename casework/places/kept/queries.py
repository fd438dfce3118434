"""Halls, kept by the revision of catalogue and places."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from casework.catalogue.kept.queries import ByRevision
from casework.places import queries as places
from casework.places.rules import Hall

_HALLS = ByRevision(places.hall, most=500)


def hall(session: Session, hall_id: UUID) -> Hall:
    """As `places.queries.hall`, mostly without a query. Raises `NotFound`."""
    return _HALLS.get(session, hall_id)
