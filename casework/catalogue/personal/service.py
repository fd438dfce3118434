"""Keeping favourites, and noting what was looked at."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.orm import Session, aliased

from auth.accounts.events import AccountClosed, SubjectsMerged
from casework.catalogue.models import CatalogueItem
from casework.catalogue.personal.errors import FavouritesFull
from casework.catalogue.personal.models import ItemFavourite, ItemSeen
from casework.catalogue.rules import is_code
from core import clock
from core.errors import NotFound

_MINE: tuple[type[ItemFavourite] | type[ItemSeen], ...] = (ItemFavourite, ItemSeen)
MOST_FAVOURITES = 100
KEPT_DAYS = 90
"""How long it is remembered that somebody looked at an item (2.8: no longer than it serves)."""


def keep(session: Session, *, subject_id: UUID, item_id: str) -> None:
    """Make an item a favourite; once more changes nothing. Several at once wait for each other, so that the end holds.

    Raises `NotFound` for a code that was never given, and `FavouritesFull`.
    """
    _known(session, item_id)
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"favourites {subject_id}", 0))))
    mine = ItemFavourite.subject_id == subject_id
    others = select(func.count()).where(mine, ItemFavourite.item_id != item_id)
    if (session.scalar(others) or 0) >= MOST_FAVOURITES:
        raise FavouritesFull()
    row = {"subject_id": subject_id, "item_id": item_id, "added_at": clock.now()}
    session.execute(pg.insert(ItemFavourite).values(row).on_conflict_do_nothing())


def drop(session: Session, *, subject_id: UUID, item_id: str) -> None:
    """Make an item no favourite; one that is none stays so."""
    if not is_code(item_id):
        return
    session.execute(
        delete(ItemFavourite).where(ItemFavourite.subject_id == subject_id, ItemFavourite.item_id == item_id)
    )


def note_seen(session: Session, *, subject_id: UUID, item_id: str) -> None:
    """Note that the person looked at an item now. Raises `NotFound` for a code that was never given."""
    _known(session, item_id)
    now = clock.now()
    write = pg.insert(ItemSeen).values(subject_id=subject_id, item_id=item_id, seen_at=now)
    session.execute(write.on_conflict_do_update(index_elements=["subject_id", "item_id"], set_={"seen_at": now}))


def forget_seen(session: Session, *, subject_id: UUID) -> None:
    """Forget what the person looked at."""
    session.execute(delete(ItemSeen).where(ItemSeen.subject_id == subject_id))


def forget_old(session: Session) -> None:
    """Forget what was looked at more than `KEPT_DAYS` ago."""
    session.execute(delete(ItemSeen).where(ItemSeen.seen_at < clock.now() - timedelta(days=KEPT_DAYS)))


def _known(session: Session, item_id: str) -> None:
    known = select(CatalogueItem.item_id).where(CatalogueItem.item_id == item_id)
    if not is_code(item_id) or session.scalar(known) is None:
        raise NotFound()


def move_owner(session: Session, event: SubjectsMerged) -> None:
    """Two subjects were found to be one person: what the absorbed one had comes along, each item once."""
    for model in _MINE:
        kept = aliased(model)
        same = select(kept.item_id).where(kept.subject_id == event.kept)
        session.execute(delete(model).where(model.subject_id == event.absorbed, model.item_id.in_(same)))
        session.execute(update(model).where(model.subject_id == event.absorbed).values(subject_id=event.kept))


def on_account_closed(session: Session, event: AccountClosed) -> None:
    """Nothing of this is kept of a closed account."""
    for model in _MINE:
        session.execute(delete(model).where(model.subject_id == event.subject_id))
