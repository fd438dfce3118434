"""Forgetting sign-ins and confirmations that are over (P-6)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from auth.staff.confirmations import service
from core import clock, jobs, retention


@jobs.every("15 20 * * *", "staff.forget_old")
def forget_old() -> None:
    """At 04:15 in Shanghai."""
    retention.run("staff_confirmations", _by_true_time(service.forget))
    retention.run("staff_sessions", _by_true_time(service.forget_sessions))


def _by_true_time(forget: Callable[[Session, datetime], int]) -> Callable[[Session, datetime], int]:
    """Sessions run by the true clock, also while a demonstration has moved the other one."""
    return lambda session, before: forget(session, before - (clock.now() - clock.wall()))
