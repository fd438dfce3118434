"""The sandbox's state: one SQLite file, one connection, one lock."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# What the platform's console would keep (report address, registered templates): survives a plain reset.
_CONFIGURATION = "configuration"


class Store:
    """Opens the file, makes its tables, and hands out transactions."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(Path(__file__).with_name("schema.sql").read_text(encoding="utf-8"))

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; other threads wait. A transaction inside one joins it."""
        with self._lock:
            if self._depth == 0:
                self._db.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield self._db
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._db.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._db.execute("COMMIT")

    def all(self, query: str, *values: object) -> list[sqlite3.Row]:
        """Every row of a query."""
        with self._lock:
            return self._db.execute(query, values).fetchall()

    def one(self, query: str, *values: object) -> sqlite3.Row | None:
        """The first row of a query."""
        with self._lock:
            row: sqlite3.Row | None = self._db.execute(query, values).fetchone()
            return row

    def use_nonce(self, partner: str, nonce: str, now: float, keep_seconds: float) -> bool:
        """Note a nonce; False if it was used within `keep_seconds`."""
        with self.transaction() as db:
            db.execute("DELETE FROM nonce WHERE partner = ? AND at < ?", (partner, now - keep_seconds))
            added = db.execute("INSERT OR IGNORE INTO nonce VALUES (?, ?, ?)", (partner, nonce, now))
            return added.rowcount == 1

    def setting(self, key: str, default: Any) -> Any:
        """What the platform's console holds under `key`."""
        row = self.one("SELECT value FROM configuration WHERE key = ?", key)
        return default if row is None else json.loads(row["value"])

    def set_setting(self, key: str, value: Any) -> None:
        """Keep something in the platform's console."""
        with self.transaction() as db:
            db.execute("INSERT OR REPLACE INTO configuration VALUES (?, ?)", (key, json.dumps(value)))

    def reset(self, *, configuration: bool) -> None:
        """Forget everything that happened; with `configuration` also what the consoles hold."""
        with self.transaction() as db:
            tables = [row["name"] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
            for table in tables:
                if configuration or table != _CONFIGURATION:
                    db.execute(f'DELETE FROM "{table}"')  # noqa: S608  # names come from the schema itself

    def close(self) -> None:
        """Write everything into the one file and close it."""
        with self._lock:
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._db.close()
