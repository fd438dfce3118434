"""What favourites can refuse."""

from __future__ import annotations

from core.errors import Problem


class FavouritesFull(Problem):
    """The list is as long as it may be."""

    code, status = "FAVOURITES_FULL", 409
    zh, en = "收藏已满，请先删除不再需要的事项", "The list of favourites is full; remove what is no longer needed"
