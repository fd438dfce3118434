"""What versions are looked up by has an index: with sequential scans made expensive, none is left on a table that grows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from casework.appointments import queries as appointments
from casework.catalogue.drafts import queries as drafts
from casework.catalogue.redirects import queries as redirects
from casework.prereview import queries as prereviews
from core import clock, db
from core.actors import Staff

GROWING = ("item_version", "item_version_event", "item_redirect", "prereview", "appointment")
MANAGER = Staff(uuid4(), uuid4(), frozenset({"ITEM_MANAGER"}), None, "D11")
LOOKS: dict[str, Callable[[Session], object]] = {
    "the department's versions": lambda session: drafts.page(session, MANAGER, {"limit": 20}),
    "an item's last version": lambda session: drafts.latest(session, "NB-002"),
    "an item on a day": lambda session: drafts.in_force_on(session, "NB-002", clock.today()),
    "a version's history": lambda session: drafts.history(session, uuid4()),
    "where an item went": lambda session: redirects.leads_back(session, "NB-002", ["NB-001"]),
    "whose drafts": lambda session: prereviews.drafts_of_item(session, "NB-002", uuid4(), after=uuid4(), limit=200),
    "which items have drafts": lambda session: prereviews.items_with_drafts(session, ["NB-001", "NB-002"]),
    "whose bookings": lambda session: appointments.booked_by_other_version(
        session, "NB-002", uuid4(), starting=clock.now() + timedelta(days=1), after=None, limit=200
    ),
    "which items are booked": lambda session: appointments.items_booked(session, ["NB-001"], starting=clock.now()),
}


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
        seen.append((statement, values))

    event.listen(db.engine(), "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine(), "before_cursor_execute", note)


@pytest.mark.parametrize("name", LOOKS)
def test_no_look_reads_a_whole_table(database: Flask, name: str) -> None:
    with db.transaction() as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        with statements() as seen:
            LOOKS[name](session)
        assert len(seen) == 1
        plan = "\n".join(session.connection().exec_driver_sql(f"EXPLAIN {seen[0][0]}", seen[0][1]).scalars())
        for table in GROWING:
            assert f"Seq Scan on {table}" not in plan, plan
