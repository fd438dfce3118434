"""From typed text to units. Pure: what the catalogue knows is asked through a function."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from casework.catalogue.search.lexicon.rules import ITSELF, Alternative, Lexicon, Word
from casework.catalogue.search.words.rules import bigrams, is_latin, parts, runs, sounds, spell, syllables

MAX_CHARACTERS = 50
_SOUND, _SHORT, _SLIP = 0.8, 0.75, 0.8
"""What a word found by its sound, its initials or one slip away is worth, beside the word itself."""
_MANY_WORDS, _MANY_ALTERNATIVES, _MANY_UNITS = 6, 12, 6
_LONGEST_SAID = 8
_LONGEST_GUESS = 12
_CODE_LENGTH = 3
_SHORTEST_PREFIX = 3
_LONG_UNKNOWN = 5
"""From how many characters on an unknown stretch is several words, and not one with a slip in it."""
_PARTICLES = frozenset("了的呢吗啊呀")
_AMOUNT = re.compile(
    "[0-9一二三四五六七八九十两几半百多]{1,4}"
    "(?:个月|周岁|[年个月天周岁次套块万条只台辆家位间张份趟])(?:以上|[了多前后])?"
)
"""How long, how many, how old: what somebody tells, not what is looked for."""

Known = Callable[[str], int]
"""In how many items a term (two characters, say) occurs."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One thing that was typed, and the ways to find it.

    `alternatives`: texts of names. `grams`: its own pairs of characters, for names that hold a part of it. `said`: how it
    sounds, and `initials`, for names that sound so. `prefix`: a lone character that names begin with. `code`: an item's.
    `doubtful`: the lexicon doesn't know it as it stands. `deed`: what is done (补办), not with what. `place`: where.
    """

    text: str
    alternatives: tuple[Alternative, ...] = ()
    grams: tuple[str, ...] = ()
    said: str = ""
    initials: str = ""
    prefix: str = ""
    code: str = ""
    doubtful: bool = False
    deed: bool = False
    place: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to understand what was typed; `whole` is all of it, folded."""

    whole: str
    units: tuple[Unit, ...]


def read(typed: str, lexicon: Lexicon, known: Known) -> tuple[Reading, ...]:
    """The ways to understand what somebody typed, the most literal first; without units there is nothing to look for."""
    stretches = runs(typed[: MAX_CHARACTERS * 2])
    whole = "".join(stretches)[:MAX_CHARACTERS]
    if len(whole) == 1 and not is_latin(whole):
        return (Reading(whole, (Unit(whole, prefix=whole),)),)
    reader = _Reader(stretches, whole, lexicon, known)
    kept = reader.kept()
    if kept and sum(map(len, kept)) < len(whole):
        reader = _Reader(kept, "".join(kept), lexicon, known)
    found = list(reader.units())
    together = _put_together(found, whole, lexicon, known)
    units = _telling(together)
    literal = Reading(whole, units or _plain(whole))
    if together is not found or not (reader.dropped or any(unit.doubtful for unit in units)):
        return (literal,)
    guess = reader.guess()
    if guess is None:
        return (literal,)
    guessed = Reading(whole, (guess,))
    return (guessed,) if reader.dropped else (literal, guessed)


def _put_together(units: list[Unit], whole: str, lexicon: Lexicon, known: Known) -> list[Unit]:
    """With what some of them mean only together in the place of those.

    Not where one word of the lexicon says both already, nor where all of it may be of a name as it stands.
    """
    if all(map(known, bigrams(whole))):
        return units
    for together in lexicon.together:
        if words := together.typed(whole):
            if any(together.typed(unit.text) for unit in units if not unit.doubtful):
                return units
            others = [unit for unit in units if not any(word in unit.text for word in words)]
            return [*others, Unit(" ".join(words), together.alternatives)]
    return units


