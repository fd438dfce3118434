"""Refusals about tiles."""

from __future__ import annotations

from core.errors import Problem


class TileClosed(Problem):
    """The tile can't be opened now; the sentence says why."""

    code, status = "TILE_CLOSED", 409
    zh, en = "{reason_zh}", "{reason_en}"
