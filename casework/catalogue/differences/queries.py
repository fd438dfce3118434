"""The differences between two versions, read and put into words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from casework.catalogue import queries as catalogue
from casework.catalogue.differences.rules import PARTS, Change, Snapshot, diff, snapshot
from casework.catalogue.differences.wording.rules import row_name, sentence
from casework.catalogue.elements.queries import elements

_INTERNAL = {"hot", "avg_handle_minutes", "sensitive", "zone_code", "catalog_code", "task_code", "type_code", "rules"}
"""What doesn't concern the citizen by itself: rules show in the papers and fees they change."""


def of_version(session: Session, version_id: UUID) -> Snapshot:
    """What a version says: two queries. Raises `NotFound`."""
    return snapshot(catalogue.item_version(session, version_id), elements(session, version_id))


@dataclass(frozen=True, slots=True)
class Difference:
    """What one version changes in another."""

    before: Snapshot
    after: Snapshot
    changes: tuple[Change, ...]

    def told(self, language: str, *, to_citizen: bool = False) -> list[dict[str, Any]]:
        """The changes as an answer, each with its sentence; for a citizen without what is internal."""
        return [
            {
                "element": change.element,
                "path": change.path,
                "kind": change.kind.value,
                "before": change.before,
                "after": change.after,
                "text": sentence(change, self._name(change), language),
            }
            for change in self.changes
            if not (to_citizen and change.element in _INTERNAL)
        ]

    def _name(self, change: Change) -> str:
        key = PARTS.get(change.element)
        rows = [*self.after[change.element], *self.before[change.element]] if key else []
        return row_name(next((row for row in rows if row[key] == change.key), None), change.key)


def between(session: Session, before: UUID, after: UUID) -> Difference:
    """What version `after` changes in `before`: four queries. Raises `NotFound`."""
    return difference(of_version(session, before), of_version(session, after))


def difference(before: Snapshot, after: Snapshot) -> Difference:
    """What one snapshot changes in the other."""
    return Difference(before, after, diff(before, after))
