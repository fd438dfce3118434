"""The fee lines of each situation of the sample's items whose fee depends on it."""

from itertools import product
from typing import Any

import pytest

from casework.catalogue import service
from casework.catalogue.guide.rules import guide
from casework.catalogue.importing.rules import sheet
from casework.catalogue.importing.tariffs.rules import apply
from casework.catalogue.linting.rules import sheet_faults
from casework.catalogue.rules import Item
from casework.catalogue.situations.rules import YES
from tests.factories.catalogue import contents, item

TARIFFS = service.sample_beside().tariffs


def fee(found: Item, **answers: str) -> tuple[list[int], int]:
    """The numbers of the lines and what they come to."""
    made = guide(found, answers)
    return [line.no for line in made.fee_lines], made.fee_total_fen


@pytest.mark.parametrize(
    ("item_id", "answers", "lines", "total"),
    [
        ("NB-002", {"non_residential": "no", "separate_certificates": "no"}, [1, 4], 8_000),
        ("NB-002", {"non_residential": "yes", "separate_certificates": "yes"}, [2, 3, 4], 56_000),
        ("NB-003", {"non_residential": "yes", "separate_certificates": "no"}, [2], 55_000),
        ("NB-005", {"between_spouses": "no"}, [1], 8_000),
        ("NB-005", {"between_spouses": "yes"}, [2], 0),
        ("NB-006", {"non_residential": "no"}, [1], 8_000),
        ("NB-006", {"non_residential": "yes"}, [2], 55_000),
        ("NB-054", {"endorsement": "once"}, [1, 2], 7_500),
        ("NB-054", {"endorsement": "twice"}, [1, 3], 9_000),
        ("NB-054", {"endorsement": "both"}, [1, 2, 3], 10_500),
        ("NB-055", {"endorsement": "once"}, [1], 1_500),
        ("NB-055", {"endorsement": "twice"}, [2], 3_000),
        ("NB-056", {"with_endorsement": "no"}, [1], 6_000),
        ("NB-056", {"with_endorsement": "yes"}, [1, 2], 7_500),
        ("NB-081", {"permit_term": "under_1_year"}, [1], 40_000),
        ("NB-081", {"permit_term": "1_to_3_years"}, [2], 80_000),
        ("NB-081", {"permit_term": "3_to_5_years"}, [3], 100_000),
        ("NB-083", {"document_use": "civil"}, [1], 5_000),
        ("NB-083", {"document_use": "commercial"}, [2], 10_000),
    ],
)
def test_the_fee_of_a_situation(item_id: str, answers: dict[str, str], lines: list[int], total: int) -> None:
    assert fee(item(item_id), **answers) == (lines, total)


@pytest.mark.parametrize("item_id", TARIFFS)
def test_every_way_through_an_item_ends_with_a_fee_and_no_rule_is_dead(item_id: str) -> None:
    found = item(item_id)
    assert sheet_faults(sheet(contents()[item_id])) == []
    keys = [question.key for question in found.questions]
    ways = [dict(zip(keys, chosen, strict=True)) for chosen in product(*(q.values for q in found.questions))]
    made = [guide(found, answers) for answers in ways]
    assert all(one.fee_lines and one.papers for one in made)
    assert {line for one in made for line in one.fee_lines} == set(found.fee_lines)


def test_the_basis_in_law_of_each_amount_is_that_of_the_document() -> None:
    for told in service.sample_document()["items"]:
        lines = [(line["name"], line["amount_cents"], line["basis"]) for line in told["fee"]["lines"]]
        assert [(line.name, line.amount_fen, line.basis) for line in item(told["item_id"]).fee_lines] == lines


def test_a_document_with_other_lines_stays_as_it_is() -> None:
    """It has another tariff, which ours says nothing about."""
    tariff = TARIFFS["NB-002"]
    lines: list[dict[str, Any]] = [{"no": 1, "name": "不动产登记费(住宅)"}, {"no": 2, "name": "登记费"}]
    assert apply(tariff, [], lines) == ([], lines, [])
    assert apply({}, [], lines) == ([], lines, [])


def test_questions_follow_those_about_papers_and_other_lines_always_hold() -> None:
    asked = [{"key": "agent", "position": 1}]
    lines = [{"no": 7, "name": "工本费"}, {"no": 9, "name": "加急费"}]
    tariff = {"questions": [{"key": "urgent"}], "lines": {"加急费": {"question": "urgent", "is": YES}}}
    questions, made, rules = apply(tariff, asked, lines)
    assert questions == [*asked, {"key": "urgent", "position": 2}]
    assert [line["by_rule"] for line in made] == [False, True]
    assert rules == [
        {"no": 1, "condition": {"question": "urgent", "is": YES}, "effect": "ADD_FEE", "params": {"fee": 9}}
    ]
