"""From answers to the next question or to the guide. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from casework.catalogue import rules
from casework.catalogue.rules import FeeLine, Item, Material, Question
from casework.catalogue.situations.rules import WINDOW_KINDS, walk
from core.errors import InvalidInput
from core.workdays import Limit, Unit


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the item isn't for this situation, and the item that is."""

    reason: str
    item_id: str | None


@dataclass(frozen=True, slots=True)
class PaperChoice:
    """A need for papers: one of `materials` is enough; mostly there is only one."""

    group: str
    materials: tuple[Material, ...]


@dataclass(frozen=True, slots=True)
class Guide:
    """Everything that holds for one complete situation of one version."""

    item: Item
    answers: Mapping[str, str]
    papers: tuple[PaperChoice, ...]
    fee_lines: tuple[FeeLine, ...]
    window_kinds: tuple[str, ...]
    promised_limit: Limit
    level: int
    agent_allowed: bool
    refusals: tuple[Refusal, ...]

    @property
    def possible(self) -> bool:
        """Whether the item can be handled in this situation at all."""
        return not self.refusals

    @property
    def fee_total_fen(self) -> int:
        """What the lines with a fixed amount come to, one of each."""
        return sum(line.amount_fen or 0 for line in self.fee_lines)


@dataclass(frozen=True, slots=True)
class Advice:
    """How far the answers lead: to the `question` to ask next (`left` are open so far), or to the guide."""

    answers: Mapping[str, str]
    question: Question | None
    left: int
    guide: Guide | None


def advise(item: Item, answers: Mapping[str, str]) -> Advice:
    """The next question, or the guide when all that matters is answered. Raises `InvalidInput` for `rules.wrong_answers`."""
    walked = walk(item.questions, answers)
    faults = rules.wrong_answers(item, walked, answers)
    if faults:
        raise InvalidInput(fields=faults)
    if walked.open:
        asked = next(question for question in item.questions if question.key == walked.open[0])
        return Advice(walked.known, asked, len(walked.open), None)
    return Advice(walked.known, None, 0, guide(item, walked.known))


def guide(item: Item, known: Mapping[str, str]) -> Guide:
    """The guide of the complete answers `known`."""
    made = rules.outcome(item, known)
    limit = Limit(made.limit["value"], Unit(made.limit["unit"])) if made.limit else item.promised_limit
    return Guide(
        item=item,
        answers=known,
        papers=choices(tuple(m for m in item.materials if m.no in made.materials)),
        fee_lines=tuple(line for line in item.fee_lines if line.no in made.fees),
        window_kinds=(made.window,) if made.window else WINDOW_KINDS,
        promised_limit=limit,
        level=item.min_auth_level if made.level is None else made.level,
        agent_allowed=item.agent_allowed if made.agent is None else made.agent,
        refusals=tuple(Refusal(params["reason"], params["item"]) for params in made.refusals),
    )


def choices(materials: tuple[Material, ...]) -> tuple[PaperChoice, ...]:
    """The papers by need, in order: those of one alternative group are one need."""
    groups: dict[str, list[Material]] = {}
    for material in materials:
        groups.setdefault(material.alternative_group or f"#{material.no}", []).append(material)
    return tuple(PaperChoice("" if name.startswith("#") else name, tuple(inside)) for name, inside in groups.items())
