"""What the catalogue announces. Handlers run in the publisher's transaction; `core.events` says how to listen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from core.events import Event


@dataclass(frozen=True, slots=True)
class Publication:
    """One version that is, or will be, in force from `effective_from`; `replaces` was or is in force until then."""

    item_id: str
    version_id: UUID
    replaces: UUID | None
    effective_from: date


@dataclass(frozen=True, slots=True)
class ItemVersionsPublished(Event):
    """Versions were published: one by an item manager, many by an import."""

    publications: tuple[Publication, ...]


@dataclass(frozen=True, slots=True)
class ItemPublicationWithdrawn(Event):
    """A publication was taken back before its first day."""

    item_id: str
    version_id: UUID


@dataclass(frozen=True, slots=True)
class ItemKept(Event):
    """The end of an item was taken back before its day: `version_id` stays in force."""

    item_id: str
    version_id: UUID


@dataclass(frozen=True, slots=True)
class ItemRetired(Event):
    """An item is in force for the last time the day before `ends`."""

    item_id: str
    version_id: UUID
    ends: date
    successors: tuple[str, ...]
