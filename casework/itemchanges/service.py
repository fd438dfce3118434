"""What happens to open matters when a version is published or taken back: their owners are told, by jobs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from casework.appointments import queries as appointments
from casework.catalogue import queries as catalogue
from casework.catalogue.differences import queries as differences
from casework.catalogue.events import ItemPublicationWithdrawn, ItemVersionsPublished
from casework.prereview import queries as prereviews
from core import clock, jobs
from notifications.messages import service as messages

BATCH = 200
SENTENCES = 3
"""How many changes a message names; the draft shows all of them."""


def on_published(session: Session, event: ItemVersionsPublished) -> None:
    """Queue the messages about versions that replace others: now, and on the first day for what was begun meanwhile."""
    replacing = [published for published in event.publications if published.replaces is not None]
    open_now = _with_open_matters(session, [published.item_id for published in replacing])
    for published in replacing:
        version_id, first_day = str(published.version_id), published.effective_from
        if published.item_id in open_now:
            jobs.defer(session, "itemchanges.tell", version_id=version_id, what="CHANGED")
        if first_day > clock.today():
            at = clock.day_start(first_day)
            jobs.defer(session, "itemchanges.tell", at=at, version_id=version_id, what="CHANGED")


def _with_open_matters(session: Session, item_ids: Sequence[str]) -> set[str]:
    if not item_ids:
        return set()
    drafted = prereviews.items_with_drafts(session, item_ids)
    return drafted | appointments.items_booked(session, item_ids, starting=clock.now())


def on_withdrawn(session: Session, event: ItemPublicationWithdrawn) -> None:
    """Queue the messages that the announced change is cancelled."""
    jobs.defer(session, "itemchanges.tell", version_id=str(event.version_id), what="CANCELLED")


def concerned(
    session: Session, version_id: UUID, after: tuple[str, UUID | None], *, limit: int = BATCH
) -> list[tuple[str, UUID, UUID]]:
    """The next batch of open matters of other versions: kind, key and owner, drafts first, in order of their keys.

    `after`: kind and key of the last one that was told; `("prereview", None)` at the beginning. Raises `NotFound`.
    """
    item = catalogue.item_version(session, version_id)
    kind, last = after
    found: list[tuple[str, UUID, UUID]] = []
    if kind == "prereview":
        drafts = prereviews.drafts_of_item(session, item.item_id, version_id, after=last, limit=limit)
        found = [("prereview", key, owner) for key, owner in drafts]
        last = None
    if len(found) < limit:
        first = max(clock.day_start(item.effective_from), clock.now() - timedelta(hours=1))
        booked = appointments.booked_by_other_version(
            session, item.item_id, version_id, starting=first, after=last, limit=limit - len(found)
        )
        found += [("appointment", key, owner) for key, owner in booked]
    return found


def tell(session: Session, *, version_id: UUID, what: str, matters: Sequence[tuple[str, UUID, UUID]]) -> None:
    """Tell the owners of `matters`, each once a version and `what` ("CHANGED", "CANCELLED")."""
    if (what == "CHANGED") != catalogue.is_law(session, version_id):
        return  # taken back meanwhile: those who were told are told that, too
    item = catalogue.item_version(session, version_id)
    note = ""
    base = catalogue.base_of(session, version_id)
    if what == "CHANGED" and base is not None:
        told = differences.between(session, base, version_id).told("zh", to_citizen=True)
        if not told:
            return  # nothing that a citizen would notice
        more = f"等{len(told)}处" if len(told) > SENTENCES else ""
        note = "；".join(change["text"] for change in told[:SENTENCES]) + more
    for kind, matter_id, owner_id in matters:
        messages.announce(
            session,
            to=owner_id,
            template="ITEM_CHANGED" if what == "CHANGED" else "ITEM_CHANGE_CANCELLED",
            event_id=f"item:{version_id}:{what.lower()}",
            fields={"matter": item.name, "when": item.effective_from.isoformat(), "note": note},
            matter_type=kind,
            matter_id=matter_id,
            sensitive=item.sensitive,
        )
