"""The audit log is append-only, chained, and its chain is recomputed by `verify` (2.7)."""

import threading
import time

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core import audit, db
from core.actors import System

ACTOR = System("test")


def _record(count: int = 1) -> None:
    with db.transaction() as session:
        for number in range(count):
            audit.record(
                session, actor=ACTOR, action="test.act", object_type="thing", object_id=number, after={"n": number}
            )


def _seal() -> int:
    with db.transaction() as session:
        return audit.seal(session)


def _sealed(count: int) -> int:
    """Seal until `count` rows are chained: a transaction in any database of the server holds the horizon back a moment."""
    sealed, until = _seal(), time.monotonic() + 60
    while sealed < count and time.monotonic() < until:
        time.sleep(0.05)
        sealed += _seal()
    return sealed


def _verify() -> audit.ChainReport:
    with db.transaction() as session:
        return audit.verify(session)


def test_sealed_rows_verify(database: Flask) -> None:
    _record(3)
    assert _verify() == audit.ChainReport(checked=0, unsealed=3, broken_at=None)
    assert _sealed(3) == 3
    _record(2)
    assert _sealed(2) == 2
    assert _verify() == audit.ChainReport(checked=5, unsealed=0, broken_at=None)


def test_the_database_refuses_change_and_deletion(database: Flask) -> None:
    _record()
    for statement in ("UPDATE audit_entry SET action = 'x'", "DELETE FROM audit_entry"):
        with pytest.raises(DBAPIError, match="audit entries are never"), db.transaction() as session:
            session.execute(text(statement))


SECOND = "WHERE seq = (SELECT min(seq) + 1 FROM audit_entry)"


@pytest.mark.parametrize(
    "tamper", [f"UPDATE audit_entry SET action = 'x' {SECOND}", f"DELETE FROM audit_entry {SECOND}"]
)
def test_tampering_behind_the_guard_is_found(database: Flask, tamper: str) -> None:
    _record(4)
    assert _sealed(4) == 4
    with db.transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text(tamper))
    assert _verify().broken_at is not None


def test_a_row_of_a_running_transaction_holds_the_chain_back(database: Flask) -> None:
    written, go = threading.Event(), threading.Event()

    def slow() -> None:
        with db.transaction() as session:
            audit.record(session, actor=ACTOR, action="test.slow", object_type="thing", object_id="slow")
            session.flush()
            written.set()
            go.wait(10)

    thread = threading.Thread(target=slow)
    thread.start()
    assert written.wait(10)
    _record()  # a later number, committed earlier
    assert _seal() == 0
    go.set()
    thread.join()
    assert _sealed(2) == 2
    assert _verify().checked == 2
