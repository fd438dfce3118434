"""What is read before every booking, kept by the revision of catalogue and places: at most a second late, as their answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from typing import Generic, NamedTuple, TypeVar

from sqlalchemy.orm import Session

from casework.catalogue import queries as catalogue
from casework.catalogue.answers import queries as answers
from casework.catalogue.answers.queries import KEEP_SECONDS, Revision
from casework.catalogue.rules import Item

_MOST_ITEMS = 2_000

K = TypeVar("K")
V = TypeVar("V")


class _Kept(NamedTuple, Generic[V]):
    revision: Revision
    read_at: float
    value: V


class ByRevision(Generic[K, V]):
    """Values of keys, at most `most`, each read anew by `read` when the revision has changed. What `read` raises isn't kept.

    Safe for threads: a dictionary that became too big is left behind, never emptied.
    """

    def __init__(self, read: Callable[[Session, K], V], *, most: int) -> None:
        self._read, self._most = read, most
        self._kept: dict[K, _Kept[V]] = {}

    def get(self, session: Session, key: K) -> V:
        """The value of `key`. Raises what `read` raises."""
        # Read before the value: what changes in between is noticed at the next look.
        revision, now = answers.revision(session), time.monotonic()
        found = self._kept.get(key)
        if found is not None and found.revision == revision and now - found.read_at < KEEP_SECONDS:
            return found.value
        value = self._read(session, key)
        if len(self._kept) >= self._most:
            self._kept = {}
        self._kept[key] = _Kept(revision, now, value)
        return value


def _item(session: Session, key: tuple[str, date]) -> Item:
    return catalogue.item_in_force(session, *key)


_ITEMS = ByRevision(_item, most=_MOST_ITEMS)


def item_in_force(session: Session, item_id: str, day: date) -> Item:
    """As `catalogue.queries.item_in_force`, mostly without a query."""
    return _ITEMS.get(session, (item_id, day))
