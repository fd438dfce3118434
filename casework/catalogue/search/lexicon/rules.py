"""The lexicon: words, what they stand for in the names of items, and how they are found when mistyped. Pure."""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate
from pathlib import Path

from casework.catalogue.search.words.rules import accented, fold, initials, is_latin, sounds, syllables

_DATA = Path(__file__).resolve().parent / "data"
_MEANINGLESS, _MEANS, _BOTH, _EITHER, _TOGETHER = "-", ">", "+", "/", "&"

BEST, ITSELF, SAME = 1.05, 1.0, 0.95
_MEANT = (0.95, 0.85, 0.75, 0.7)
"""How good a name is that holds the word itself, one of the same meaning, or the first, second … of what is meant.

`BEST`: itself and what is meant first; or the first word of the line, the whole of which the word is a part (机动车驾驶证).
"""
_NEAR_LENGTH, _NEAR_LETTERS = 3, 6
"""The shortest words that are found with one character, or one letter of their pinyin, wrong, missing or too much."""
_LONGEST_SAID = 16
_MANY_BEGINNINGS = 300
_DEEDS, _PLACES = "actions", "places"
"""The files of what is done with things, and of the parts of the city."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """What a name must hold: one option of each part, the longest first. `quality` says how well that answers the word.

    `seeds`: the options that no other option is a part of; where none of them is, none of the part is.
    """

    quality: float
    parts: tuple[tuple[str, ...], ...]
    seeds: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, quality: float, *parts: Iterable[str]) -> Alternative:
        """From the options of each part; a lone character (换, 补) says too little to be one."""
        options = [sorted({option for option in part if len(option) > 1}, key=_longest_first) for part in parts]
        seeds = [[one for one in part if not any(two in one for two in part if two != one)] for part in options]
        return cls(quality, tuple(map(tuple, options)), tuple(map(tuple, seeds)))


@dataclass(frozen=True, slots=True)
class Word:
    """A word as people type it; without alternatives it means nothing in a search.

    `deed`: done with things (补办), none itself. `place`: a part of the city. `begins`: so many words.
    """

    text: str
    alternatives: tuple[Alternative, ...]
    deed: bool
    place: bool
    begins: int


@dataclass(frozen=True, slots=True)
class Together:
    """What is meant when one of each side is typed, wherever (房子 … 去世): neither says it alone."""

    sides: tuple[tuple[str, ...], tuple[str, ...]]
    alternatives: tuple[Alternative, ...]

    def typed(self, whole: str) -> tuple[str, ...]:
        """Those of each side that were typed; empty unless there are some of both."""
        one, other = self.sides
        found = [word for word in one if word in whole]
        beside = [word for word in other if word in whole] if found else []
        return (*found, *beside) if beside else ()


@dataclass(slots=True)
class _Line:
    words: list[str]
    meant: list[str] = field(default_factory=list)
    meaningless: bool = False
    file: str = ""
    beside: list[str] = field(default_factory=list)


class Lexicon:
    """All words, and the ways to find them."""

    def __init__(self, lines: Iterable[_Line]) -> None:
        lines = list(lines)
        together = [line for line in lines if line.beside]
        lines = [line for line in lines if not line.beside]
        self._same: dict[str, tuple[str, ...]] = {}
        found: dict[str, list[Alternative]] = defaultdict(list)
        for line in lines:
            if not line.meant and not line.meaningless:
                self._same.update(dict.fromkeys(line.words, tuple(line.words)))
        for line in lines:
            for said in line.words:
                found[said] += self._alternatives(said, line)
        self.together = [
            Together((tuple(line.words), tuple(line.beside)), tuple(self._meant(line))) for line in together
        ]
        things = {said for line in lines if line.file != _DEEDS for said in line.words}
        self.places = frozenset(said for line in lines if line.file == _PLACES for said in line.words)
        texts = sorted(found)
        self.words = {
            text: Word(text, _sorted(ways), text not in things, text in self.places, _beginning_so(texts, text))
            for text, ways in found.items()
        }
        self.longest = max(map(len, self.words))
        self._by_sound: dict[str, list[Word]] = defaultdict(list)
        self._by_accent: dict[str, list[Word]] = defaultdict(list)
        self._by_initials: dict[str, list[Word]] = defaultdict(list)
        self._near: dict[str, list[tuple[str, Word]]] = defaultdict(list)
        self._typed: list[tuple[str, Word]] = []
        self._ends: dict[str, frozenset[int]] = {}
        for word in self.words.values():
            if word.alternatives and len(word.text) > 1:
                self._add(word)
        self._typed.sort(key=lambda pair: pair[0])

    def _alternatives(self, word: str, line: _Line) -> Iterator[Alternative]:
        if line.meaningless:
            return
        if len(word) > 1:
            yield Alternative.of(ITSELF, [word])
        if not line.meant:
            yield Alternative.of(SAME, line.words)
            if line.file != _DEEDS and len(word) > 1 and word in line.words[0] and word != line.words[0]:
                yield Alternative.of(BEST, line.words[:1])
        elif len(word) > 1:
            yield Alternative.of(BEST, [word], *map(self._options, line.meant[0].split(_BOTH)))
        yield from self._meant(line)

    def _meant(self, line: _Line) -> Iterator[Alternative]:
        for number, meant in enumerate(line.meant):
            parts = [self._options(part) for part in meant.split(_BOTH)]
            yield Alternative.of(_MEANT[min(number, len(_MEANT) - 1)], *parts)

    def _options(self, part: str) -> tuple[str, ...]:
        options: dict[str, None] = {}
        for option in map(fold, part.split(_EITHER)):
            options.update(dict.fromkeys(self._same.get(option, (option,))))
        return tuple(options)

    def _add(self, word: Word) -> None:
        self._typed.append((word.text, word))
        if len(word.text) >= _NEAR_LENGTH:
            self._add_near(word.text, word)
        if is_latin(word.text):
            return
        said = syllables(word.text)
        letters, short = "".join(said), initials(said)
        self._by_sound[sounds(word.text)].append(word)
        self._by_accent[accented(sounds(word.text))].append(word)
        self._by_initials[short].append(word)
        self._typed += [(letters, word), (short, word)]
        self._ends[letters] = frozenset(accumulate(map(len, said)))
        if _NEAR_LETTERS <= len(letters) <= _LONGEST_SAID:
            self._add_near(letters, word)

    def _add_near(self, text: str, word: Word) -> None:
        for near in (text, *_without_one(text)):
            self._near[near].append((text, word))

    def sounding(self, said: str) -> list[Word]:
        """Words that sound so (blurred syllables, parted by spaces)."""
        return self._by_sound.get(said, [])

    def accented(self, said: str) -> list[Word]:
        """Words that sound so to somebody who says n for l, or f for h."""
        return self._by_accent.get(accented(said), [])

    def abbreviated(self, letters: str) -> list[Word]:
        """Words with these initials."""
        return self._by_initials.get(letters, [])

    def near(self, typed: str) -> list[Word]:
        """Words one slip away: a character (or letter of the pinyin) wrong, missing, too much, or two swapped."""
        if not _NEAR_LENGTH <= len(typed) <= max(self.longest, _LONGEST_SAID) + 1:
            return []
        pairs = (pair for key in (typed, *_without_one(typed)) for pair in self._near.get(key, ()))
        return list(dict.fromkeys(word for text, word in pairs if _one_slip(typed, text)))

    def beginning(self, typed: str, limit: int) -> list[Word]:
        """Words whose text, pinyin or initials begin so.

        Whole syllables come first, things before deeds and places, and what many other words begin with.
        """
        at = bisect_left(self._typed, typed, key=lambda pair: pair[0])
        found: dict[Word, bool] = {}
        for text, word in self._typed[at : at + _MANY_BEGINNINGS]:
            if not text.startswith(typed):
                break
            found[word] = found.get(word, False) or text == typed or len(typed) in self._ends.get(text, ())
        return sorted(found, key=lambda one: (not found[one], one.deed or one.place, -one.begins, len(one.text)))[
            :limit
        ]


def _beginning_so(texts: list[str], text: str) -> int:
    """How many of the sorted `texts` begin with `text`."""
    return bisect_left(texts, text + chr(sys.maxunicode)) - bisect_left(texts, text)


def _longest_first(option: str) -> tuple[int, str]:
    return -len(option), option


def _sorted(alternatives: list[Alternative]) -> tuple[Alternative, ...]:
    return tuple(sorted(dict.fromkeys(alternatives), key=lambda alternative: -alternative.quality))


def _without_one(text: str) -> list[str]:
    return [text[:i] + text[i + 1 :] for i in range(len(text))]


def _one_slip(typed: str, meant: str) -> bool:
    """Of two texts with a shortening in common: whether they are one slip apart, not two.

    A wrong character out of three is too much: what sounds alike is found otherwise.
    """
    if len(typed) != len(meant):
        return True
    wrong = [i for i, (one, other) in enumerate(zip(typed, meant, strict=True)) if one != other]
    if len(wrong) != 2:
        return not wrong or len(typed) > _NEAR_LENGTH
    first, second = wrong
    return second == first + 1 and typed[first] == meant[second] and typed[second] == meant[first]


def parse(text: str, separator: str | None = None, *, file: str = "") -> Iterator[_Line]:
    """The lines of a data file; `separator` parts its words (None: white space)."""
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        meaningless = line.startswith(f"{_MEANINGLESS} ")
        said, _, meant = line.removeprefix(f"{_MEANINGLESS} ").partition(f" {_MEANS} ")
        one, _, other = said.partition(f" {_TOGETHER} ")
        words, beside = ([folded for word in side.split(separator) if (folded := fold(word))] for side in (one, other))
        yield _Line(words, meant.split(), meaningless, file, beside)


@cache
def lexicon() -> Lexicon:
    """The lexicon that comes with the product; made when first asked for."""
    lines: list[_Line] = []
    for file in sorted(_DATA.glob("*.txt")):
        separator = ";" if file.stem == "english" else None
        lines += parse(file.read_text(encoding="utf-8"), separator, file=file.stem)
    return Lexicon(lines)
