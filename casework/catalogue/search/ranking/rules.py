"""Terms of an item and of a query, and how well the one answers the other. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from casework.catalogue.search.lexicon.rules import SAME, Alternative
from casework.catalogue.search.understanding.rules import Known, Reading, Unit
from casework.catalogue.search.words.rules import bigrams, fold, initials, runs, sounds, syllables

MOST = 160
"""Most items that a search looks at closely."""
_FEW = 150
_TELLING = 0.2
"""The largest share of all items that holds a term which says something; beyond, it isn't worth finding them all."""
_GOOD = 0.75
"""A best answer from here on makes it needless to look at items that hold only common terms."""
_DEED, _PLACE, _PAPER = 0.6, 0.25, 0.4
"""What a deed weighs, a place, and what is only found in papers, beside a thing that is as rare."""
_TOLD = 0.5
"""What of a story the lexicon doesn't know, beside things that it does: 贸易 of 注册贸易公司."""
_BODY, _INITIALS, _BEGINS, CODE, TOPIC = "·", ".", "^", "#", "@"
INITIALS_LENGTH = 3
_BRACKET = re.compile(r"[(\uff08]")


class Texts(NamedTuple):
    """What an item is compared by; each text is folded, its fields parted by spaces. `head`: characters before a bracket."""

    name: str
    head: int
    also: str
    body: str
    said: str
    initials: str

    @classmethod
    def of(cls, name: str, also: Iterable[str], body: Iterable[str]) -> Texts:
        """From the texts as they are written."""
        stretches = runs(name)
        return cls(
            "".join(stretches),
            len(fold(_BRACKET.split(name, maxsplit=1)[0])),
            _joined(also),
            _joined(body),
            " " + " ".join(map(sounds, stretches)) + " ",
            " ".join(initials(syllables(stretch)) for stretch in stretches),
        )


def _joined(texts: Iterable[str]) -> str:
    return " ".join(dict.fromkeys(stretch for text in texts for stretch in runs(text)))


def item_terms(item_id: str, topics: Iterable[str], texts: Texts) -> list[str]:
    """What an item is found by.

    Its code and topics, pairs of characters and of syllables, three initials, its first character, pairs of its body.
    """
    terms: dict[str, None] = dict.fromkeys((CODE + fold(item_id), *(TOPIC + topic for topic in topics)))
    terms.update(dict.fromkeys(bigrams(texts.name)))
    for stretch in texts.also.split():
        terms.update(dict.fromkeys(bigrams(stretch)))
    terms.update(dict.fromkeys(_pairs(texts.said.split())))
    for stretch in texts.initials.split():
        terms.update(dict.fromkeys(_threes(stretch)))
    terms[_BEGINS + texts.name[:1]] = None
    for stretch in texts.body.split():
        terms.update(dict.fromkeys(_BODY + pair for pair in bigrams(stretch)))
    return list(terms)


def _pairs(said: Sequence[str]) -> list[str]:
    return [f"{said[i]} {said[i + 1]}" for i in range(len(said) - 1)]


def _threes(letters: str) -> list[str]:
    return [_INITIALS + letters[i : i + INITIALS_LENGTH] for i in range(len(letters) - INITIALS_LENGTH + 1)]


@dataclass(frozen=True, slots=True)
class Sought:
    """A unit with the terms that lead to it, in how many items they are at most, its weight, its pairs of characters and of sounds."""

    unit: Unit
    terms: tuple[str, ...]
    items: int
    weight: float
    grams: tuple[tuple[str, float], ...]
    pairs: tuple[str, ...]


def seek(unit: Unit, known: Known, total: int) -> Sought:
    """Choose the terms of a unit: of each alternative the rarest; failing those its parts, its sound, and the papers."""
    terms = _alternatives_terms(unit, known)
    if unit.prefix:
        terms.add(_BEGINS + unit.prefix)
    if unit.code:
        terms.add(CODE + unit.code)
    grams = _weighed(unit.grams, known, total)
    if not terms:
        terms = {gram for gram, _ in grams}
        terms |= {pair for pair in _pairs(unit.said.split()) if known(pair)}
        terms |= {three for three in _threes(unit.initials) if known(three)}
        terms = _rare(terms, known)
    named = bool(terms)
    if not terms:
        terms = _rare({_BODY + gram for gram in unit.grams if known(_BODY + gram)}, known)
    items = 1 if unit.code else sum(map(known, terms))
    if not items:
        # What was published a moment ago isn't counted yet; looking for what is nowhere costs nothing.
        terms = {*unit.grams, *_pairs(unit.said.split()), *_threes(unit.initials)}
    weight = math.log(1 + total / min(items, total)) if items else 0.0
    weight *= _DEED if unit.deed else _PLACE if unit.place else 1.0 if named else _PAPER
    pairs = tuple(f" {pair} " for pair in _pairs(unit.said.split()))
    return Sought(unit, tuple(sorted(terms)), items, weight, grams, pairs)


