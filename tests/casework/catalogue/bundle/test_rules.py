"""What an entry says, and that a difference leads from the old to the new."""

from types import SimpleNamespace
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from casework.catalogue.bundle import rules

KEYS = st.sampled_from([f"NB-{number:03}" for number in range(8)])
CONTENTS = st.dictionaries(KEYS, st.integers(0, 2))

ROW: dict[str, Any] = {
    "item_id": "NB-001",
    "version": 2,
    "name": "换领身份证",
    "zone_code": "A",
    "department_id": "D1",
    "legal_limit": 20,
    "legal_limit_unit": "WORKDAY",
    "legal_limit_note": "不含公示",
    "promised_limit": 0,
    "promised_limit_unit": "WORKDAY",
    "promised_limit_note": "",
    "is_fee": True,
    "address": "",
    "hours": "9:00-17:00",
    "consult": "12345",
    "supervise": "",
    "is_sample": False,
}
PAPER = {
    "name": "户口簿",
    "required": False,
    "condition": "moved",
    "by_rule": False,
    "alternative_group": "",
    "copies": 1,
    "original_required": True,
    "waivable": False,
    "tolerable": False,
}
FEE = {"name": "工本费", "amount_fen": 0, "formula": "", "unit": "证", "by_rule": False}


def digests(contents: dict[str, int]) -> dict[str, str]:
    return {key: rules.digest(orjson.dumps(value)) for key, value in contents.items()}


@given(CONTENTS, CONTENTS)
def test_the_difference_applied_to_the_old_is_the_new(old: dict[str, int], new: dict[str, int]) -> None:
    steps = rules.difference(digests(old), digests(new))
    held = {key: value for key, value in old.items() if key not in steps.removed}
    held |= {key: new[key] for key in (*steps.added, *steps.changed)}
    assert held == new
    assert not set(steps.added) & set(old)
    assert set(steps.changed) <= set(old)
    assert all(old[key] != new[key] for key in steps.changed)


@given(CONTENTS)
def test_nothing_leads_to_the_same(same: dict[str, int]) -> None:
    assert rules.difference(digests(same), digests(same)) == rules.Difference([], [], [])


def test_what_is_empty_is_left_out_but_an_amount_of_nothing_is_said() -> None:
    formula = FEE | {"amount_fen": None, "formula": "AREA", "by_rule": True}
    row = SimpleNamespace(**ROW, materials=[PAPER, PAPER | {"copies": 2}], fee_lines=[FEE, formula])
    assert rules.entry(row) == {
        "i": "NB-001",
        "v": 2,
        "n": "换领身份证",
        "z": "A",
        "d": "D1",
        "l": [20, "WORKDAY", "不含公示"],
        "p": [0, "WORKDAY"],
        "m": [{"n": "户口簿", "q": "moved", "o": 1}, {"n": "户口簿", "q": "moved", "k": 2, "o": 1}],
        "y": 1,
        "f": [{"n": "工本费", "a": 0, "u": "证"}, {"n": "工本费", "x": "AREA", "u": "证", "b": 1}],
        "h": "9:00-17:00",
        "c": "12345",
    }
