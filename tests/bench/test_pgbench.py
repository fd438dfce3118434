"""The booking's own statement becomes a pgbench script."""

from __future__ import annotations

from uuid import UUID

from bench import data, pgbench
from bench.stack import BUSINESS_TIME
from core import clock
from core.db import transaction

_SLOT = UUID(int=7)


def test_values_are_written_in_and_what_changes_is_a_variable() -> None:
    statement = "UPDATE slot\n SET used = used + %(m)s::INTEGER WHERE id = %(s)s::UUID AND note LIKE '%%' RETURNING id"
    made = pgbench.script(statement, {"m": 25, "s": _SLOT}, {_SLOT: "key(:slot)"})
    assert (
        made == "UPDATE slot SET used = used + 25::INTEGER WHERE id = (key(:slot))::UUID AND note LIKE '%' RETURNING id"
    )


def test_text_is_quoted() -> None:
    assert pgbench.script("SELECT %(a)s", {"a": "it's"}, {}) == "SELECT 'it''s'"


def test_the_statement_of_a_real_booking_is_found(database: object) -> None:
    with clock.at(BUSINESS_TIME):
        with transaction() as session:
            data.make_slots(session)
        data.make_people(1)
        made = pgbench.booking_statement(1, data.ONE_SLOT)
    assert made.startswith("WITH taken AS (UPDATE slot SET used_minutes=")
    assert "INSERT INTO appointment (" in made
    assert "%(" not in made
    assert made.count("(:slot)::bigint") == 2, "the slot is named where it is taken and in the row"
    assert made.count("(:person)::bigint") == 2, "owner and who acts"
    assert made.count("(:unique)::bigint") == 3, "number, item and phone"
    assert "2026-12-02" in made, "the rest is as it was"