def _telling(units: Sequence[Unit]) -> tuple[Unit, ...]:
    """Each meaning once; of too many, those that the lexicon knows."""
    different: dict[object, Unit] = {}
    for unit in units:
        meant = tuple(alternative for alternative in unit.alternatives if alternative.quality < ITSELF)
        different.setdefault(meant or unit.text, unit)
    return tuple(sorted(different.values(), key=lambda unit: unit.doubtful)[:_MANY_UNITS])


def _plain(whole: str) -> tuple[Unit, ...]:
    """Only words without meaning were typed: they are looked for as they stand, unless there are too many of them."""
    return (_raw(whole),) if 1 < len(whole) <= _LONGEST_GUESS else ()


def _raw(text: str) -> Unit:
    return Unit(text, (Alternative.of(ITSELF, [text]),), tuple(bigrams(text)))


def _of_words(text: str, words: Iterable[Word], worth: float) -> Unit | None:
    alternatives = [
        replace(alternative, quality=alternative.quality * worth)
        for word in list(words)[:_MANY_WORDS]
        for alternative in word.alternatives
    ]
    best = sorted(dict.fromkeys(alternatives), key=lambda alternative: -alternative.quality)
    return Unit(text, tuple(best[:_MANY_ALTERNATIVES])) if best else None


