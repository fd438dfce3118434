"""The differences between versions: exact for any two, by number not by place, and said in words."""

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.catalogue.differences import queries
from casework.catalogue.differences.rules import PARTS, Change, ChangeKind, Snapshot, apply, diff, snapshot
from casework.catalogue.differences.wording.rules import labelled, sentence
from casework.catalogue.elements.queries import PARTS as ELEMENT_ROWS
from casework.catalogue.elements.rules import Elements, Step
from casework.catalogue.rules import FeeLine, Material, Question
from casework.catalogue.situations.rules import Rule
from core.workdays import Limit
from tests.factories.catalogue import contents, item

VALUES = st.one_of(st.none(), st.booleans(), st.integers(0, 3), st.sampled_from(["", "甲", "乙"]))


def rows(key: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    names = st.integers(1, 9) if key == "no" else st.sampled_from("abcdefg")
    row = st.fixed_dictionaries({key: names, "name": VALUES, "copies": VALUES, "condition": VALUES})
    return st.lists(row, max_size=8, unique_by=lambda made: made[key])


SNAPSHOTS = st.fixed_dictionaries(
    {"name": VALUES, "legal_basis": st.lists(VALUES, max_size=3), "channels": st.lists(VALUES, max_size=3)}
    | {element: rows(key) for element, key in PARTS.items()}
)


@given(SNAPSHOTS, SNAPSHOTS)
def test_applying_the_difference_makes_the_other_version(a: Snapshot, b: Snapshot) -> None:
    before = repr(a)
    assert apply(diff(a, b), a) == b
    assert repr(a) == before


@given(SNAPSHOTS)
def test_a_version_does_not_differ_from_itself(a: Snapshot) -> None:
    assert diff(a, a) == ()
    assert apply((), a) == a


@given(SNAPSHOTS, SNAPSHOTS)
def test_every_change_is_one(a: Snapshot, b: Snapshot) -> None:
    """None is told twice, none tells what stays the same, and every one has a sentence."""
    changes = diff(a, b)
    assert len({(change.path, change.kind) for change in changes}) == len(changes)
    assert all(change.before != change.after for change in changes if change.kind is not ChangeKind.MOVED)
    for language in ("zh", "en"):
        assert all(told["text"] for told in queries.difference(a, b).told(language))


def said(**more: Any) -> Snapshot:
    return snapshot(replace(item("NB-002"), **more), Elements())


def test_papers_are_told_apart_by_their_number() -> None:
    """One moves to the front, one gets another name, one goes: nothing else is told."""
    papers = list(item("NB-002").materials)
    changed = [papers[3], *papers[:3], replace(papers[4], name="税收优惠证明", copies=2), *papers[6:]]
    found = {(c.path, c.kind) for c in diff(said(), said(materials=tuple(changed)))}
    assert found == {
        ("materials.4", ChangeKind.MOVED),
        ("materials.5.name", ChangeKind.CHANGED),
        ("materials.5.copies", ChangeKind.CHANGED),
        ("materials.6", ChangeKind.REMOVED),
    }


def test_changes_in_words() -> None:
    a, b = said(), said(promised_limit=Limit(3), agent_allowed=False)
    assert [told["text"] for told in queries.difference(a, b).told("zh")] == [
        "承诺办结时限由即办改为3个工作日",
        "可代办由是改为否",
    ]
    assert next(told["text"] for told in queries.difference(a, b).told("en")) == (
        "The promised time limit changes from at once to 3 working days"
    )
    papers = item("NB-002").materials
    b = said(materials=(*papers[1:], replace(papers[0], no=9, name="宗地图")))
    texts = [told["text"] for told in queries.difference(a, b).told("zh")]
    assert texts == [f"取消材料“{papers[0].name}”", "新增材料“宗地图”"]
    line = item("NB-002").fee_lines[0]
    b = said(fee_lines=(replace(line, amount_fen=9950), *item("NB-002").fee_lines[1:]))
    assert queries.difference(a, b).told("zh")[0]["text"] == f"收费项目“{line.name}”的金额由80.00元改为99.50元"


def test_long_texts_are_not_repeated_in_the_sentence_but_in_the_answer() -> None:
    a, b = said(conditions="甲" * 100), said(conditions="乙" * 100)
    told = queries.difference(a, b).told("zh")[0]
    assert told["text"] == "受理条件有调整"
    assert told["after"] == "乙" * 100


def test_a_citizen_is_not_told_what_is_internal() -> None:
    a, b = said(), said(avg_handle_minutes=99, hours="9:00-17:00")
    assert len(queries.difference(a, b).told("zh")) == 2
    assert [told["path"] for told in queries.difference(a, b).told("zh", to_citizen=True)] == ["hours"]


@pytest.mark.parametrize("item_id", sorted(contents()))
def test_every_item_of_the_sample_can_be_compared(item_id: str) -> None:
    other = snapshot(item(item_id), Elements(steps=(Step(1, "受理", "窗口", 1, "", ""),)))
    assert apply(diff(said(), other), said()) == other


def test_everything_has_a_label() -> None:
    for element in said():
        assert labelled("elements", element, "zh") != element, element
        assert labelled("elements", element, "en"), element
    parts = [Question, Material, Rule, FeeLine, *(kind for _, kind in ELEMENT_ROWS.values())]
    for field in {field.name for kind in parts for field in fields(kind)} - {"licence_name"}:
        assert labelled("fields", field, "zh") != field, field


def test_a_moved_row_says_from_where_to_where() -> None:
    change = Change("materials", 4, None, ChangeKind.MOVED, 3, 0)
    assert sentence(change, "身份证", "zh") == "材料“身份证”由第4位调整到第1位"
    assert sentence(change, "ID card", "en") == "paper “ID card” moves from place 4 to 1"
