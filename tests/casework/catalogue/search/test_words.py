"""Folding, reading aloud, splitting pinyin."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.catalogue.search.words.rules import accented, blur, fold, initials, parts, runs, sounds, spell, syllables


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("身份證遺失", "身份证遗失"), ("ＡＰＥＣ 商務", "apec商务"), ("护照（换发、补发）", "护照换发补发"), (" ,。 ", ""),
        ("Ｋｔｖ", "ktv"), ("臺灣", "台湾"), ("養犬登記", "养犬登记"), ("①", "1"),
        ("shēnfènzhèng", "shenfenzheng"), ("Lǚguǎn lüguan", "lvguanlvguan"),
    ],
)  # fmt: skip
def test_width_case_and_traditional_forms_are_folded(written: str, folded: str) -> None:
    assert fold(written) == folded


@given(st.text(max_size=40))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert "".join(runs(text)) == fold(text)


@given(st.text(max_size=40))
def test_there_is_a_syllable_for_every_character(text: str) -> None:
    folded = fold(text)
    assert len(syllables(folded)) == len(folded)
    assert len(sounds(folded).split(" ")) == max(len(folded), 1)


def test_words_are_read_as_words() -> None:
    assert syllables("银行") == ["yin", "hang"]
    assert syllables("行驶证") == ["xing", "shi", "zheng"]
    assert syllables("重新") == ["chong", "xin"]
    assert initials(syllables("身份证")) == "sfz"


@pytest.mark.parametrize(
    ("one", "other"), [("身份证", "生分正"), ("公积金", "工机金"), ("结婚", "洁昏"), ("旅馆", "鲁管")]
)
def test_what_sounds_alike_by_ear_is_one(one: str, other: str) -> None:
    assert sounds(one) == sounds(other)


@pytest.mark.parametrize("syllable", ["zhang", "zan", "shi", "cheng", "lv", "e"])
def test_blurring_twice_is_blurring_once(syllable: str) -> None:
    assert blur(blur(syllable)) == blur(syllable)


@pytest.mark.parametrize(
    ("one", "other"), [("ni hun", "li hun"), ("fu kou", "hu kou"), ("huan can zen", "fan can zen")]
)
def test_accents_are_one(one: str, other: str) -> None:
    assert accented(one) == accented(other)
    assert accented(accented(one)) == accented(one)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("shenfenzheng", ("sen", "fen", "zen")), ("gongjijin", ("gon", "ji", "jin")), ("erhuan", ("er", "huan")),
        ("lvguan", ("lu", "guan")),
        ("sfz", ()), ("passport", ()), ("", ()), ("xyz" * 12, ()),
    ],
)  # fmt: skip
def test_pinyin_is_split_into_syllables(typed: str, said: tuple[str, ...]) -> None:
    assert spell(typed) == said


def test_scripts_are_parted() -> None:
    assert parts("身份zheng丢了4s店") == ["身份", "zheng", "丢了", "4s", "店"]
