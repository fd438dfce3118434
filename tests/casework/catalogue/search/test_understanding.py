"""From typed text to units, with a catalogue that knows a few pairs of characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.catalogue.search.lexicon.rules import lexicon
from casework.catalogue.search.understanding.rules import MAX_CHARACTERS, Reading, read
from casework.catalogue.search.words.rules import bigrams

KNOWN = {
    pair for name in ("居民身份证丢失补领", "住房公积金提取", "水土保持方案审批", "家政服务") for pair in bigrams(name)
}


def understood(typed: str) -> Reading:
    return read(typed, lexicon(), lambda term: int(term in KNOWN))[0]


def units(typed: str) -> list[str]:
    return [unit.text for unit in understood(typed).units]


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("我要补办身份证怎么办", ["补办身份证"]), ("请问在哪里办理公积金提取", ["公积金提取"]), ("水土保持方案", ["水土保持方案"]),
        ("家政服务在哪办", ["家政服务"]), ("公积金的变更", ["公积金", "变更"]), ("护", ["护"]), ("", []), ("，。", []),
        ("how to renew passport", ["renewpassport"]), ("NB-002", ["nb002"]),
    ],
)  # fmt: skip
def test_text_is_cut_into_words(typed: str, wanted: list[str]) -> None:
    assert units(typed) == wanted


@pytest.mark.parametrize(
    "typed", ["身份证", "身分正", "shenfenzheng", "shen fen zheng", "身份zheng", "生份证", "sfz", "SFZ", "身份證"]
)
def test_an_identity_card_is_understood_however_it_is_typed(typed: str) -> None:
    ways = [way for unit in understood(typed).units for way in unit.alternatives]
    assert any("居民身份证" in part for way in ways for part in way.parts)


def test_initials_of_two_words_in_a_row() -> None:
    assert units("gjjbl") == ["gjj", "bl"]


def test_words_without_meaning_alone_are_looked_for_as_they_stand() -> None:
    assert units("怎么办") == ["怎么办"]


def test_what_nobody_knows_is_doubtful_and_keeps_its_sound() -> None:
    (unit,) = understood("甲乙丙丁").units
    assert unit.doubtful
    assert unit.said == "jia yi bin din"


@given(st.text(max_size=120))
def test_anything_may_be_typed(typed: str) -> None:
    reading = understood(typed)
    assert len(reading.whole) <= MAX_CHARACTERS
    assert all(unit.alternatives or unit.said or unit.prefix or unit.grams or unit.text for unit in reading.units)
