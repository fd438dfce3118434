"""Conditions and effects as data. Pure.

A condition is one of `{"question": key, "is": value}`, `{"question": key, "in": [values]}`, `{"all": [conditions]}` and
`{"any": [conditions]}`. There is no "not": one more answer can only ask and change more, so that the order in which
questions are answered never matters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from core.workdays import Unit

YES, NO = "yes", "no"
WINDOW_KINDS = ("COMBINED", "SPECIAL")
"""综合窗口 and 专窗, as `casework.places` calls them."""
MAX_DEPTH = 8
"""How deep conditions may be nested."""

Condition = Mapping[str, Any]


class Effect(StrEnum):
    """What a rule changes."""

    ADD_MATERIAL = "ADD_MATERIAL"
    REMOVE_MATERIAL = "REMOVE_MATERIAL"
    REPLACE_MATERIAL = "REPLACE_MATERIAL"
    ADD_FEE = "ADD_FEE"
    REMOVE_FEE = "REMOVE_FEE"
    LIMIT = "LIMIT"
    WINDOW = "WINDOW"
    LEVEL = "LEVEL"
    AGENT = "AGENT"
    REFUSE = "REFUSE"


SINGLE = frozenset({Effect.LIMIT, Effect.WINDOW, Effect.LEVEL, Effect.AGENT})
"""Effects that set one value: in no situation may two of a kind set different ones."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Where `condition` holds, `effect` applies with `params` (their names and types: `PARAMS`)."""

    no: int
    condition: Condition
    effect: Effect
    params: Mapping[str, Any]


class Asked(Protocol):
    """A question as these rules see it."""

    @property
    def key(self) -> str: ...  # noqa: D102
    @property
    def asked_when(self) -> Condition | None: ...  # noqa: D102
    @property
    def values(self) -> frozenset[str]: ...  # noqa: D102


def holds(condition: Condition, answers: Mapping[str, str]) -> bool:
    """Whether `condition` holds; a question without an answer fulfils nothing."""
    if "all" in condition:
        return all(holds(inner, answers) for inner in condition["all"])
    if "any" in condition:
        return any(holds(inner, answers) for inner in condition["any"])
    answer = answers.get(condition["question"])
    return answer == condition["is"] if "is" in condition else answer in condition["in"]


def answers_named(condition: Condition) -> Iterator[tuple[str, str]]:
    """Every question with every answer that `condition` names."""
    for inner in (*condition.get("all", ()), *condition.get("any", ())):
        yield from answers_named(inner)
    if "question" in condition:
        for value in (condition["is"],) if "is" in condition else condition["in"]:
            yield condition["question"], value


def asks_about(condition: Condition | None) -> frozenset[str]:
    """The questions that `condition` names."""
    return frozenset(key for key, _ in answers_named(condition)) if condition else frozenset()


@dataclass(frozen=True, slots=True)
class Walk:
    """How far answers lead: those that count in their order, and the questions that are open now."""

    known: dict[str, str]
    open: tuple[str, ...]


