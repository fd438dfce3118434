"""What is done to the catalogue: importing, withdrawing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from casework.catalogue.answers import service as answers
from casework.catalogue.drafts.errors import ItemEnded
from casework.catalogue.events import ItemKept, ItemRetired
from casework.catalogue.importing import service as importing
from casework.catalogue.importing.files import service as files
from casework.catalogue.importing.reading.service import Format
from casework.catalogue.importing.rules import Policies
from casework.catalogue.importing.service import Beside, ImportReport
from casework.catalogue.importing.writing.service import Progress, silent
from casework.catalogue.models import CatalogueItem, ItemRedirect, ItemVersion
from casework.catalogue.publishing.rules import day_fault
from casework.catalogue.queries import in_force
from casework.catalogue.redirects.queries import leads_back
from casework.catalogue.redirects.rules import target_count_fault
from casework.catalogue.rules import LIVE, TRANSITIONS, GoneKind, VersionState
from casework.places import service as places
from casework.places.service import PlacesReport
from core import audit, clock, events
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
    """The data files that complete the sample: policies, wording of questions, fee lines by situation."""
    return Beside(Policies.of(_read("policies.json")), _read("questions.json"), _read("tariffs.json"))


def import_sample(session: Session, document: Mapping[str, Any]) -> ImportReport:
    """Import a catalogue document in the sample's format, all of it or nothing (see `importing`); faults are in the report."""
    return importing.import_document(session, document, sample_beside(), today=clock.today())


def import_file(
    session: Session, source: Path, *, actor: System, wanted: Format | None = None, progress: Progress = silent
) -> ImportReport:
    """Make law from today what a file or folder of any format says, all of it or nothing. Raises `ImportRunning`."""
    return files.import_file(
        session, source, sample_beside(), actor=actor, today=clock.today(), wanted=wanted, progress=progress
    )


def import_sample_places(session: Session) -> PlacesReport:
    """Import the sample's halls, zones, windows and hours (DOMAIN 4.3); the catalogue must be there."""
    return places.import_places(session, _read("places.json"))


def retire(
    session: Session,
    *,
    actor: Staff | System,
    item_id: str,
    ends: date,
    kind: GoneKind = GoneKind.ENDED,
    successors: Sequence[str] = (),
    reason: str = "",
) -> None:
    """End an item from the day `ends` on (today or later), and say where it went; its code is never given again.

    Raises `NotFound` for a code that was never given, `ItemEnded` for one that ends already, `StateConflict` when the item
    isn't in force on that day, `InvalidInput` for a day that is over, too far ahead or before the first day of a version
    that is published for later, and for unusable successors (not in force then, this item itself, too few or many for
    `kind`, or leading back here).
    """
    if fault := day_fault(ends, clock.today()):
        raise InvalidInput(fields={"ends": [fault]})
    item = session.get(CatalogueItem, item_id, with_for_update=True)
    if item is None:
        raise NotFound()
    if item.gone_kind is not None:
        raise ItemEnded(extra={"gone": item.gone_kind})
    _check_successors(session, item_id, kind, successors, ends)
    version = session.scalar(select(ItemVersion).where(ItemVersion.item_id == item_id, in_force(ends)))
    if version is None or VersionState.RETIRED not in TRANSITIONS[VersionState(version.state)]:
        raise StateConflict()
    later = select(func.min(ItemVersion.effective_from)).where(
        ItemVersion.item_id == item_id, ItemVersion.state.in_(LIVE), ItemVersion.effective_from > version.effective_from
    )
    if (begins := session.scalar(later)) is not None:
        told = f"已有版本定于 {begins} 生效，请先撤回 / a version is published for {begins}; withdraw it first"
        raise InvalidInput(fields={"ends": [told]})
    session.execute(
        update(ItemVersion)
        .where(ItemVersion.id == version.id)
        .values(state=VersionState.RETIRED, effective_to=ends, retire_reason=reason)
    )
    item.gone_kind, item.gone_reason, item.updated_at = kind, reason, clock.now()
    session.flush()
    if successors:
        session.execute(
            insert(ItemRedirect),
            [
                {"item_id": item_id, "to_item_id": successor, "position": position}
                for position, successor in enumerate(successors, 1)
            ],
        )
    answers.touch(session)
    events.publish(session, ItemRetired(item_id, version.id, ends, tuple(successors)))
    audit.record(
        session,
        actor=actor,
        action="catalogue.retire",
        object_type="item",
        object_id=item_id,
        ends=ends.isoformat(),
        kind=kind.value,
        successors=",".join(successors),
    )


def keep(session: Session, *, actor: Staff | System, item_id: str, reason: str) -> None:
    """Take back the end of an item before its first day without it: it stays in force as it was.

    Raises `NotFound` for a code that was never given, `StateConflict` when no end is to come.
    """
    item = session.get(CatalogueItem, item_id, with_for_update=True)
    if item is None:
        raise NotFound()
    ending = (
        update(ItemVersion)
        .where(
            ItemVersion.item_id == item_id,
            ItemVersion.state == VersionState.RETIRED,
            ItemVersion.effective_to > clock.today(),
        )
        .values(state=VersionState.PUBLISHED, effective_to=None, retire_reason="")
        .returning(ItemVersion.id)
    )
    version_id = session.scalar(ending)
    if version_id is None:
        raise StateConflict(extra={"gone": item.gone_kind})
    session.execute(delete(ItemRedirect).where(ItemRedirect.item_id == item_id))
    item.gone_kind, item.gone_reason, item.updated_at = None, "", clock.now()
    session.flush()
    answers.touch(session)
    events.publish(session, ItemKept(item_id, version_id))
    audit.record(session, actor=actor, action="catalogue.keep", object_type="item", object_id=item_id, reason=reason)


def _check_successors(session: Session, item_id: str, kind: GoneKind, successors: Sequence[str], day: date) -> None:
    fault = target_count_fault(kind, len(successors))
    if fault is None and len(set(successors)) < len(successors):
        fault = "同一事项不要重复填写 / an item is listed twice"
    if fault is None and successors:
        alive = select(ItemVersion.item_id).where(ItemVersion.item_id.in_(successors), in_force(day))
        if item_id in successors or set(session.scalars(alive)) != set(successors):
            fault = "须为届时有效的其他事项 / must be other items in force then"
    if fault is None and leads_back(session, item_id, successors):
        fault = "去向事项又指回本事项 / this would lead back to the item itself"
    if fault is not None:
        raise InvalidInput(fields={"successors": [fault]})
