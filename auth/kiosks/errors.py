"""Refusals about kiosks."""

from __future__ import annotations

from core.errors import Problem


class KioskExists(Problem):
    """Another kiosk has this code."""

    code, status = "KIOSK_EXISTS", 409
    zh, en = "该编号的自助终端已登记", "A kiosk with this code is registered already"