def _alternatives_terms(unit: Unit, known: Known) -> set[str]:
    """The rarest terms of the alternatives, the best first, until enough items hold one."""
    terms: set[str] = set()
    items = 0
    for alternative in unit.alternatives:
        rarest = set(_rarest(alternative, known)) - terms
        more = sum(map(known, rarest))
        if alternative.quality < SAME and items and items + more > _FEW:
            continue
        terms |= rarest
        items += more
    return terms


def _rarest(alternative: Alternative, known: Known) -> Sequence[str]:
    """The terms of the part that the fewest items hold; none when a part is nowhere."""
    best: list[str] = []
    fewest = -1
    for part in alternative.seeds:
        terms = []
        for option in part:
            pairs = bigrams(option)
            if pairs and all(map(known, pairs)):
                terms.append(min(pairs, key=known))
        items = sum(map(known, terms))
        if not terms:
            return ()
        if fewest < 0 or items < fewest:
            best, fewest = terms, items
    return best


def _rare(terms: Iterable[str], known: Known) -> set[str]:
    chosen: set[str] = set()
    items = 0
    for term in sorted(terms, key=lambda term: (known(term), term)):
        items += known(term)
        if chosen and items > _FEW:
            break
        chosen.add(term)
    return chosen


def _weighed(grams: Iterable[str], known: Known, total: int) -> tuple[tuple[str, float], ...]:
    """Pairs of characters with their share of the weight of all of them; unknown ones weigh as much as the rarest."""
    weights = {gram: math.log(1 + total / max(known(gram), 1)) for gram in grams}
    whole = sum(weights.values())
    return tuple((gram, weight / whole) for gram, weight in weights.items() if known(gram))


@dataclass(frozen=True, slots=True)
class Wanted:
    """A reading with what is sought for it. `weights`: the share of each in the answer; what is nowhere has none."""

    reading: Reading
    sought: tuple[Sought, ...]
    weights: tuple[float, ...]

    @classmethod
    def of(cls, reading: Reading, known: Known, total: int) -> Wanted:
        """Choose the terms of its units."""
        sought = tuple(seek(unit, known, total) for unit in reading.units)
        sure = any(not (one.unit.doubtful or one.unit.deed or one.unit.place) and one.items for one in sought)
        weights = [one.weight * (_TOLD if sure and one.unit.doubtful else 1.0) for one in sought]
        if not any(weights):
            weights = [1.0] * len(weights)
        whole = sum(weights)
        return cls(reading, sought, tuple(weight / whole for weight in weights))


@dataclass(frozen=True, slots=True)
class Plan:
    """Groups of terms. `few`: an item must hold one of them, and few items do. `common`: it must hold one of each group.

    `loose` is what to look for when nothing holds a term of each: the rarest group; none when that says nothing either.
    """

    few: tuple[str, ...]
    common: tuple[tuple[str, ...], ...]
    loose: tuple[tuple[str, ...], ...]


def plan(wanted: Sequence[Wanted], total: int) -> Plan:
    """Which of `total` items to look at: those with a rare unit; the common ones together when that isn't enough.

    Nobody looks for a place: what is there counts only when nothing else was typed.
    """
    sought = [one for reading in wanted for one in reading.sought if one.terms]
    sought = [one for one in sought if not one.unit.place] or sought
    few: set[str] = set()
    common: list[Sought] = []
    items = 0
    for one in sorted(sought, key=lambda one: one.items):
        if items + one.items <= _FEW:
            items += one.items
            few.update(one.terms)
        else:
            common.append(one)
    telling = [one.terms for one in common[:1] if one.items <= total * _TELLING]
    return Plan(tuple(sorted(few)), tuple(one.terms for one in common[:3]), tuple(telling))


def good_enough(best: float) -> bool:
    """Whether items that hold only common terms can't be better."""
    return best >= _GOOD
