"""Folding text, reading it as syllables, and splitting typed pinyin into syllables. Pure.

Syllables are *blurred*: zh/z, ch/c, sh/s, final ng/n and ü/u are one, as they are in the speech (and typing) of the region;
so a wrong character that sounds alike, and pinyin spelt by ear, come out the same.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path

_DATA = Path(__file__).resolve().parent / "data"
_RETROFLEX = re.compile(r"^([zcs])h")
_LONGEST_PHRASE = 3
_LONGEST_SYLLABLE = 6
# Lone letters that are syllables too; typed alone they are initials.
_VOWELS = frozenset("aeo")
_TONES = {"āáǎà": "a", "ēéěè": "e", "īíǐì": "i", "ōóǒò": "o", "ūúǔù": "u", "üǖǘǚǜ": "v", "ńňǹ": "n"}
_ACCENTS = {"fu": "hu", "fei": "hui", "fan": "huan", "fen": "hun"}
"""What many from the south and west of the country say for the one and the other."""


@cache
def _traditional() -> dict[int, str]:
    forms: dict[int, str] = {}
    for line in (_DATA / "traditional.txt").read_text(encoding="utf-8").splitlines():
        simple, others = line.split(" ")
        forms.update(dict.fromkeys(map(ord, others), simple))
    for letters, plain in _TONES.items():
        forms.update(dict.fromkeys(map(ord, letters), plain))
    return forms


@cache
def _readings() -> dict[str, str]:
    readings: dict[str, str] = {}
    for line in (_DATA / "syllables.txt").read_text(encoding="utf-8").splitlines():
        syllable, characters = line.split(" ")
        readings.update(dict.fromkeys(characters, syllable.replace("v", "u")))
    return readings


@cache
def _phrases() -> dict[str, tuple[str, ...]]:
    lines = (_DATA / "phrases.txt").read_text(encoding="utf-8").splitlines()
    return {word: tuple(said) for word, *said in (line.split(" ") for line in lines)}


@cache
def _known_syllables() -> frozenset[str]:
    lines = (_DATA / "syllables.txt").read_text(encoding="utf-8").splitlines()
    known = {line.split(" ")[0] for line in lines}
    return frozenset(known | {syllable.replace("v", "u") for syllable in known})


def blur(syllable: str) -> str:
    """A toneless syllable with the sounds made one that are mixed up."""
    syllable = _RETROFLEX.sub(r"\1", syllable)
    return syllable[:-1] if syllable.endswith("ng") else syllable


def accented(said: str) -> str:
    """Blurred syllables, parted by spaces, with n/l and f/h made one too: as they are where many who moved here come from."""
    return " ".join(_ACCENTS.get(one, "l" + one[1:] if one[0] == "n" else one) for one in said.split())


def runs(text: str) -> list[str]:
    """The stretches of letters and digits in `text`; width, case, traditional forms and the tones of pinyin folded."""
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_traditional())
    if folded.isalnum():
        return [folded]
    return "".join(char if char.isalnum() else " " for char in folded).split()


def fold(text: str) -> str:
    """`text` as search compares it: letters and digits only."""
    return "".join(runs(text))


def is_latin(text: str) -> bool:
    """Whether a folded stretch is made of Latin letters and digits."""
    return text.isascii()


def parts(run: str) -> list[str]:
    """A folded stretch, cut where Latin letters and digits meet other characters."""
    return re.findall(r"[\x00-\x7f]+|[^\x00-\x7f]+", run)


def bigrams(text: str) -> list[str]:
    """Every two neighbouring characters of a folded text, in order."""
    return [text[i : i + 2] for i in range(len(text) - 1)]


def syllables(text: str) -> list[str]:
    """How a folded text is read: one toneless syllable for each character; what has no reading stands for itself."""
    readings, phrases = _readings(), _phrases()
    said: list[str] = []
    at = 0
    while at < len(text):
        for length in range(_LONGEST_PHRASE, 1, -1):
            found = phrases.get(text[at : at + length])
            if found is not None:
                said += found
                at += length
                break
        else:
            said.append(readings.get(text[at], text[at]))
            at += 1
    return said


def sounds(text: str) -> str:
    """How a folded text sounds: its syllables, blurred, parted by spaces."""
    return " ".join(map(blur, syllables(text)))


def initials(said: list[str]) -> str:
    """The first letters of syllables: 身份证 → sfz."""
    return "".join(syllable[0] for syllable in said)


def spell(letters: str) -> tuple[str, ...]:
    """Typed pinyin as blurred syllables, the longest first; empty when the letters aren't whole syllables."""
    known = _known_syllables()
    dead: set[int] = set()

    def rest(at: int) -> list[str] | None:
        if at == len(letters):
            return []
        if at in dead:
            return None
        for length in range(min(_LONGEST_SYLLABLE, len(letters) - at), 0, -1):
            syllable = letters[at : at + length]
            if syllable in known and not (length == 1 and syllable not in _VOWELS):
                following = rest(at + length)
                if following is not None:
                    return [blur(syllable).replace("v", "u"), *following]
        dead.add(at)
        return None

    return tuple(rest(0) or ())
