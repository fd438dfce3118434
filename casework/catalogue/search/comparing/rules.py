"""Scores of the items that a search looks at. Pure."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import accumulate
from typing import Any, NamedTuple

from casework.catalogue.search.lexicon.rules import Alternative, lexicon
from casework.catalogue.search.ranking.rules import INITIALS_LENGTH, Sought, Wanted
from casework.catalogue.search.words.rules import fold

SCALE = 10_000

_IN_BRACKET, _IN_ALSO, _IN_BODY = 0.97, 0.7, 0.3
_SOUNDS_SO, _SHORT_SO, _PART_OF_IT, _PART_OF_SOUND = 0.75, 0.7, 0.8, 0.6
_LEAST_PART = 0.34
"""How much a match is worth beside one in the name; a part counts from `_LEAST_PART` of the weight of its pairs on."""
_WHOLE, _EQUAL, _DENSE, _FIRST, _HOT, _USED = 0.15, 0.5, 0.06, 0.02, 0.02, 0.02
_ELSEWHERE = 0.06
"""What an item of one part of the city is worth less to somebody who names none."""
_LEAST_SCORE, _LEAST_OF_BEST = 0.22, 0.5
_FIRST_WORDS = re.compile("首次|新办|设立|申领|核发|认定|新建")
_BETWEEN = "\n"
"""Between the texts of two items: folded texts never hold it."""


class Candidate(NamedTuple):
    """An item to be compared: its `Texts`, whether it is hot, and how many people used it lately."""

    item_id: str
    name: str
    head: int
    also: str
    body: str
    said: str
    initials: str
    hot: bool
    uses: int


class _Text:
    """One text of every candidate, in one string. Candidates go by their number."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.joined = _BETWEEN.join(texts)
        self.starts = list(accumulate([len(text) + 1 for text in texts], initial=0))
        self._found: dict[str, dict[int, int]] = {}

    def holding(self, sought: str) -> Mapping[int, int]:
        """Who holds it, and at which character first."""
        found = self._found.get(sought)
        if found is None:
            found = self._found[sought] = {}
            at = self.joined.find(sought)
            while at >= 0:
                number = bisect_right(self.starts, at) - 1
                found[number] = at - self.starts[number]
                at = self.joined.find(sought, self.starts[number + 1])
        return found


