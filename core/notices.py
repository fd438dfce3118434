"""Short notices between processes, by PostgreSQL's NOTIFY: what a process keeps in memory ends everywhere within a second.

A trigger or a service says `pg_notify(channel, payload)` in its transaction; every process that has a `Listener` on the
channel hears it as soon as that commits. A notice may be lost with the connection that carries notices, so whoever relies
on them asks `heard_since(moment)` first: true only while the connection proves, by answering several times a second, that
nothing was missed. Session-level pooling is needed between this process and PostgreSQL, as the job queue needs it too.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import psycopg
import structlog
from psycopg import sql

BEAT_SECONDS = 0.25
"""How often the connection has to prove that it is alive."""
SILENT_SECONDS = 0.75
"""After so long without a proof, what was missed is unknown: with a beat and a round trip this stays below one second."""

_log = structlog.get_logger(__name__)


class Listener:
    """One thread that hears one channel. `hear` gets each payload, in that thread."""

    def __init__(self, channel: str, hear: Callable[[str], None]) -> None:
        self._channel, self._hear = channel, hear
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        # Monotonic: since when nothing was missed, and when that was proven last.
        self._since, self._proven = float("inf"), float("-inf")

    def start(self, conninfo: str) -> None:
        """Listen at the database of `conninfo`; ends an earlier listening."""
        self.stop()
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(conninfo, self._stop), name=f"notices-{self._channel}", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End the listening."""
        if self._thread is not None:
            self._stop.set()
            self._thread.join(5)
            self._thread = None

    def heard_since(self, moment: float) -> bool:
        """Whether every notice since `moment` (monotonic) has been heard, but for those of the last second."""
        return self._since <= moment and time.monotonic() - self._proven < SILENT_SECONDS

    def _run(self, conninfo: str, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                self._listen(conninfo, stop)
            except (psycopg.Error, OSError) as fault:
                _log.warning("notices.lost", channel=self._channel, fault=type(fault).__name__)
            self._since = float("inf")
            stop.wait(BEAT_SECONDS)

    def _listen(self, conninfo: str, stop: threading.Event) -> None:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))
            self._since = self._proven = time.monotonic()
            while not stop.is_set():
                for notice in connection.notifies(timeout=BEAT_SECONDS):
                    self._hear(notice.payload)
                asked = time.monotonic()
                connection.execute("SELECT 1")
                # What came with that answer is heard first.
                for notice in connection.notifies(timeout=0):
                    self._hear(notice.payload)
                self._proven = asked
