"""What happens to open matters when a version is published or taken back: their owners are told, by jobs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from casework.appointments import queries as appointments
from casework.catalogue import queries as catalogue
from casework.catalogue.differences import queries as differences
from casework.catalogue.events import ItemKept, ItemPublicationWithdrawn, ItemRetired, ItemVersionsPublished
from casework.catalogue.redirects import queries as redirects
from casework.catalogue.rules import Item
from casework.prereview import queries as prereviews
from core import clock, jobs
from notifications.messages import service as messages


class What(StrEnum):
    """What is told of a version: it is law in the place of another, no longer to be so, its item ends, doesn't end after all."""

    CHANGED = "CHANGED"
    CANCELLED = "CANCELLED"
    ENDED = "ENDED"
    KEPT = "KEPT"


BATCH = 200
SENTENCES = 3
"""How many changes a message names; the draft shows all of them."""

_TEMPLATES = {
    What.CHANGED: "ITEM_CHANGED",
    What.CANCELLED: "ITEM_CHANGE_CANCELLED",
    What.ENDED: "ITEM_ENDED",
    What.KEPT: "ITEM_CHANGE_CANCELLED",
}
_ANY = UUID(int=0)
"""No version: an end concerns every matter of the item, by whatever version it was begun."""


def on_published(session: Session, event: ItemVersionsPublished) -> None:
    """Queue the messages about versions that replace others: now, and on the first day for what was begun meanwhile."""
    replacing = [published for published in event.publications if published.replaces is not None]
    open_now = _with_open_matters(session, [published.item_id for published in replacing])
    for published in replacing:
        version_id, first_day = str(published.version_id), published.effective_from
        if published.item_id in open_now:
            jobs.defer(session, "itemchanges.tell", version_id=version_id, what=What.CHANGED)
        if first_day > clock.today():
            at = clock.day_start(first_day)
            jobs.defer(session, "itemchanges.tell", at=at, version_id=version_id, what=What.CHANGED)


def _with_open_matters(session: Session, item_ids: Sequence[str]) -> set[str]:
    if not item_ids:
        return set()
    drafted = prereviews.items_with_drafts(session, item_ids)
    return drafted | appointments.items_booked(session, item_ids, starting=clock.now())


def on_withdrawn(session: Session, event: ItemPublicationWithdrawn) -> None:
    """Queue the messages that the announced change is cancelled."""
    jobs.defer(session, "itemchanges.tell", version_id=str(event.version_id), what=What.CANCELLED)


def on_retired(session: Session, event: ItemRetired) -> None:
    """Queue the messages that an item ends: now, and on its first day without it for what was begun meanwhile.

    What was submitted or has passed ends by itself, and its owner is told that (PR-9).
    """
    version_id = str(event.version_id)
    jobs.defer(session, "itemchanges.tell", version_id=version_id, what=What.ENDED)
    if event.ends > clock.today():
        jobs.defer(session, "itemchanges.tell", at=clock.day_start(event.ends), version_id=version_id, what=What.ENDED)


def on_kept(session: Session, event: ItemKept) -> None:
    """Queue the messages that an item doesn't end after all."""
    jobs.defer(session, "itemchanges.tell", version_id=str(event.version_id), what=What.KEPT)


def concerned(
    session: Session, version_id: UUID, what: What, after: tuple[str, UUID | None], *, limit: int = BATCH
) -> list[tuple[str, UUID, UUID]]:
    """The next batch of open matters that `what` concerns: kind, key and owner, drafts first, in order of their keys.

    Of a change those of other versions from its first day on, of an end all that would be too late. `after`: kind and key
    of the last one that was told; `("prereview", None)` at the beginning. Raises `NotFound`.
    """
    item = catalogue.item_version(session, version_id)
    day = item.effective_from
    if what in (What.ENDED, What.KEPT):
        day, version_id = item.effective_to or clock.today(), _ANY
    kind, last = after
    found: list[tuple[str, UUID, UUID]] = []
    if kind == "prereview":
        drafts = prereviews.drafts_of_item(session, item.item_id, version_id, after=last, limit=limit)
        found = [("prereview", key, owner) for key, owner in drafts]
        last = None
    if len(found) < limit:
        first = max(clock.day_start(day), clock.now() - timedelta(hours=1))
        booked = appointments.booked_by_other_version(
            session, item.item_id, version_id, starting=first, after=last, limit=limit - len(found)
        )
        found += [("appointment", key, owner) for key, owner in booked]
    return found


def tell(session: Session, *, version_id: UUID, what: What, matters: Sequence[tuple[str, UUID, UUID]]) -> None:
    """Tell the owners of `matters`, each once a version and `what`; nothing when it is no longer so."""
    item = catalogue.item_version(session, version_id)
    told = _ended(session, item, what) if what in (What.ENDED, What.KEPT) else _changed(session, item, what)
    if told is None:
        return
    when, note = told
    for kind, matter_id, owner_id in matters:
        messages.announce(
            session,
            to=owner_id,
            template=_TEMPLATES[what],
            event_id=f"item:{version_id}:{what.lower()}" + (f":{when}" if what is What.ENDED else ""),
            fields={"matter": item.name, "when": when, "note": note},
            matter_type=kind,
            matter_id=matter_id,
            sensitive=item.sensitive,
        )


def _changed(session: Session, item: Item, what: What) -> tuple[str, str] | None:
    """From when on, and what changes in words; None when it isn't so any more, or no citizen would notice."""
    when = item.effective_from.isoformat()
    if (what is What.CHANGED) != catalogue.is_law(session, item.version_id):
        return None  # taken back meanwhile: those who were told are told that, too
    base = catalogue.base_of(session, item.version_id)
    if what is What.CANCELLED or base is None:
        return when, ""
    told = differences.between(session, base, item.version_id).told("zh", to_citizen=True)
    if not told:
        return None
    more = f"等{len(told)}处" if len(told) > SENTENCES else ""
    return when, "；".join(change["text"] for change in told[:SENTENCES]) + more


def _ended(session: Session, item: Item, what: What) -> tuple[str, str] | None:
    """From when on the item is no more, and where it goes; None when that is no longer so."""
    day = item.effective_to
    gone = None if day is None else redirects.whereabouts(session, item.item_id, day)
    if (what is What.KEPT) != (gone is None or gone.kind is None):
        return None
    if gone is None or day is None:
        return "", ""
    names = "、".join(one.name for one in gone.went_to)
    return day.isoformat(), "：".join(part for part in (gone.text("zh"), names) if part)
