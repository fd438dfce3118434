"""From typed text to units. Pure: what the catalogue knows is asked through a function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from casework.catalogue.search.lexicon.rules import ITSELF, Alternative, Lexicon, Word
from casework.catalogue.search.words.rules import bigrams, is_latin, parts, runs, sounds, spell

MAX_CHARACTERS = 50
_SOUND, _SHORT, _SLIP = 0.8, 0.75, 0.8
"""What a word found by its sound, its initials or one slip away is worth, beside the word itself."""
_MANY_WORDS, _MANY_ALTERNATIVES = 6, 12
_LONGEST_SAID = 8
_CODE_LENGTH = 3
_SHORTEST_PREFIX = 3

Known = Callable[[str], int]
"""In how many items a term (two characters, say) occurs."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One thing that was typed, and the ways to find it.

    `alternatives`: texts of names. `grams`: its own pairs of characters, for names that hold a part of it. `said`: how it
    sounds, and `initials`, for names that sound so. `prefix`: a lone character that names begin with. `code`: an item's.
    `doubtful`: the lexicon doesn't know it as it stands. `deed`: what is done (补办), not with what.
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
    units = tuple(_Reader(stretches, whole, lexicon, known).units())
    readings = [Reading(whole, units or _plain(whole))]
    if any(unit.doubtful for unit in units) and (near := _of_words(whole, lexicon.near(whole), _SLIP)):
        readings.append(Reading(whole, (near,)))
    return tuple(readings)


def _plain(whole: str) -> tuple[Unit, ...]:
    """Only words without meaning were typed: they are looked for as they stand."""
    return (_raw(whole),) if len(whole) > 1 else ()


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
        self.stretches = set(stretches)
        self.cuts = {0, len(whole)}
        at = 0
        for stretch in stretches:
            for part in parts(stretch):
                self.cuts.add(at)
                at += len(part)

    def units(self) -> Iterator[Unit]:
        """Words of the lexicon, and what lies between them."""
        at = start = 0
        while at < len(self.whole):
            word = self._word(at)
            if word is None or (at > start and self._within(word, at)):
                at += 1
                continue
            yield from self._between(start, at)
            if word.alternatives:
                yield Unit(word.text, word.alternatives, tuple(bigrams(word.text)), deed=word.deed)
            at = start = at + len(word.text)
        yield from self._between(start, len(self.whole))

    def _word(self, at: int) -> Word | None:
        for length in range(min(self.lexicon.longest, len(self.whole) - at), 1, -1):
            word = self.lexicon.words.get(self.whole[at : at + length])
            if word is not None and self._stands_alone(word.text, at):
                return word
        return None

    def _within(self, word: Word, at: int) -> bool:
        """Whether a word that means nothing is the end of another here (服务 of 家政服务)."""
        return not word.alternatives and self.known(self.whole[at - 1 : at + 1]) > 0

    def _stands_alone(self, text: str, at: int) -> bool:
        """A word doesn't begin or end within another of Latin letters."""
        end = at + len(text)
        begins = at in self.cuts or not is_latin(text[0])
        return begins and (end in self.cuts or not is_latin(text[-1]))

    def _between(self, start: int, end: int) -> Iterator[Unit]:
        text = self.whole[start:end]
        pieces = [piece for piece in map(self._trimmed, parts(text)) if piece]
        if not pieces:
            return
        if len(pieces) > 1 and (mixed := self._mixed(pieces)):
            yield from mixed
            return
        for piece in pieces:
            yield from self._latin(piece) if is_latin(piece) else self._chinese(piece)

    def _trimmed(self, text: str) -> str:
        """Without lone characters that mean nothing (的, 我) at its ends."""
        if is_latin(text):
            return text
        while text and self._empty(text[0]) and not self.known(text[:2]):
            text = text[1:]
        while text and self._empty(text[-1]) and not self.known(text[-2:]):
            text = text[:-1]
        return text

    def _empty(self, character: str) -> bool:
        word = self.lexicon.words.get(character)
        return word is not None and not word.alternatives

    def _mixed(self, pieces: list[str]) -> list[Unit]:
        """Characters and pinyin in turn (身份zheng); empty unless all of it sounds like something."""
        said: list[str] = []
        for piece in pieces:
            syllables = spell(piece) if is_latin(piece) else tuple(sounds(piece).split())
            if not syllables:
                return []
            said += syllables
        return self._sounding("".join(pieces), said)

    def _chinese(self, text: str) -> Iterator[Unit]:
        if len(text) == 1:
            word = self.lexicon.words.get(text)
            if word is not None and word.alternatives:
                yield Unit(text, word.alternatives, deed=word.deed)
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
            if end - begin > 1 or (end > begin and not units and end == len(said)):
                piece = text[begin:end] if aligned else ""
                raw = _raw(piece) if len(piece) > 1 and not is_latin(piece) else Unit(piece or text)
                units.append(replace(raw, said=" ".join(said[begin:end])))

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
            if short is not None and len(units) == 1:
                alternatives = (*units[0].alternatives, *short.alternatives)
                units = [replace(units[0], alternatives=alternatives, initials=text)]
            yield from units
            return
        if short is not None:
            yield replace(short, initials=text)
            return
        near = _of_words(text, self.lexicon.near(text), _SLIP)
        if near is None and len(text) >= _SHORTEST_PREFIX:
            near = _of_words(text, self.lexicon.beginning(text, _MANY_WORDS), _SLIP)
        if near is not None:
            yield near
            return
        yield from self._abbreviated(text)

    def _short(self, text: str) -> Unit | None:
        words = self.lexicon.abbreviated(text)
        if text == self.whole:
            words = [word for word in words if not word.deed] or words
        return _of_words(text, words, _SHORT)

    def _abbreviated(self, text: str) -> Iterator[Unit]:
        """Initials of several words in a row (sfzbl: 身份证补领), else initials of a stretch of a name."""
        cut = _cut(text, lambda part: bool(self.lexicon.abbreviated(part)))
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
