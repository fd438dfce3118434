"""Whether a local database already holds what these sources would put there: then a start needs neither to migrate nor to import.

The mark is the database's own comment, so that it goes when the database goes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from gateway.local.state import Local, write_private

_NOT_SOURCES = {"tests", "docs", "interop", "bench", "node_modules", "__pycache__"}
_FILE = "demo-staff.json"


def digest(local: Local, site: Mapping[str, Any]) -> str:
    """Identifies the sources, sample data and secrets that a prepared database depends on, and the department's `site` in it."""
    found = hashlib.sha256(local.secrets.read_bytes() + b"\0" + json.dumps(site, sort_keys=True).encode() + b"\0")
    for folder, folders, files in os.walk(local.root):
        folders[:] = sorted(name for name in folders if name not in _NOT_SOURCES and not name.startswith("."))
        for name in sorted(files):
            path = Path(folder, name)
            found.update(str(path.relative_to(local.root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def recall(local: Local, database_url: str, expected: str) -> list[dict[str, str]] | None:
    """The demo staff of a database that was prepared from the sources with the digest `expected`, else None."""
    with psycopg.connect(database_url) as connection:
        row = connection.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
        ).fetchone()
    try:
        kept: dict[str, Any] = json.loads((local.folder / _FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    if row != (expected,) or kept.get("digest") != expected:
        return None
    staff: list[dict[str, str]] = kept["staff"]
    return staff


def remember(local: Local, database_url: str, made_from: str, staff: list[dict[str, str]]) -> None:
    """Note that the database was prepared from the sources with the digest `made_from`, and who its demo staff are."""
    write_private(local.folder / _FILE, json.dumps({"digest": made_from, "staff": staff}, ensure_ascii=False))
    with psycopg.connect(database_url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(made_from)))
