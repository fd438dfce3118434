"""The product's only clock.

Rules never read it: `now` is passed in. Services and surfaces read it once per use case. All business times are aware
(K-11) and all day arithmetic is in Asia/Shanghai. Protocol freshness (signature timestamps, TOTP, token windows at partners)
uses `wall()`, which never shifts.

For demonstrations and tests the business clock can be moved: `shift(...)` inside one process, or a file named by the
setting CLOCK_SHIFT_FILE (seconds, as text) for a whole stack; production refuses that setting.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")

_RELOAD_SECONDS = 0.2


class _Clock:
    """The shift in force, from the process or from the shift file."""

    def __init__(self) -> None:
        self.shift = timedelta()
        self.file: Path | None = None
        self._file_shift = timedelta()
        self._read_at = 0.0

    def offset(self) -> timedelta:
        """The whole shift; re-reads the file at most every 0.2 s."""
        if self.file is not None and time.monotonic() - self._read_at > _RELOAD_SECONDS:
            self._read_at = time.monotonic()
            try:
                self._file_shift = timedelta(seconds=float(self.file.read_text() or 0))
            except (FileNotFoundError, ValueError):
                self._file_shift = timedelta()
        return self.shift + self._file_shift


_clock = _Clock()


def use_shift_file(path: Path | None) -> None:
    """Let the file at `path` shift the business clock of this process (never in production)."""
    _clock.file = path


@contextmanager
def shift(by: timedelta) -> Iterator[None]:
    """Move the business clock of this process by `by` while the block runs."""
    before = _clock.shift
    _clock.shift = before + by
    try:
        yield
    finally:
        _clock.shift = before


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Set the business clock of this process to `moment` (it goes on running from there) while the block runs."""
    with shift(moment - now()):
        yield


def wall() -> datetime:
    """The true time, aware, UTC."""
    return datetime.now(UTC)


def now() -> datetime:
    """The business time, aware, UTC."""
    return datetime.now(UTC) + _clock.offset()


def today() -> date:
    """The business day in Shanghai."""
    return local(now()).date()


def local(moment: datetime) -> datetime:
    """`moment` in Asia/Shanghai."""
    return moment.astimezone(SHANGHAI)


def day_start(day: date) -> datetime:
    """The first moment of `day` in Shanghai, aware."""
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
