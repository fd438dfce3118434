"""Terms of an item and of a query, and how well the one answers the other. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from casework.catalogue.search.lexicon.rules import Alternative
from casework.catalogue.search.understanding.rules import Known, Reading, Unit
from casework.catalogue.search.words.rules import bigrams, fold, initials, runs, sounds, syllables

MOST = 300
"""Most items that a search looks at closely."""
_FEW = 200
_GOOD = 0.75
"""A best answer from here on makes it needless to look at items that hold only common terms."""
SCALE = 10_000

_IN_BRACKET, _IN_ALSO, _IN_BODY = 0.95, 0.7, 0.3
_SOUNDS_SO, _SHORT_SO, _PART_OF_IT, _PART_OF_SOUND = 0.75, 0.7, 0.8, 0.6
_DEED = 0.6
_LEAST_PART = 0.34
"""How much a match is worth beside one in the name; a part counts from `_LEAST_PART` of the weight of its pairs on.

`_DEED`: what a deed weighs beside a thing that is as rare.
"""
_WHOLE, _EQUAL, _DENSE, _FIRST, _HOT, _USED = 0.15, 0.5, 0.08, 0.03, 0.02, 0.02
_LEAST_SCORE, _LEAST_OF_BEST = 0.22, 0.5
_FIRST_WORDS = re.compile("首次|新办|设立|申领|核发|认定|新建")
_BODY, _INITIALS, _BEGINS, CODE, TOPIC = "·", ".", "^", "#", "@"
_INITIALS_LENGTH = 3
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
    return [_INITIALS + letters[i : i + _INITIALS_LENGTH] for i in range(len(letters) - _INITIALS_LENGTH + 1)]


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
    terms = {term for alternative in unit.alternatives for term in _rarest(alternative, known)}
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
    if not terms:
        terms = _rare({_BODY + gram for gram in unit.grams if known(_BODY + gram)}, known)
    items = 1 if unit.code else sum(map(known, terms))
    if not items:
        # What was published a moment ago isn't counted yet; looking for what is nowhere costs nothing.
        terms = {*unit.grams, *_pairs(unit.said.split()), *_threes(unit.initials)}
    weight = math.log(1 + total / min(items, total)) if items else 0.0
    weight *= _DEED if unit.deed else 1.0
    pairs = tuple(f" {pair} " for pair in _pairs(unit.said.split()))
    return Sought(unit, tuple(sorted(terms)), items, weight, grams, pairs)


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
        weights = [one.weight for one in sought]
        if not any(weights):
            weights = [1.0] * len(weights)
        whole = sum(weights)
        return cls(reading, sought, tuple(weight / whole for weight in weights))


@dataclass(frozen=True, slots=True)
class Plan:
    """`few`: terms of which an item must hold one, in few items altogether. `common`: of each unit left, one term."""

    few: tuple[str, ...]
    common: tuple[tuple[str, ...], ...]


def plan(wanted: Sequence[Wanted]) -> Plan:
    """Which items to look at: those with a rare unit; the common ones together when that isn't enough."""
    sought = [one for reading in wanted for one in reading.sought]
    few: set[str] = set()
    common: list[tuple[str, ...]] = []
    items = 0
    for one in sorted((one for one in sought if one.terms), key=lambda one: one.items):
        if items + one.items <= _FEW:
            items += one.items
            few.update(one.terms)
        else:
            common.append(one.terms)
    return Plan(tuple(sorted(few)), tuple(common[:3]))


def good_enough(best: float) -> bool:
    """Whether items that hold only common terms can't be better."""
    return best >= _GOOD


class Candidate(NamedTuple):
    """An item to be compared. `used`: 0 to 1, beside the most used."""

    item_id: str
    name: str
    head: int
    also: str
    body: str
    said: str
    initials: str
    hot: bool
    used: float


def score(wanted: Wanted, candidate: Candidate) -> float:
    """How well an item answers: 0 to 1 by what of the query it holds, and a little more for exactness and use."""
    reading, name = wanted.reading, candidate.name
    held = 0.0
    covered = 0
    for one, weight in zip(wanted.sought, wanted.weights, strict=True):
        if weight:
            quality, length = _quality(one, candidate)
            held += weight * quality
            covered += length
    found = held
    at = name.find(reading.whole) if len(reading.whole) > 1 else -1
    if at >= 0:
        found = max(found, 1.0 if at < candidate.head else _IN_BRACKET) + _WHOLE
        covered = max(covered, len(reading.whole))
        if reading.whole == name:
            found += _EQUAL
    if found < _LEAST_SCORE:
        return 0.0
    found += _DENSE * min(covered / len(name), 1.0)
    if _FIRST_WORDS.search(name):
        found += _FIRST
    return found + _HOT * candidate.hot + _USED * candidate.used


def _quality(one: Sought, candidate: Candidate) -> tuple[float, int]:
    """What of a unit the item holds, 0 to 1, and how many characters of its name that is."""
    unit = one.unit
    name, also = candidate.name, candidate.also
    best = 0.0
    length = 0
    for alternative in unit.alternatives:
        quality = alternative.quality
        if quality <= best:
            break
        worst, long = 1.0, 0
        for part, seeds in zip(alternative.parts, alternative.seeds, strict=True):
            for option in part:
                at = name.find(option)
                if at >= 0:
                    long += len(option)
                    if at >= candidate.head:
                        worst = min(worst, _IN_BRACKET)
                    break
            else:
                worst = min(worst, _IN_ALSO)
                if not any(option in also for option in seeds):
                    worst = 0.0
                    break
        if worst * quality > best:
            best, length = worst * quality, long
    if best >= _IN_ALSO:
        return best, length
    if unit.code and unit.code == fold(candidate.item_id):
        return 1.0, len(name)
    if unit.prefix and name.startswith(unit.prefix):
        return 1.0, 1
    return max(best, _resemblance(one, candidate)), length


def _resemblance(one: Sought, candidate: Candidate) -> float:
    unit = one.unit
    best = 0.0
    if unit.said:
        if f" {unit.said} " in candidate.said:
            return _SOUNDS_SO
        if len(one.pairs) > 1:
            part = sum(pair in candidate.said for pair in one.pairs) / len(one.pairs)
            best = part * _PART_OF_SOUND if part >= _LEAST_PART else 0.0
    if len(unit.initials) >= _INITIALS_LENGTH and unit.initials in candidate.initials:
        best = max(best, _SHORT_SO)
    if one.grams:
        part = sum(weight for gram, weight in one.grams if gram in candidate.name)
        if part >= _LEAST_PART:
            best = max(best, part * _PART_OF_IT)
    if unit.grams and not best:
        best = _IN_BODY * sum(gram in candidate.body for gram in unit.grams) / len(unit.grams)
    return best


def ranked(wanted: Sequence[Wanted], candidates: Iterable[Candidate]) -> list[tuple[int, str]]:
    """The items that answer, with their scores, the best first; what is far behind the best is left out."""
    scored = [(max(score(one, candidate) for one in wanted), candidate.item_id) for candidate in candidates]
    best = max((found for found, _ in scored), default=0.0)
    least = max(_LEAST_SCORE, best * _LEAST_OF_BEST)
    answers = [(round(found * SCALE), item_id) for found, item_id in scored if found >= least]
    return sorted(answers, key=lambda answer: (-answer[0], answer[1]))
