"""The linter: sound trees pass, every planted fault is found; every complete answer of a sound tree gives one guide."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casework.catalogue.guide.rules import Advice, advise
from casework.catalogue.linting.rules import LintFault, Paper, Sheet, sheet_faults
from casework.catalogue.rules import Item, Option, Question
from casework.catalogue.situations.rules import NO, YES, Condition, Effect, Rule, apply, holds
from core.errors import InvalidInput
from tests.factories.catalogue import contents, item


def ask(key: str, asked_when: Condition | None = None, values: tuple[str, ...] = (YES, NO)) -> Question:
    return Question(key, f"{key}？", tuple(Option(value, value) for value in values), asked_when)


def when(key: str, value: str = YES) -> Condition:
    return {"question": key, "is": value}


def rule(no: int, condition: Condition, effect: Effect, **params: Any) -> Rule:
    return Rule(no, condition, effect, params)


SOUND = Sheet(
    "NB-002",
    (ask("married"), ask("divorced", when("married", NO)), ask("house", None, ("new", "old", "gift"))),
    {1: Paper(), 2: Paper(), 3: Paper(by_rule=True), 4: Paper(by_rule=True), 5: Paper("divorced")},
    {1: Paper(), 2: Paper(by_rule=True)},
    (
        rule(1, when("married"), Effect.ADD_MATERIAL, material=3),
        rule(2, {"question": "house", "in": ["old", "gift"]}, Effect.REPLACE_MATERIAL, material=2, by=4),
        rule(3, when("house", "new"), Effect.ADD_FEE, fee=2),
        rule(4, {"all": [when("married"), when("house", "gift")]}, Effect.LIMIT, value=3, unit="WORKDAY"),
        rule(5, {"any": [when("divorced"), when("house", "gift")]}, Effect.AGENT, allowed=False),
        rule(6, when("house", "gift"), Effect.WINDOW, window="SPECIAL"),
        rule(7, when("house", "gift"), Effect.LEVEL, level=3),
        rule(8, {"all": [when("divorced"), when("house", "gift")]}, Effect.REFUSE, reason="请先析产", item="NB-001"),
    ),
)


def faults(sheet: Sheet, **more: Any) -> list[LintFault]:
    return sheet_faults(replace(sheet, **more), {"NB-001", "NB-002"})


def as_item(sheet: Sheet) -> Item:
    """An item of the sample with the questions, papers, fees and rules of `sheet`."""
    base = item("NB-002")
    return replace(
        base,
        questions=sheet.questions,
        materials=tuple(
            replace(
                base.materials[0],
                no=no,
                name=f"材料{no}",
                required=paper.condition is None and not paper.by_rule,
                condition=paper.condition,
                by_rule=paper.by_rule,
            )
            for no, paper in sheet.papers.items()
        ),
        fee_lines=tuple(replace(base.fee_lines[0], no=no, by_rule=line.by_rule) for no, line in sheet.fees.items()),
        rules=sheet.rules,
    )


def test_a_sound_tree_has_no_faults() -> None:
    assert faults(SOUND) == []


@pytest.mark.parametrize("item_id", sorted(contents()))
def test_the_sample_has_no_faults(item_id: str) -> None:
    assert sheet_faults(Sheet.of(item(item_id))) == []


R = SOUND.rules
Q = SOUND.questions


@pytest.mark.parametrize(
    ("planted", "path", "words"),
    [
        ({"questions": (*Q, ask("married"))}, "questions.married", "重复"),
        ({"questions": (*Q, ask("one", None, (YES,)))}, "questions.one.options", "选项"),
        ({"questions": (*Q, ask("x", {"not": 1}))}, "questions.x.asked_when", "条件"),
        ({"questions": (*Q, ask("x", {"all": []}))}, "questions.x.asked_when", "至少"),
        ({"questions": (*Q, ask("x", when("nobody")))}, "questions.x.asked_when", "没有问题"),
        ({"questions": (*Q, ask("x", when("house", "tent")))}, "questions.x.asked_when", "没有选项"),
        ({"questions": (*Q, ask("a", when("b")), ask("b", when("a")))}, "questions.a.asked_when", "循环"),
        ({"questions": (*Q, ask("a", when("a")))}, "questions.a.asked_when", "循环"),
        ({"questions": (Q[1], Q[0], Q[2])}, "questions.divorced.asked_when", "后面"),
        ({"questions": (*Q, ask("x", {"all": [when("married"), when("divorced")]}))}, "questions.x", "问不到|不会问到"),
        ({"rules": (*R, R[0])}, "rules.1", "重复"),
        ({"rules": (*R, rule(9, when("married"), Effect.LEVEL, level=9))}, "rules.9.params", "值有误"),
        ({"rules": (*R, rule(9, when("married"), Effect.ADD_MATERIAL))}, "rules.9.params", "需要参数"),
        ({"rules": (*R, rule(9, when("married"), Effect.ADD_MATERIAL, material=77))}, "rules.9.params.material", "没有第77号"),
        ({"rules": (*R, rule(9, when("married"), Effect.ADD_FEE, fee=77))}, "rules.9.params.fee", "没有第77号"),
        ({"rules": (*R, rule(9, when("nobody"), Effect.LEVEL, level=2))}, "rules.9.condition", "没有问题"),
        (
            {"rules": (*R, rule(9, {"all": [when("married"), when("divorced")]}, Effect.LEVEL, level=2))},
            "rules.9",
            "都不适用",
        ),
        ({"rules": (*R, rule(9, when("married"), Effect.ADD_MATERIAL, material=1))}, "rules.9", "什么也不改变"),
        ({"rules": (*R, rule(9, when("married"), Effect.REMOVE_MATERIAL, material=5))}, "rules.9", "什么也不改变"),
        ({"rules": R[1:]}, "materials.3", "没有规则用到"),
        ({"rules": tuple(r for r in R if r.no != 3)}, "fee_lines.2", "没有规则用到"),
        ({"rules": (*R, rule(9, when("married"), Effect.LIMIT, value=9, unit="WORKDAY"))}, "rules.9", "矛盾"),
        ({"rules": (*R, rule(9, when("house", "gift"), Effect.LEVEL, level=2))}, "rules.9", "矛盾"),
        ({"rules": (*R, rule(9, when("house", "new"), Effect.REMOVE_MATERIAL, material=3))}, "rules.9", "矛盾"),
        ({"rules": (*R, rule(9, when("married"), Effect.REPLACE_MATERIAL, material=2, by=3))}, "rules.9", "矛盾"),
        ({"rules": (*R, rule(9, when("married"), Effect.REFUSE, reason="否", item="NB-777"))}, "rules.9.params.item", "指向"),
        ({"rules": (*R, rule(9, when("married"), Effect.REFUSE, reason="否", item="NB-002"))}, "rules.9.params.item", "指向"),
        ({"papers": {5: Paper("divorced")}, "rules": (), "fees": {}}, "materials", "没有任何材料"),
        ({"papers": {}, "rules": (), "fees": {}}, "materials", "没有任何材料"),
    ],
)  # fmt: skip
def test_a_planted_fault_is_found(planted: dict[str, Any], path: str, words: str) -> None:
    found = [fault for fault in faults(SOUND, **planted) if fault.path == path]
    assert found, faults(SOUND, **planted)
    assert any(word in fault.problem for fault in found for word in words.split("|"))
    assert all(fault.mend and fault.item_id == "NB-002" for fault in found)


def test_a_contradiction_where_the_item_is_refused_anyway_is_none() -> None:
    """Nobody gets that far."""
    refused = rule(9, when("house", "gift"), Effect.REFUSE, reason="赠与另有事项", item=None)
    other = rule(10, when("house", "gift"), Effect.LEVEL, level=2)
    assert faults(SOUND, rules=(*R, refused, other)) == []


def test_a_refusal_is_a_guide_too() -> None:
    only = Sheet(
        "NB-002",
        (ask("a"),),
        {1: Paper("a")},
        rules=(rule(1, when("a", NO), Effect.REFUSE, reason="不需要办理", item=None),),
    )
    assert faults(only) == []
    made = advise(as_item(only), {"a": NO})
    assert made.guide is not None
    assert not made.guide.possible
    assert made.guide.refusals[0].reason == "不需要办理"


def test_too_many_situations_are_told_instead_of_walked() -> None:
    many = tuple(ask(f"q{i}", None, tuple("abcdefgh")) for i in range(8))
    condition = {"all": [{"question": f"q{i}", "is": "h"} for i in range(8)]}
    rules = (
        rule(1, condition, Effect.LEVEL, level=2),
        rule(2, {"all": [condition, {"question": "q0", "is": "a"}]}, Effect.LEVEL, level=3),
    )
    told = faults(SOUND, questions=many, papers={1: Paper()}, fees={}, rules=rules)
    assert [fault.path for fault in told] == ["questions"]
    assert "情形过多" in told[0].problem


# Random trees: questions that may depend on earlier ones, papers and rules over them.
@st.composite
def trees(draw: st.DrawFn) -> Sheet:
    keys = [f"q{i}" for i in range(draw(st.integers(0, 4)))]
    values = ("a", "b", "c")

    def condition(of: list[str], depth: int = 0) -> Condition:
        kind = draw(st.sampled_from(["is", "in"] if depth > 1 else ["is", "in", "all", "any"]))
        if kind in {"all", "any"}:
            return {kind: [condition(of, depth + 1) for _ in range(draw(st.integers(1, 2)))]}
        key = draw(st.sampled_from(of))
        if kind == "is":
            return {"question": key, "is": draw(st.sampled_from(values))}
        return {"question": key, "in": sorted(draw(st.sets(st.sampled_from(values), min_size=1)))}

    questions = []
    for i, key in enumerate(keys):
        depends = i > 0 and draw(st.booleans())
        questions.append(ask(key, condition(keys[:i]) if depends else None, values))
    papers = {no: Paper(by_rule=draw(st.booleans())) for no in range(1, draw(st.integers(1, 4)) + 1)}
    fees = {1: Paper(), 2: Paper(by_rule=True)}
    effects: dict[Effect, dict[str, st.SearchStrategy[Any]]] = {
        Effect.ADD_MATERIAL: {"material": st.sampled_from(sorted(papers))},
        Effect.REMOVE_MATERIAL: {"material": st.sampled_from(sorted(papers))},
        Effect.REPLACE_MATERIAL: {"material": st.sampled_from(sorted(papers)), "by": st.sampled_from(sorted(papers))},
        Effect.ADD_FEE: {"fee": st.just(2)},
        Effect.REMOVE_FEE: {"fee": st.just(1)},
        Effect.LIMIT: {"value": st.integers(1, 2), "unit": st.just("WORKDAY")},
        Effect.WINDOW: {"window": st.sampled_from(["COMBINED", "SPECIAL"])},
        Effect.LEVEL: {"level": st.integers(2, 3)},
        Effect.AGENT: {"allowed": st.booleans()},
        Effect.REFUSE: {"reason": st.just("不予办理"), "item": st.none()},
    }
    rules = []
    for no in range(1, (draw(st.integers(0, 4)) if keys else 0) + 1):
        effect = draw(st.sampled_from(list(Effect)))
        params = {name: draw(values_of) for name, values_of in effects[effect].items()}
        rules.append(Rule(no, condition(keys), effect, params))
    return Sheet("NB-002", tuple(questions), papers, fees, tuple(rules))


def mended(sheet: Sheet) -> Sheet:
    """What is left of a tree when everything that the linter objects to is taken out."""
    while found := {fault.path for fault in sheet_faults(sheet)}:
        sheet = replace(
            sheet,
            questions=tuple(
                replace(q, asked_when=None) if f"questions.{q.key}" in found else q for q in sheet.questions
            ),
            rules=tuple(one for one in sheet.rules if f"rules.{one.no}" not in found),
            papers={no: Paper() if f"materials.{no}" in found else paper for no, paper in sheet.papers.items()}
            | ({9: Paper()} if "materials" in found else {}),
            fees={no: Paper() if f"fee_lines.{no}" in found else line for no, line in sheet.fees.items()},
        )
    return sheet


def situations(found: Item, answers: Mapping[str, str]) -> list[Advice]:
    """Every end that can be reached by answering one question after the other."""
    advice = advise(found, answers)
    if advice.question is None:
        return [advice]
    ends = []
    for option in advice.question.options:
        ends += situations(found, {**answers, advice.question.key: option.value})
    return ends


@settings(max_examples=60)
@given(trees())
def test_every_complete_answer_gives_exactly_one_guide(sheet: Sheet) -> None:
    """S23: whatever is answered, it ends, in one guide, with papers or a refusal when the linter had no objection."""
    ends = situations(as_item(sheet), {})
    assert len({tuple(sorted(end.answers.items())) for end in ends}) == len(ends)
    for end in ends:
        assert end.guide is not None
        assert end.left == 0
    for end in situations(as_item(mended(sheet)), {}):
        assert end.guide is not None
        assert end.guide.papers or end.guide.refusals


@settings(max_examples=40)
@given(trees(), st.data())
def test_the_order_of_answering_does_not_matter(sheet: Sheet, data: st.DataObject) -> None:
    found = as_item(sheet)
    end = data.draw(st.sampled_from(situations(found, {})))
    for order in list(permutations(end.answers.items()))[:24]:
        given_so_far: dict[str, str] = {}
        for key, value in order:
            given_so_far[key] = value
            advise(found, given_so_far)  # an answer given ahead of its question is no fault
        assert advise(found, given_so_far) == end


@settings(max_examples=60)
@given(trees())
def test_what_the_linter_passes_is_so(tree: Sheet) -> None:
    """By walking every situation: no rule without effect, no question unasked, no two rules that disagree."""
    sheet = mended(tree)
    ends = situations(as_item(sheet), {})
    for question in sheet.questions:
        assert any(question.key in end.answers for end in ends)
    for one in sheet.rules:
        assert any(holds(one.condition, end.answers) for end in ends)
    for end in ends:
        if end.guide is not None and end.guide.possible:
            made = [
                apply(order, end.answers, materials=frozenset(sheet.papers), fees=frozenset(sheet.fees))
                for order in (
                    [replace(one, no=i) for i, one in enumerate(rules)]
                    for rules in (sheet.rules, tuple(reversed(sheet.rules)))
                )
            ]
            assert made[0] == made[1]


@settings(max_examples=60)
@given(trees())
def test_what_the_linter_objects_to_is_so(sheet: Sheet) -> None:
    """A rule called dead or a question called unreachable really is, in every situation."""
    told = {fault.path: fault.problem for fault in sheet_faults(sheet)}
    ends = situations(as_item(sheet), {})
    for one in sheet.rules:
        if "都不适用" in told.get(f"rules.{one.no}", ""):
            assert not any(holds(one.condition, end.answers) for end in ends)
    for question in sheet.questions:
        if f"questions.{question.key}" in told:
            assert not any(question.key in end.answers for end in ends)


def test_a_wrong_answer_is_told_and_one_of_another_branch_when_all_is_answered() -> None:
    found = as_item(SOUND)
    for answers, field in (
        ({"married": "perhaps"}, "answers.married"),
        ({"colour": "red"}, "answers.colour"),
        ({"married": YES, "house": "new", "divorced": NO}, "answers.divorced"),
    ):
        with pytest.raises(InvalidInput) as refused:
            advise(found, answers)
        assert set(refused.value.fields) == {field}
    assert advise(found, {"divorced": NO}).question is not None


def test_the_guide_of_a_situation() -> None:
    found = as_item(SOUND)
    end = advise(found, {"married": YES, "house": "gift"})
    assert end.guide is not None
    assert [choice.materials[0].no for choice in end.guide.papers] == [1, 3, 4]
    assert (end.guide.promised_limit.value, end.guide.level, end.guide.agent_allowed) == (3, 3, False)
    assert end.guide.window_kinds == ("SPECIAL",)
    assert [line.no for line in end.guide.fee_lines] == [1]
    plain = advise(found, {"married": NO, "divorced": NO, "house": "new"}).guide
    assert plain is not None
    assert [choice.materials[0].no for choice in plain.papers] == [1, 2]
    assert [line.no for line in plain.fee_lines] == [1, 2]
    assert plain.window_kinds == ("COMBINED", "SPECIAL")
