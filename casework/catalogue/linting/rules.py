"""The linter. Pure: every fault says where it is, what is wrong and how to mend it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations

from casework.catalogue.rules import Item, Question
from casework.catalogue.situations import rules as situations
from casework.catalogue.situations.rules import SINGLE, YES, Condition, Effect, Rule, answers_named, asks_about, holds

MAX_PATHS = 200_000
"""More combinations of answers than this are not walked through: the item is too complicated for people too."""

Known = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LintFault:
    """One fault of a version: `path` within it, the problem and the way to mend it, in Chinese and English."""

    item_id: str
    path: str
    problem: str
    mend: str

    def __str__(self) -> str:
        return f"{self.problem}。{self.mend}"


@dataclass(frozen=True, slots=True)
class Paper:
    """What the linter needs of a paper or a fee line: the question that calls for it, or that only rules do."""

    condition: str | None = None
    by_rule: bool = False

    def base(self, known: Known) -> bool:
        """Whether it is there before any rule applies."""
        return not self.by_rule and (self.condition is None or known.get(self.condition) == YES)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The parts of a version that situations are made of."""

    item_id: str
    questions: tuple[Question, ...]
    papers: Mapping[int, Paper]
    fees: Mapping[int, Paper] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()

    @classmethod
    def of(cls, item: Item) -> Sheet:
        """The sheet of a whole item."""
        papers = {m.no: Paper(m.condition, m.by_rule) for m in item.materials}
        fees = {line.no: Paper(None, line.by_rule) for line in item.fee_lines}
        return cls(item.item_id, item.questions, papers, fees, item.rules)


class _TooMany(Exception):
    """More paths than `MAX_PATHS`."""


def sheet_faults(sheet: Sheet, items: Collection[str] | None = None) -> list[LintFault]:
    """Every fault of `sheet`; `items` are the codes a refusal may point to (None: not looked at).

    What stands on wrong ground isn't judged: while conditions are misshapen or name what isn't there, only that is told.
    """
    for look in (_shapes, _references, _order):
        found = [LintFault(sheet.item_id, *fault) for fault in look(sheet)]
        if found:
            return found
    found = [LintFault(sheet.item_id, *fault) for fault in _refusal_targets(sheet, items)]
    try:
        found += [LintFault(sheet.item_id, *fault) for look in _PROOFS for fault in look(sheet)]
    except _TooMany:
        mend = "请拆分事项或减少相互独立的问题 / split the item or ask fewer independent questions"
        found.append(LintFault(sheet.item_id, "questions", "情形过多，无法逐一核对 / too many situations", mend))
    return found


_Found = Iterator[tuple[str, str, str]]


def _shapes(sheet: Sheet) -> _Found:
    keys: set[str] = set()
    for question in sheet.questions:
        path = f"questions.{question.key}"
        if question.key in keys:
            yield path, "问题编码重复 / two questions with one key", "请改用不同的编码 / give one another key"
        keys.add(question.key)
        if len(question.options) < 2 or len(question.values) < len(question.options):
            yield (
                f"{path}.options",
                "选项少于两个或重复 / fewer than two options, or the same twice",
                "请至少列出两个不同的选项 / list at least two different options",
            )
        if question.asked_when is not None and (fault := situations.condition_fault(question.asked_when)):
            yield f"{path}.asked_when", fault, "请改正条件 / mend the condition"
    numbers: set[int] = set()
    for rule in sheet.rules:
        path = f"rules.{rule.no}"
        if rule.no in numbers:
            yield path, "规则序号重复 / two rules with one number", "请改用不同的序号 / give one another number"
        numbers.add(rule.no)
        if fault := situations.condition_fault(rule.condition):
            yield f"{path}.condition", fault, "请改正条件 / mend the condition"
        if fault := situations.params_fault(rule.effect, rule.params):
            yield f"{path}.params", fault, "请改正参数 / mend the parameters"


def _references(sheet: Sheet) -> _Found:
    values = {question.key: question.values for question in sheet.questions}

    def unknown(path: str, condition: Condition | None) -> _Found:
        for key, value in answers_named(condition) if condition else ():
            if key not in values:
                yield path, f"没有问题“{key}” / no question {key}", "请改正编码或补上该问题 / mend the key or add it"
            elif value not in values[key]:
                yield (
                    path,
                    f"问题“{key}”没有选项“{value}” / question {key} has no option {value}",
                    "请改正选项 / mend the option",
                )

    for question in sheet.questions:
        yield from unknown(f"questions.{question.key}.asked_when", question.asked_when)
    for no, paper in sheet.papers.items():
        if paper.condition is not None:
            yield from unknown(f"materials.{no}.condition", {"question": paper.condition, "is": YES})
    for rule in sheet.rules:
        yield from unknown(f"rules.{rule.no}.condition", rule.condition)
        for name, known, what in (
            ("material", sheet.papers, "材料 / material"),
            ("by", sheet.papers, "材料 / material"),
            ("fee", sheet.fees, "收费项 / fee line"),
        ):
            if name in rule.params and rule.params[name] not in known:
                yield (
                    f"rules.{rule.no}.params.{name}",
                    f"没有第{rule.params[name]}号{what}",
                    "请改正序号或补上该项 / mend the number or add it",
                )


