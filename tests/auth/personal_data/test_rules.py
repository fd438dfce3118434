"""Moves of exports, requests and closings, and the two forms of a copy."""

import itertools
import json
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest

from auth.personal_data.closing import rules as closing
from auth.personal_data.corrections import rules as corrections
from auth.personal_data.exports import rules as exports
from auth.personal_data.exports.rules import Part
from core.errors import StateConflict
from tests.factories.personal_data import opened

NOW = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize("table", [exports, corrections, closing])
def test_every_pair_of_states(table: Any) -> None:
    states: type[StrEnum] = table.State
    assert set(table.TRANSITIONS) == set(states)
    for before, after in itertools.product(states, states):
        if after in table.TRANSITIONS[before]:
            table.check_move(before, after)
        else:
            with pytest.raises(StateConflict):
                table.check_move(before, after)


def test_final_states_are_final() -> None:
    assert {s for s, to in corrections.TRANSITIONS.items() if not to} == {"DONE", "REFUSED", "WITHDRAWN"}
    assert {s for s, to in closing.TRANSITIONS.items() if not to} == {"CALLED_OFF", "BLOCKED", "DONE"}
    assert {"OPEN", "TAKEN"} == corrections.UNANSWERED


def test_a_copy_is_readable_by_programs_and_people() -> None:
    values = {
        "at": NOW,
        "day": date(2026, 11, 24),
        "id": UUID(int=7),
        "note": "<script>alert('x')</script>",
        "rows": [{"a": 1}, {"a": None}],
        "nothing": [],
    }
    data, page = opened(exports.pack([Part("account", ("账号", "Account"), values)], NOW))
    assert data["made_at"] == "2026-11-24T09:30:00+08:00"
    assert data["account"]["at"] == "2026-11-24T09:30:00+08:00"
    assert (data["account"]["day"], data["account"]["id"]) == ("2026-11-24", str(UUID(int=7)))
    assert data["account"]["note"] == values["note"]
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "账号 · Account" in page
    assert "2026-11-24T09:30:00+08:00" in page


def test_the_same_copy_twice_is_the_same_bytes() -> None:
    part = Part("account", ("账号", "Account"), {"name": "张三"})
    assert exports.pack([part], NOW) == exports.pack([part], NOW)
    assert json.loads(exports.as_json([part], NOW))["account"] == {"name": "张三"}