def walk(questions: Sequence[Asked], answers: Mapping[str, str]) -> Walk:
    """Ask `questions` in order, each only where its condition holds on the answers before it."""
    known: dict[str, str] = {}
    left: list[str] = []
    for question in questions:
        if question.asked_when is not None and not holds(question.asked_when, known):
            continue
        answer = answers.get(question.key)
        if answer in question.values:
            known[question.key] = str(answer)
        else:
            left.append(question.key)
    return Walk(known, tuple(left))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the rules make of the base: numbers of papers and fee lines, and single values (None: as the item says)."""

    materials: frozenset[int]
    fees: frozenset[int]
    limit: Mapping[str, Any] | None
    window: str | None
    level: int | None
    agent: bool | None
    refusals: tuple[Mapping[str, Any], ...]


def apply(
    rules: Sequence[Rule], answers: Mapping[str, str], *, materials: frozenset[int], fees: frozenset[int]
) -> Outcome:
    """What holds where `answers` are complete, from the `materials` and `fees` of the base.

    Contradictions, which the linter doesn't let pass, are resolved the same way in every order: what is taken away stays
    away, and of two values the one of the lower rule counts.
    """
    found = sorted((rule for rule in rules if holds(rule.condition, answers)), key=lambda rule: rule.no)
    added = {rule.params["material"] for rule in found if rule.effect is Effect.ADD_MATERIAL}
    removed = {rule.params["material"] for rule in found if rule.effect is Effect.REMOVE_MATERIAL}
    listed = materials | added
    for rule in found:
        if rule.effect is Effect.REPLACE_MATERIAL and rule.params["material"] in listed:
            removed.add(rule.params["material"])
            added.add(rule.params["by"])
    fees_added = {rule.params["fee"] for rule in found if rule.effect is Effect.ADD_FEE}
    fees_removed = {rule.params["fee"] for rule in found if rule.effect is Effect.REMOVE_FEE}

    def value(effect: Effect) -> Mapping[str, Any]:
        return next((rule.params for rule in found if rule.effect is effect), {})

    return Outcome(
        materials=(materials | added) - removed,
        fees=(fees | fees_added) - fees_removed,
        limit=value(Effect.LIMIT) or None,
        window=value(Effect.WINDOW).get("window"),
        level=value(Effect.LEVEL).get("level"),
        agent=value(Effect.AGENT).get("allowed"),
        refusals=tuple(rule.params for rule in found if rule.effect is Effect.REFUSE),
    )


def _whole(low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and low <= value <= high


def _text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 500 and value.isprintable()


PARAMS: dict[Effect, dict[str, Callable[[Any], bool]]] = {
    Effect.ADD_MATERIAL: {"material": _whole(1, 1_000)},
    Effect.REMOVE_MATERIAL: {"material": _whole(1, 1_000)},
    Effect.REPLACE_MATERIAL: {"material": _whole(1, 1_000), "by": _whole(1, 1_000)},
    Effect.ADD_FEE: {"fee": _whole(1, 1_000)},
    Effect.REMOVE_FEE: {"fee": _whole(1, 1_000)},
    Effect.LIMIT: {"value": _whole(0, 1_000), "unit": lambda value: value in list(Unit)},
    Effect.WINDOW: {"window": lambda value: value in WINDOW_KINDS},
    Effect.LEVEL: {"level": _whole(1, 4)},
    Effect.AGENT: {"allowed": lambda value: isinstance(value, bool)},
    Effect.REFUSE: {"reason": _text, "item": lambda value: value is None or _text(value)},
}
"""The parameters of each effect and what each must be: numbers of papers and lines, a promised limit, a reason …"""


def condition_fault(condition: Any, depth: int = 0) -> str | None:
    """What is wrong with the shape of a condition, or None."""
    if not isinstance(condition, Mapping) or depth > MAX_DEPTH:
        return f"条件格式有误，嵌套不超过{MAX_DEPTH}层 / not a condition, or nested too deep"
    names = set(condition)
    if names in ({"all"}, {"any"}):
        inner = next(iter(condition.values()))
        if not isinstance(inner, Sequence) or isinstance(inner, str) or not inner:
            return "“all”“any”内至少要有一个条件 / needs at least one condition inside"
        return next((fault for part in inner if (fault := condition_fault(part, depth + 1))), None)
    if names == {"question", "is"} and _text(condition["question"]) and _text(condition["is"]):
        return None
    if names == {"question", "in"} and _text(condition["question"]):
        values = condition["in"]
        if isinstance(values, Sequence) and not isinstance(values, str) and values and all(map(_text, values)):
            return None
    return "条件须为 question/is、question/in、all 或 any / must be question and is, question and in, all or any"


def params_fault(effect: Effect, params: Any) -> str | None:
    """What is wrong with the parameters of an effect, or None."""
    wanted = PARAMS[effect]
    if not isinstance(params, Mapping) or set(params) != set(wanted):
        return f"{effect} 需要参数 {'、'.join(wanted)} / needs exactly these parameters"
    wrong = [name for name, fits in wanted.items() if not fits(params[name])]
    return f"参数 {'、'.join(wrong)} 的值有误 / wrong value" if wrong else None