def _order(sheet: Sheet) -> _Found:
    """A question may only depend on questions before it; a circle is told as what it is."""
    depends = {question.key: asks_about(question.asked_when) for question in sheet.questions}
    circular = {key for key in depends if key in _behind(depends, key)}
    for key in sorted(circular):
        yield (
            f"questions.{key}.asked_when",
            "问题之间循环依赖 / questions depend on each other in a circle",
            f"请去掉其中一个条件：{'、'.join(sorted(circular))} / drop one of these conditions",
        )
    seen: set[str] = set()
    for key, wanted in depends.items():
        late = wanted - seen - circular
        if late and key not in circular:
            yield (
                f"questions.{key}.asked_when",
                f"依赖排在后面的问题：{'、'.join(sorted(late))} / depends on a later question",
                "请把被依赖的问题移到前面 / move that question to the front",
            )
        seen.add(key)


def _behind(depends: Mapping[str, frozenset[str]], key: str) -> set[str]:
    """Every question that `key` depends on, directly or not."""
    found: set[str] = set()
    todo = list(depends.get(key, ()))
    while todo:
        other = todo.pop()
        if other not in found:
            found.add(other)
            todo += depends.get(other, ())
    return found


def _refusal_targets(sheet: Sheet, items: Collection[str] | None) -> _Found:
    for rule in sheet.rules:
        target = rule.params.get("item") if rule.effect is Effect.REFUSE else None
        if target is not None and (target == sheet.item_id or (items is not None and target not in items)):
            yield (
                f"rules.{rule.no}.params.item",
                f"指向的事项“{target}”不在有效期内或就是本事项 / leads to an item not in force, or to itself",
                "请改为有效的其他事项，或不填 / name another item in force, or none",
            )


def _paths(sheet: Sheet, about: Collection[str]) -> Iterator[dict[str, str]]:
    """Every way to answer the questions `about` and those they depend on."""
    depends = {question.key: asks_about(question.asked_when) for question in sheet.questions}
    wanted = set(about).union(*(_behind(depends, key) for key in about)) if about else set()
    questions = [question for question in sheet.questions if question.key in wanted]
    count = 0

    def go(i: int, known: dict[str, str]) -> Iterator[dict[str, str]]:
        nonlocal count
        while i < len(questions):
            question = questions[i]
            if question.asked_when is None or holds(question.asked_when, known):
                for option in question.options:
                    yield from go(i + 1, {**known, question.key: option.value})
                return
            i += 1
        count += 1
        if count > MAX_PATHS:
            raise _TooMany
        yield known

    return go(0, {})


def _possible(sheet: Sheet, *conditions: Condition, unless: Collection[Condition] = ()) -> bool:
    """Whether all `conditions` can hold at once while none of `unless` does."""
    about = frozenset[str]().union(*(asks_about(condition) for condition in (*conditions, *unless)))
    return any(
        all(holds(condition, known) for condition in conditions)
        and not any(holds(condition, known) for condition in unless)
        for known in _paths(sheet, about)
    )


def _unreachable(sheet: Sheet) -> _Found:
    for question in sheet.questions:
        if question.asked_when is not None and not _possible(sheet, question.asked_when):
            yield (
                f"questions.{question.key}",
                "怎么回答都不会问到此问题 / no answers lead to this question",
                "请改正条件或删除此问题 / mend its condition or delete it",
            )


def _dead(sheet: Sheet) -> _Found:
    for rule in sheet.rules:
        if not _possible(sheet, rule.condition):
            yield (
                f"rules.{rule.no}",
                "怎么回答此规则都不适用 / no answers make this rule apply",
                "请改正条件或删除此规则 / mend its condition or delete it",
            )
        elif not _works(sheet, rule):
            yield (
                f"rules.{rule.no}",
                "此规则适用时什么也不改变 / where it applies it changes nothing",
                "请改正效果或删除此规则 / mend its effect or delete it",
            )


