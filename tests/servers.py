"""The servers one test run shares: PostgreSQL with a migrated template database, and Valkey."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from core import cache, db
from core.settings import load
from gateway.local.embedded import start_postgres, start_valkey
from tests.environment import environment

TEMPLATE = "template_migrated"
_MEMORY = Path("/dev/shm")  # noqa: S108  # tempfile makes a folder of its own there
_MEMORY_BYTES = 2_000_000_000


@dataclass(frozen=True)
class Services:
    """Addresses of the servers one run shares."""

    postgres: str
    valkey: str
    in_memory: bool


def start(stack: ExitStack) -> Services:
    """Start both, with their data in memory where there is enough: on a disk, copying a database costs ten times as much."""
    in_memory = _has_memory()
    made = tempfile.TemporaryDirectory(
        prefix="nb-tests-", dir=_MEMORY if in_memory else None, ignore_cleanup_errors=True
    )
    folder = Path(stack.enter_context(made))
    folder.chmod(0o755)
    postgres = start_postgres(folder / "postgres", fast=True)
    stack.callback(postgres.stop)
    valkey = start_valkey(folder / "valkey", fast=True)
    stack.callback(valkey.stop)
    return Services(postgres.url, valkey.url, in_memory)


def _has_memory() -> bool:
    if not os.access(_MEMORY, os.W_OK | os.X_OK) or shutil.disk_usage(_MEMORY).free < _MEMORY_BYTES:
        return False
    # Root's PostgreSQL may need its programs copied beside its data (gateway.local.postgres).
    return os.geteuid() != 0 or not os.statvfs(_MEMORY).f_flag & os.ST_NOEXEC


def database_url(server: str, name: str) -> str:
    return make_url(server).set(database=name, drivername="postgresql").render_as_string(hide_password=False)


def admin(server: str, statement: str) -> None:
    with psycopg.connect(database_url(server, "postgres"), autocommit=True) as connection:
        connection.execute(statement)


def clone(services: Services, name: str) -> None:
    """Make the database `name` a copy of the template, the way that is quicker in memory or on a disk."""
    strategy = "FILE_COPY" if services.in_memory else "WAL_LOG"
    admin(services.postgres, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY {strategy}")


def make_template(services: Services) -> None:
    from gateway import operations
    from gateway.database import migrate

    admin(services.postgres, f"CREATE DATABASE {TEMPLATE}")
    url = "postgresql+psycopg://" + database_url(services.postgres, TEMPLATE).split("://", 1)[1]
    migrate(url)
    operations.connect(load(environment(url, services.valkey, {})))
    operations.import_sample(lambda _line: None)
    db.dispose()
    cache.dispose()