class _Reader:
    def __init__(self, stretches: list[str], whole: str, lexicon: Lexicon, known: Known) -> None:
        self.whole, self.lexicon, self.known = whole, lexicon, known
        self.cuts = {0, len(whole)}
        self.dropped = False
        """Whether something was typed that neither means nothing nor is found anywhere as it stands."""
        self.first, self.last = len(whole), 0
        """Where what means something begins and ends."""
        self.exact: list[str] = []
        at = 0
        for stretch in stretches:
            for part in parts(stretch):
                self.cuts.add(at)
                at += len(part)

    def kept(self) -> list[str]:
        """What was typed without what means nothing: 注册一个公司 is 注册公司."""
        kept: list[str] = []
        for start, end, word in self._stretches():
            if word is None:
                kept += self._pieces(start, end)
            elif word.alternatives:
                kept.append(word.text)
        return kept

    def units(self) -> Iterator[Unit]:
        """Words of the lexicon, and what lies between them."""
        for start, end, word in self._stretches():
            if word is None:
                yield from self._between(start, end)
            elif word.alternatives:
                self._means(start, end)
                self.exact.append(word.text)
                yield Unit(word.text, word.alternatives, tuple(bigrams(word.text)), deed=word.deed, place=word.place)

    def _stretches(self) -> Iterator[tuple[int, int, Word | None]]:
        """From where to where there is a word of the lexicon, or none; amounts are left out."""
        at = start = 0
        while at < len(self.whole):
            word = self._word(at)
            length = len(word.text) if word else self._amount(at)
            if not length or (at > start and not (word and word.alternatives) and self._within(at)):
                at += 1
                continue
            if at > start:
                yield start, at, None
            if word is not None:
                yield at, at + length, word
            at = start = at + length
        if start < len(self.whole):
            yield start, len(self.whole), None

    def guess(self) -> Unit | None:
        """All that means something as one word: one slip away, by its sound, or typed only in part."""
        text = self.whole[self.first : self.last]
        words = self.lexicon.near(text)
        if not words and len(text) <= _LONGEST_GUESS:
            pieces = parts(text)
            words = self.lexicon.sounding(" ".join(self._said(pieces)))
            if not words and pieces and is_latin(pieces[-1]):
                letters = "".join(piece if is_latin(piece) else "".join(syllables(piece)) for piece in pieces)
                words = self.lexicon.beginning(letters, _MANY_WORDS)
        return _of_words(text, (word for word in words if all(exact in word.text for exact in self.exact)), _SLIP)

    def _means(self, start: int, end: int) -> None:
        self.first, self.last = min(self.first, start), end

    def _amount(self, at: int) -> int:
        """The length of an amount here, unless it begins a word of the catalogue (一次 of 一次性补贴)."""
        found = _AMOUNT.match(self.whole, at)
        return 0 if found is None or self.known(self.whole[found.end() - 1 : found.end() + 1]) else len(found[0])

    def _word(self, at: int) -> Word | None:
        for length in range(min(self.lexicon.longest, len(self.whole) - at), 1, -1):
            word = self.lexicon.words.get(self.whole[at : at + length])
            if word is not None and self._stands_alone(word.text, at):
                return word
        return None

    def _within(self, at: int) -> bool:
        """Whether a word that means nothing is the end of another here (服务 of 家政服务)."""
        return self.known(self.whole[at - 1 : at + 1]) > 0

    def _stands_alone(self, text: str, at: int) -> bool:
        """A word doesn't begin or end within another of Latin letters."""
        end = at + len(text)
        begins = at in self.cuts or not is_latin(text[0])
        return begins and (end in self.cuts or not is_latin(text[-1]))

    def _between(self, start: int, end: int) -> Iterator[Unit]:
        pieces = self._pieces(start, end)
        if not pieces:
            return
        self._means(start, end)
        if len(pieces) > 1 and (mixed := self._mixed(pieces)):
            yield from mixed
            return
        for piece in pieces:
            yield from self._latin(piece) if is_latin(piece) else self._chinese(piece)

    def _pieces(self, start: int, end: int) -> list[str]:
        return [piece for piece in map(self._trimmed, parts(self.whole[start:end])) if piece]

    def _trimmed(self, text: str) -> str:
        """Without lone characters that mean nothing (的, 我) at its ends, nor particles within it."""
        if is_latin(text):
            return text
        while text and self._empty(text[0]) and not self.known(text[:2]):
            text = text[1:]
        while text and self._empty(text[-1]) and not self.known(text[-2:]):
            text = text[:-1]
        for at in range(len(text) - 2, 0, -1):
            if text[at] in _PARTICLES and not self.known(text[at - 1 : at + 1]) and not self.known(text[at : at + 2]):
                text = text[:at] + text[at + 1 :]
        return text

    def _empty(self, character: str) -> bool:
        word = self.lexicon.words.get(character)
        return word is not None and not word.alternatives

    def _mixed(self, pieces: list[str]) -> list[Unit]:
        """Characters and pinyin in turn (身份zheng); empty unless all of it sounds like something."""
        said = self._said(pieces)
        return self._sounding("".join(pieces), said) if said else []

    def _said(self, pieces: Iterable[str]) -> list[str]:
        """How pieces of characters and of pinyin sound; nothing unless all of them do."""
        said: list[str] = []
        for piece in pieces:
            heard = spell(piece) if is_latin(piece) else sounds(piece).split()
            if not heard:
                return []
            said += heard
        return said

    def _chinese(self, text: str) -> Iterator[Unit]:
        if len(text) == 1:
            word = self.lexicon.words.get(text)
            if word is not None and word.alternatives:
                yield Unit(text, word.alternatives, deed=word.deed)
            self.dropped = self.dropped or word is None
            return
        if all(self.known(gram) for gram in bigrams(text)):
            yield replace(_raw(text), doubtful=True)
            return
        said = sounds(text).split()
        exact = self.lexicon.sounding(" ".join(said))
        near = None if exact else _of_words(text, self.lexicon.near(text), _SLIP)
        if near is not None:
            yield replace(near, grams=tuple(bigrams(text)), said=" ".join(said), doubtful=True)
            return
        yield from (replace(unit, doubtful=True) for unit in self._sounding(text, said))

    def _sounding(self, text: str, said: list[str]) -> list[Unit]:
        """Words of the lexicon by sound, the longest first; what is left between them by its own sound."""
        units: list[Unit] = []
        at = start = 0
        aligned = not is_latin(text) and len(said) == len(text)

        def rest(begin: int, end: int) -> None:
            self.dropped = self.dropped or end - begin == 1 or not self._heard(said[begin:end])
            if end - begin > 1 or (end > begin and not units and end == len(said)):
                piece = text[begin:end] if aligned else ""
                heard = " ".join(said[begin:end])
                if len(piece) >= _LONG_UNKNOWN and (words := self._in_catalogue(piece)):
                    units.extend(_raw(word) for word in words)
                    return
                raw = _raw(piece) if len(piece) > 1 and not is_latin(piece) else Unit(piece or text)
                accented = _of_words(raw.text, self.lexicon.accented(heard), _SLIP) if self.dropped else None
                units.append(replace(accented or raw, grams=raw.grams, said=heard))

        while at < len(said):
            for length in range(min(_LONGEST_SAID, len(said) - at), 1, -1):
                found = self.lexicon.sounding(" ".join(said[at : at + length]))
                unit = _of_words(text, found, _SOUND)
                if unit is not None:
                    rest(start, at)
                    piece = text[at : at + length] if aligned else text
                    said_so = " ".join(said[at : at + length])
                    units.append(replace(unit, text=piece, grams=tuple(bigrams(piece)), said=said_so))
                    at = start = at + length
                    break
            else:
                at += 1
        rest(start, len(said))
        return units

    def _in_catalogue(self, text: str) -> list[str]:
        """The parts of an unknown stretch that the catalogue knows: 征地, 前期, 用地 of 征地前期用地."""
        words = [text[0]]
        for at in range(1, len(text)):
            if self.known(text[at - 1 : at + 1]):
                words[-1] += text[at]
            else:
                words.append(text[at])
        return [word for word in words if len(word) > 1]

    def _latin(self, text: str) -> Iterator[Unit]:
        """Pinyin, initials, a code, an English word with a slip in it."""
        if any(character.isdigit() for character in text):
            if len(text) >= _CODE_LENGTH:
                yield replace(_raw(text), code=text)
            return
        said = list(spell(text))
        short = self._short(text)
        if said and not (short is not None and len(said) == 1):
            units = self._sounding(text, said)
            if short is None and not any(unit.alternatives for unit in units) and not self._heard(said):
                units = [found] if (found := self._mistyped(text)) else units
            if short is not None and len(units) == 1:
                alternatives = (*units[0].alternatives, *short.alternatives)
                units = [replace(units[0], alternatives=alternatives, initials=text)]
            yield from units
            return
        if short is not None:
            yield replace(short, initials=text)
            return
        yield from self._abbreviated(text)

    def _heard(self, said: Sequence[str]) -> bool:
        """Whether the names of items sound so."""
        return all(self.known(f"{one} {other}") for one, other in pairwise(said))

    def _mistyped(self, text: str) -> Unit | None:
        """A word that wasn't typed to its end, or has a slip in it."""
        words = self.lexicon.beginning(text, _MANY_WORDS) if len(text) >= _SHORTEST_PREFIX else []
        self.dropped = self.dropped or bool(self.exact)
        return _of_words(text, words or self.lexicon.near(text), _SLIP)

    def _short(self, text: str) -> Unit | None:
        words = self.lexicon.abbreviated(text)
        if text == self.whole:
            words = [word for word in words if not word.deed] or words
        return _of_words(text, words, _SHORT)

    def _abbreviated(self, text: str) -> Iterator[Unit]:
        """Initials of several words in a row (sfzbl: 身份证补领), else initials of a stretch of a name."""
        cut = _cut(text, lambda part: bool(self.lexicon.abbreviated(part)))
        if not cut and (found := self._mistyped(text)) is not None:
            yield found
            return
        if not cut:
            yield Unit(text, (Alternative.of(ITSELF, [text]),), tuple(bigrams(text)), initials=text)
            return
        for part in cut:
            unit = _of_words(part, self.lexicon.abbreviated(part), _SHORT)
            if unit is not None:
                yield replace(unit, initials=part)


def _cut(text: str, is_word: Callable[[str], bool]) -> list[str]:
    """`text` as words in a row, the longest first; empty when it isn't."""
    if not text:
        return []
    for length in range(len(text), 1, -1):
        if is_word(text[:length]):
            following = _cut(text[length:], is_word)
            if following or length == len(text):
                return [text[:length], *following]
    return []
