"""Reading and writing what an import said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from casework.catalogue.importing.service import upsert
from casework.places.models import PlaceImport

_BATCH = 1_000


def last_said(session: Session, places: Iterable[UUID]) -> dict[UUID, dict[str, Any]]:
    """By place, what the import said last time."""
    wanted = any_(literal(list(places), ARRAY(Uuid)))
    query = select(PlaceImport.place_id, PlaceImport.said).where(PlaceImport.place_id == wanted)
    return {row.place_id: row.said for row in session.execute(query)}


def remember(session: Session, said: Mapping[UUID, Mapping[str, Any]]) -> None:
    """Keep what the import says now."""
    rows = [{"place_id": place, "said": dict(fields)} for place, fields in said.items()]
    for start in range(0, len(rows), _BATCH):
        upsert(session, PlaceImport, rows[start : start + _BATCH])
