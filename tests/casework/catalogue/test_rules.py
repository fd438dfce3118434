"""Exact paper lists (S23, PR-2), the folding of text for search, limits in words."""

from dataclasses import replace
from itertools import product

import pytest

from casework.catalogue import rules
from casework.catalogue.rules import Item, VersionState, materials_for
from core.errors import InvalidInput
from core.workdays import Limit, Unit
from tests.factories.catalogue import item
from tests.factories.prereview import NO_SPECIALS

FEE_ANSWERS = {"answers.non_residential", "answers.separate_certificates"}


def every_answer(found: Item) -> list[dict[str, str]]:
    keys = [question.key for question in found.questions]
    choices = [[option.value for option in question.options] for question in found.questions]
    return [dict(zip(keys, chosen, strict=True)) for chosen in product(*choices)]


def test_the_papers_of_a_home_sale_follow_the_answers() -> None:
    home = item("NB-002")
    no = NO_SPECIALS
    assert [question.key for question in home.questions] == list(no)
    assert [paper.no for paper in materials_for(home, no)] == [1, 2, 3, 4, 7]
    assert [paper.no for paper in materials_for(home, no | {"agent": "yes"})] == [1, 2, 3, 4, 7, 8]
    assert [paper.no for paper in materials_for(home, dict.fromkeys(no, "yes"))] == [1, 2, 3, 4, 5, 6, 7, 8]


def test_open_unknown_and_foreign_answers_are_all_named() -> None:
    home = item("NB-002")
    with pytest.raises(InvalidInput) as refused:
        materials_for(home, {"agent": "perhaps", "colour": "red", "tax_relief": "no"})
    assert set(refused.value.fields) == {"answers.agent", "answers.marriage_proof", "answers.colour"} | FEE_ANSWERS


def test_an_item_without_questions_needs_no_answers() -> None:
    plain = replace(item("NB-001"), questions=(), materials=item("NB-001").materials[:4])
    assert materials_for(plain, {}) == plain.materials


def test_every_way_through_the_questions_of_every_item_ends_in_papers() -> None:
    ways = 0
    for n in range(1, 115):
        found = item(f"NB-{n:03d}")
        lists = [materials_for(found, answers) for answers in every_answer(found)]
        ways += len(lists)
        always = {paper.no for paper in found.materials if paper.condition is None}
        for papers in lists:
            assert papers
            assert always <= {paper.no for paper in papers}
            assert [paper.no for paper in papers] == sorted({paper.no for paper in papers})
        assert {paper for papers in lists for paper in papers} == set(found.materials)
    assert ways > 114 + 35


@pytest.mark.parametrize(
    ("limit", "zh", "en"),
    [
        (Limit(0), "即办", "at once"),
        (Limit(5), "5个工作日", "5 working days"),
        (Limit(30, Unit.NATURAL_DAY), "30个自然日", "30 calendar days"),
        (Limit(2, Unit.MONTH), "2个月", "2 months"),
        (Limit(1, Unit.YEAR), "1年", "1 year"),
        (Limit(1), "1个工作日", "1 working day"),
    ],
)
def test_limits_in_words(limit: Limit, zh: str, en: str) -> None:
    assert rules.limit_text(limit, "zh") == zh
    assert rules.limit_text(limit, "en") == en


def test_states_go_only_these_ways() -> None:
    """S22: from review a draft may come back; from law there is only the end, which may be taken back before its day."""
    moves = {(str(a), str(b)) for a, b in product(VersionState, VersionState) if b in rules.TRANSITIONS[a]}
    assert moves == {
        ("DRAFT", "IN_REVIEW"), ("DRAFT", "PUBLISHED"), ("DRAFT", "WITHDRAWN"),
        ("IN_REVIEW", "DRAFT"), ("IN_REVIEW", "PUBLISHED"), ("IN_REVIEW", "WITHDRAWN"),
        ("PUBLISHED", "RETIRED"), ("PUBLISHED", "WITHDRAWN"), ("RETIRED", "PUBLISHED"),
    }  # fmt: skip


def test_sample_codes_are_recognised() -> None:
    assert rules.is_sample("SAMPLE000001")
    assert not rules.is_sample("330100123456")
