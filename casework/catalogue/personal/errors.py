"""What favourites can refuse."""

from __future__ import annotations

from core.errors import StateConflict


class TooManyFavourites(StateConflict):
    """The list is as long as it may be."""

    zh, en = "收藏已满，请先删除不再需要的事项", "The list of favourites is full; remove what is no longer needed"
