"""The database: one declarative base, one engine, one way to open a transaction.

Only `transaction()` commits, once per request or job; services take the session and never commit. Partners are never
called inside one. Loading is explicit: after the commit a lazy load fails loudly, which is wanted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from psycopg.conninfo import make_conninfo
from sqlalchemy import DateTime, Engine, LargeBinary, MetaData, create_engine, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect, make_url
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from sqlalchemy.types import TypeDecorator

from core import ids, security

LOCK_TIMEOUT_MS = 3_000
STATEMENT_TIMEOUT_MS = 15_000


class Base(DeclarativeBase):
    """Base of every table. Times are zone-aware, dictionaries are JSONB, constraint names follow one convention."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
        bytes: LargeBinary,
    }


class UuidKey:
    """Mixin: a UUIDv7 primary key, which sorts by time of creation."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=ids.uuid7, sort_order=-10)


class Encrypted(TypeDecorator[str]):
    """A text column encrypted by field (2.7). `context` ("table.column") binds the cipher text to its column."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, context: str) -> None:
        super().__init__()
        self.context = context

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002
        """Encrypt on the way in."""
        return None if value is None else security.encrypt(value, self.context)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Decrypt on the way out."""
        return None if value is None else security.decrypt(bytes(value), self.context)


class _State:
    engine: Engine | None = None
    factory: sessionmaker[Session] | None = None


_joined: ContextVar[Session | None] = ContextVar("joined_session", default=None)


def configure(url: str, *, pool: int = 8) -> Engine:
    """Connect this process to the database at `url` with at most `pool` connections. Disposes an earlier engine."""
    dispose()
    engine = create_engine(
        url,
        pool_size=pool,
        max_overflow=0,
        pool_timeout=10,
        pool_pre_ping=False,
        pool_recycle=1800,
        connect_args={
            "connect_timeout": 5,
            "prepare_threshold": 1,
            "options": f"-c lock_timeout={LOCK_TIMEOUT_MS} -c statement_timeout={STATEMENT_TIMEOUT_MS} -c timezone=UTC",
            "application_name": "ningbo-government",
        },
    )
    _State.engine = engine
    _State.factory = sessionmaker(engine, expire_on_commit=False)
    return engine


def conninfo(url: str, application: str) -> str:
    """Libpq's form of the SQLAlchemy address `url`, for connections outside the pool that `application` opens."""
    found = make_url(url)
    return make_conninfo(
        host=found.host or str(found.query.get("host", "")),
        port=found.port or 5432,
        user=found.username or "",
        password=found.password or "",
        dbname=found.database or "",
        application_name=application,
    )


def dispose() -> None:
    """Close all connections of this process."""
    if _State.engine is not None:
        _State.engine.dispose()
    _State.engine = None
    _State.factory = None


def engine() -> Engine:
    """The engine of this process. Raises `RuntimeError` before `configure`."""
    if _State.engine is None:
        raise RuntimeError("core.db.configure() has not run")
    return _State.engine


@contextmanager
def transaction() -> Iterator[Session]:
    """Open a session; commit once at the end of the block, roll back on any exception.

    Inside `join(session)` it hands out that session and leaves the commit to its opener, so that an idempotent
    request and its answer are one transaction.
    """
    joined = _joined.get()
    if joined is not None:
        yield joined
        return
    if _State.factory is None:
        raise RuntimeError("core.db.configure() has not run")
    with _State.factory() as session, session.begin():
        yield session


@contextmanager
def join(session: Session) -> Iterator[None]:
    """Make every `transaction()` inside the block part of `session`'s transaction."""
    token = _joined.set(session)
    try:
        yield
    finally:
        _joined.reset(token)


def ping() -> None:
    """Raise if the database doesn't answer."""
    with engine().connect() as connection:
        connection.execute(text("SELECT 1"))