class _Pool:
    """The candidates of one search."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        columns: Iterable[Any] = zip(*candidates, strict=True)
        (
            self.item_ids,
            self.names,
            self.heads,
            self._also,
            self._body,
            self._said,
            self._initials,
            self.hot,
            self.uses,
        ) = columns
        self.name = _Text(self.names)

    @cached_property
    def also(self) -> _Text:
        return _Text(self._also)

    @cached_property
    def body(self) -> _Text:
        return _Text(self._body)

    @cached_property
    def said(self) -> _Text:
        return _Text(self._said)

    @cached_property
    def initials(self) -> _Text:
        return _Text(self._initials)

    @cached_property
    def first_words(self) -> frozenset[int]:
        """Whose names say that something is had for the first time."""
        starts = self.name.starts
        return frozenset(bisect_right(starts, found.start()) - 1 for found in _FIRST_WORDS.finditer(self.name.joined))

    @cached_property
    def local(self) -> frozenset[int]:
        """Whose names end with a part of the city, in brackets."""
        places = lexicon().places
        return frozenset(
            number
            for number, (name, head) in enumerate(zip(self.names, self.heads, strict=True))
            if head < len(name) and name[head:] in places
        )

    @cached_property
    def most_uses(self) -> int:
        return max(self.uses) or 1

    def matches(self, one: Sought) -> tuple[dict[int, float], dict[int, int]]:
        """What of a unit each candidate holds, 0 to 1, and how many characters of its name that is.

        Those that hold nothing of it aren't there.
        """
        unit = one.unit
        best: dict[int, float] = {}
        lengths: dict[int, int] = {}
        for alternative in unit.alternatives:
            quality = alternative.quality
            for number, (worst, length) in self._holding(alternative).items():
                if worst * quality > best.get(number, 0.0):
                    best[number], lengths[number] = worst * quality, length
        rest = {number for number in range(len(self.names)) if number not in best or best[number] < _IN_ALSO}
        if unit.code or unit.prefix:
            for number in list(rest):
                if unit.code and unit.code == fold(self.item_ids[number]):
                    best[number], lengths[number] = 1.0, len(self.names[number])
                    rest.discard(number)
                elif unit.prefix and self.names[number].startswith(unit.prefix):
                    best[number], lengths[number] = 1.0, 1
                    rest.discard(number)
        if rest:
            _raise(best, self._resembling(one, rest))
        return best, lengths

    def _holding(self, alternative: Alternative) -> dict[int, tuple[float, int]]:
        """Who holds an option of every part: how good the worst place of a part is, and characters of the name."""
        held: dict[int, tuple[float, int]] = {}
        for place, (part, seeds) in enumerate(zip(alternative.parts, alternative.seeds, strict=True)):
            here: dict[int, tuple[float, int]] = {}
            for option in part:
                for number, at in self.name.holding(option).items():
                    if number not in here:
                        here[number] = (1.0 if at < self.heads[number] else _IN_BRACKET, len(option))
            for option in seeds:
                for number in self.also.holding(option):
                    here.setdefault(number, (_IN_ALSO, 0))
            if place:
                here = {
                    number: (min(worst, held[number][0]), length + held[number][1])
                    for number, (worst, length) in here.items()
                    if number in held
                }
            held = here
            if not held:
                break
        return held

    def _resembling(self, one: Sought, rest: Collection[int]) -> Iterable[tuple[int, float]]:
        """Of the `rest`: what sounds like the unit, has its initials, holds a part of it, or holds it in the papers."""
        unit = one.unit
        best: dict[int, float] = {}
        parts = _summed(((self.name.holding(gram), weight) for gram, weight in one.grams), _PART_OF_IT)
        _raise(best, parts)
        if len(unit.initials) >= INITIALS_LENGTH:
            _raise(best, ((number, _SHORT_SO) for number in self.initials.holding(unit.initials)))
        if unit.said:
            if len(one.pairs) > 1:
                share = 1 / len(one.pairs)
                _raise(best, _summed(((self.said.holding(pair), share) for pair in one.pairs), _PART_OF_SOUND))
            best |= dict.fromkeys(self.said.holding(f" {unit.said} "), _SOUNDS_SO)
        if unit.grams and any(number not in best for number in rest):
            share = _IN_BODY / len(unit.grams)
            papers: dict[int, float] = {}
            for gram in unit.grams:
                for number in self.body.holding(gram):
                    if number not in best:
                        papers[number] = papers.get(number, 0.0) + share
            best |= papers
        return [(number, quality) for number, quality in best.items() if number in rest]


def _summed(held: Iterable[tuple[Mapping[int, int], float]], worth: float) -> Iterable[tuple[int, float]]:
    """The shares of what each holds, times what that is worth; too small ones left out."""
    sums: dict[int, float] = {}
    for numbers, share in held:
        for number in numbers:
            sums[number] = sums.get(number, 0.0) + share
    return ((number, part * worth) for number, part in sums.items() if part >= _LEAST_PART)


def _raise(best: dict[int, float], found: Iterable[tuple[int, float]]) -> None:
    for number, quality in found:
        if quality > best.get(number, 0.0):
            best[number] = quality


def _scores(wanted: Wanted, pool: _Pool) -> Iterable[tuple[int, float]]:
    """How well items answer: 0 to 1 by what of the query they hold, and a little more for exactness and use."""
    held: dict[int, float] = {}
    covered: dict[int, int] = {}
    for one, weight in zip(wanted.sought, wanted.weights, strict=True):
        if weight:
            best, lengths = pool.matches(one)
            for number, quality in best.items():
                held[number] = held.get(number, 0.0) + weight * quality
            for number, length in lengths.items():
                covered[number] = covered.get(number, 0) + length
    whole = wanted.reading.whole
    literal = pool.name.holding(whole) if len(whole) > 1 else {}
    for number, at in literal.items():
        worth = 1.0 if at < pool.heads[number] else _IN_BRACKET
        held[number] = max(held.get(number, 0.0), worth) + _WHOLE
        covered[number] = max(covered.get(number, 0), len(whole))
        if whole == pool.names[number]:
            held[number] += _EQUAL
    elsewhere = frozenset() if any(unit.place for unit in wanted.reading.units) else pool.local
    for number, found in held.items():
        if found >= _LEAST_SCORE:
            dense = min(covered.get(number, 0) / (pool.heads[number] or len(pool.names[number])), 1.0)
            used = pool.uses[number] / pool.most_uses
            first = _FIRST if number in pool.first_words else 0.0
            little = _DENSE * dense + first + _HOT * pool.hot[number] + _USED * used
            yield number, found + little - _ELSEWHERE * (number in elsewhere)


def ranked(wanted: Iterable[Wanted], candidates: Sequence[Candidate]) -> list[tuple[int, str]]:
    """The items that answer, with their scores, the best first; what is far behind the best is left out."""
    if not candidates:
        return []
    pool = _Pool(candidates)
    scored: dict[int, float] = {}
    for one in wanted:
        _raise(scored, _scores(one, pool))
    least = max(_LEAST_SCORE, max(scored.values(), default=0.0) * _LEAST_OF_BEST)
    answers = [(round(found * SCALE), pool.item_ids[number]) for number, found in scored.items() if found >= least]
    return sorted(answers, key=lambda answer: (-answer[0], answer[1]))
