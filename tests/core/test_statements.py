"""Statements of hot paths: compiled once, typed as elsewhere, in the caller's transaction, with SQLAlchemy's faults."""

from collections.abc import Callable
from typing import Any, cast

import psycopg
import pytest
from flask import Flask
from sqlalchemy import Table, bindparam, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from core import clock, db
from core.statements import Statement
from core.web.idempotency import IdempotencyKey

_TABLE = cast(Table, IdempotencyKey.__table__)
_INSERT = Statement(insert(_TABLE), columns=("owner", "key", "digest", "created_at", "body"))
_BODY = Statement(select(_TABLE.c.body).where(_TABLE.c.owner == bindparam("of")))
_COUNT = Statement(select(func.count()).where(_TABLE.c.owner.in_(["a", "b"]), _TABLE.c.key == bindparam("named")))


def _row(owner: str, body: str | None = None) -> dict[str, Any]:
    return {"owner": owner, "key": "k", "digest": b"d", "created_at": clock.wall(), "body": body}


def test_values_are_converted_by_their_columns(database: Flask) -> None:
    with db.transaction() as session:
        assert _INSERT.rows(session, **_row("a", "甲")) == []
        assert _BODY.row(session, of="a") == ("甲",)
        stored = session.execute(text("SELECT body FROM idempotency_key WHERE owner = 'a'")).scalar_one()
        assert "甲".encode() not in bytes(stored)
        _INSERT.rows(session, **_row("b"))
        assert _BODY.row(session, of="b") == (None,)
        assert _BODY.row(session, of="nobody") is None


def test_a_statement_brings_the_values_of_its_in(database: Flask) -> None:
    with db.transaction() as session:
        for owner in ("a", "b", "c"):
            _INSERT.rows(session, **_row(owner))
        assert _COUNT.rows(session, named="k") == [(2,)]
        assert _COUNT.rows(session, named="other") == [(0,)]


def test_what_is_pending_in_the_session_is_seen_and_rolled_back_with_it(database: Flask) -> None:
    with pytest.raises(RuntimeError), db.transaction() as session:
        session.add(IdempotencyKey(**_row("a", "pending")))
        assert _BODY.row(session, of="a") == ("pending",)
        with session.no_autoflush:
            session.add(IdempotencyKey(**_row("b", "not yet")))
            assert _BODY.row(session, of="b") is None
        raise RuntimeError
    with db.transaction() as session:
        assert _BODY.row(session, of="a") is None


def test_faults_are_sqlalchemys_and_hold_no_values(database: Flask) -> None:
    with pytest.raises(IntegrityError) as clash, db.transaction() as session:
        for _ in range(2):
            _INSERT.rows(session, **_row("a", "13800001234"))
    assert isinstance(clash.value.orig, psycopg.errors.UniqueViolation)
    assert clash.value.params is None


def test_a_busy_row_is_told_as_such(database: Flask) -> None:
    change = Statement(update(_TABLE).where(_TABLE.c.owner == bindparam("of")).values(status=1))
    with db.transaction() as session:
        _INSERT.rows(session, **_row("a"))
    with db.transaction() as first, pytest.raises(DBAPIError) as busy, db.transaction() as second:
        change.rows(first, of="a")
        second.execute(text("SET LOCAL lock_timeout = '50ms'"))
        change.rows(second, of="a")
    assert isinstance(busy.value.orig, psycopg.errors.LockNotAvailable)


def test_a_lost_connection_is_noticed_and_replaced(database: Flask) -> None:
    with pytest.raises(OperationalError) as lost, db.transaction() as session:
        backend = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with db.transaction() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": backend})
        _BODY.row(session, of="a")
    assert lost.value.connection_invalidated
    with db.transaction() as session:
        assert _BODY.row(session, of="a") is None


def test_who_counts_statements_counts_these(database: Flask, count_queries: Callable[[], Any]) -> None:
    with db.transaction() as session, count_queries() as queries:
        _BODY.row(session, of="a")
        _BODY.row(session, of="b")
    assert len(queries) == 2


def test_alone_needs_no_transaction_and_leaves_none(database: Flask, count_queries: Callable[[], Any]) -> None:
    with count_queries() as queries:
        assert _INSERT.alone(**_row("a", "甲")) == []
        assert _BODY.alone(of="a") == [("甲",)]
    assert len(queries) == 2
    with pytest.raises(IntegrityError):
        _INSERT.alone(**_row("a"))
    with pytest.raises(RuntimeError), db.transaction() as session:
        _INSERT.rows(session, **_row("b"))
        raise RuntimeError
    assert _BODY.alone(of="b") == []