_LISTS: dict[Effect, str] = {
    Effect.ADD_MATERIAL: "material", Effect.REMOVE_MATERIAL: "material", Effect.REPLACE_MATERIAL: "material",
    Effect.ADD_FEE: "fee", Effect.REMOVE_FEE: "fee",
}  # fmt: skip
_ADDS = {Effect.ADD_MATERIAL, Effect.ADD_FEE}


def _works(sheet: Sheet, rule: Rule) -> bool:
    """Whether the paper or fee line that a rule adds (takes away) is ever absent (there) where the rule applies."""
    name = _LISTS.get(rule.effect)
    if name is None:
        return True
    no = rule.params[name]
    paper = (sheet.papers if name == "material" else sheet.fees)[no]
    adders = [
        other.condition
        for other in sheet.rules
        if other is not rule and _puts(other, name) == no and rule.effect not in _ADDS
    ]

    def changes(known: dict[str, str]) -> bool:
        there = paper.base(known) or any(holds(condition, known) for condition in adders)
        return holds(rule.condition, known) and there != (rule.effect in _ADDS)

    about = asks_about(rule.condition).union(*(asks_about(condition) for condition in adders))
    return any(changes(known) for known in _paths(sheet, about | ({paper.condition} if paper.condition else set())))


def _puts(rule: Rule, name: str) -> int | None:
    """The paper (fee line) that a rule puts on the list."""
    if rule.effect is Effect.REPLACE_MATERIAL:
        return int(rule.params["by"]) if name == "material" else None
    adds = rule.effect in _ADDS and _LISTS[rule.effect] == name
    return int(rule.params[name]) if adds else None


def _takes(rule: Rule, name: str) -> int | None:
    """The paper (fee line) that a rule takes off the list."""
    takes = rule.effect in _LISTS and rule.effect not in _ADDS and _LISTS[rule.effect] == name
    return int(rule.params[name]) if takes else None


def _never_asked_for(sheet: Sheet) -> _Found:
    for name, where, rows in (("material", "materials", sheet.papers), ("fee", "fee_lines", sheet.fees)):
        called = {_puts(rule, name) for rule in sheet.rules}
        for no, paper in rows.items():
            if paper.by_rule and no not in called:
                yield (
                    f"{where}.{no}",
                    "没有规则用到此项 / no rule ever calls for this",
                    "请添加规则，或改为直接列出 / add a rule, or list it outright",
                )


def _contradictions(sheet: Sheet) -> _Found:
    refusals = [rule.condition for rule in sheet.rules if rule.effect is Effect.REFUSE]
    for one, two in combinations(sheet.rules, 2):
        if _at_odds(one, two) and _possible(sheet, one.condition, two.condition, unless=refusals):
            yield (
                f"rules.{two.no}",
                f"与规则{one.no}矛盾：同一情形下两者都适用 / contradicts rule {one.no}: both apply in one situation",
                "请让两条规则的条件互斥，或合并 / make their conditions exclude each other, or merge them",
            )


def _at_odds(one: Rule, two: Rule) -> bool:
    if one.effect in SINGLE:
        return one.effect is two.effect and dict(one.params) != dict(two.params)
    for name in ("material", "fee"):
        for a, b in ((one, two), (two, one)):
            if _takes(a, name) is not None and _takes(a, name) == _puts(b, name):
                return True
    taken = _takes(one, "material")
    return taken is not None and taken == _takes(two, "material") and _puts(one, "material") != _puts(two, "material")


def _empty(sheet: Sheet) -> _Found:
    """Every path must end in a guide: papers to bring, or a refusal with its reason."""
    taken = {_takes(rule, "material") for rule in sheet.rules}
    if any(paper.condition is None and not paper.by_rule and no not in taken for no, paper in sheet.papers.items()):
        return
    rules = [rule for rule in sheet.rules if _LISTS.get(rule.effect) == "material" or rule.effect is Effect.REFUSE]
    about = {paper.condition for paper in sheet.papers.values() if paper.condition}
    for known in _paths(sheet, about.union(*(asks_about(rule.condition) for rule in rules))):
        base = frozenset(no for no, paper in sheet.papers.items() if paper.base(known))
        made = situations.apply(rules, known, materials=base, fees=frozenset())
        if not made.materials and not made.refusals:
            told = "、".join(f"{key}={value}" for key, value in known.items()) or "任何回答 / any answers"
            yield (
                "materials",
                f"此情形下没有任何材料，也没有说明不予办理：{told} / a situation without papers or refusal",
                "请列出所需材料，或添加不予办理的规则 / list what is needed, or add a refusal",
            )
            return


_PROOFS: tuple[Callable[[Sheet], _Found], ...] = (_unreachable, _dead, _never_asked_for, _contradictions, _empty)
