"""What is done to the catalogue: importing, withdrawing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from casework.catalogue.answers import service as answers
from casework.catalogue.importing import service as importing
from casework.catalogue.importing.rules import Policies
from casework.catalogue.importing.service import Beside, ImportReport
from casework.catalogue.models import CatalogueItem, ItemVersion
from casework.catalogue.queries import in_force
from casework.catalogue.rules import TRANSITIONS, VersionState
from casework.places import service as places
from casework.places.service import PlacesReport
from core import audit, clock
from core.actors import Staff, System
from core.errors import InvalidInput, NotFound, StateConflict

_SAMPLE = Path(__file__).resolve().parent / "sample"


def _read(name: str) -> Any:
    return json.loads((_SAMPLE / name).read_text(encoding="utf-8"))


def sample_document() -> dict[str, Any]:
    """The sample catalogue that comes with the product (DOMAIN 4.1)."""
    document: dict[str, Any] = _read("items.json")
    return document


def sample_beside() -> Beside:
    """The data files that complete the sample: policies, wording of questions, other words for search."""
    return Beside(Policies.of(_read("policies.json")), _read("questions.json"), _read("synonyms.json"))


def import_sample(session: Session, document: Mapping[str, Any]) -> ImportReport:
    """Import a catalogue document in the sample's format, all of it or nothing (see `importing`); faults are in the report."""
    return importing.import_document(session, document, sample_beside(), today=clock.today())


def import_sample_places(session: Session) -> PlacesReport:
    """Import the sample's halls, zones, windows and hours (DOMAIN 4.3); the catalogue must be there."""
    return places.import_places(session, _read("places.json"))


def retire(
    session: Session, *, actor: Staff | System, item_id: str, ends: date, redirects_to: str | None = None
) -> None:
    """Withdraw an item from the day `ends` on (today or later); its code may point to a successor, never be given again.

    Raises `NotFound` for a code that was never given, `InvalidInput` for a past day or an unusable successor, and
    `StateConflict` when the item isn't in force until that day or already withdrawn.
    """
    if ends < clock.today():
        raise InvalidInput(fields={"ends": ["不能早于今天 / not before today"]})
    item = session.get(CatalogueItem, item_id, with_for_update=True)
    if item is None:
        raise NotFound()
    if redirects_to is not None:
        _check_successor(session, item_id, redirects_to, ends)
    version = session.scalar(select(ItemVersion).where(ItemVersion.item_id == item_id, in_force(ends)))
    if version is None or VersionState.RETIRED not in TRANSITIONS[VersionState(version.state)]:
        raise StateConflict()
    session.execute(
        update(ItemVersion).where(ItemVersion.id == version.id).values(state=VersionState.RETIRED, effective_to=ends)
    )
    item.redirects_to = redirects_to
    item.updated_at = clock.now()
    answers.touch(session)
    audit.record(
        session,
        actor=actor,
        action="catalogue.retire",
        object_type="item",
        object_id=item_id,
        ends=ends.isoformat(),
        redirects_to=redirects_to,
    )


def _check_successor(session: Session, item_id: str, successor: str, day: date) -> None:
    found = session.scalar(select(ItemVersion.id).where(ItemVersion.item_id == successor, in_force(day)))
    if found is None or successor == item_id:
        raise InvalidInput(fields={"redirects_to": ["须为届时有效的其他事项 / must be another item in force then"]})
