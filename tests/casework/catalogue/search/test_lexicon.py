"""The lexicon: what its data means, and how a word is found that was mistyped."""

import pytest

from casework.catalogue.search.lexicon.rules import ITSELF, Lexicon, lexicon, parse
from casework.catalogue.search.words.rules import fold, sounds

DATA = """
# a remark
身份证 居民身份证 二代证
开饭店 饭馆 > 食品经营许可+餐饮服务 餐饮/小吃
身份证丢了 > 身份证+补领/补办
- 怎么办 我要
"""


@pytest.fixture(scope="module")
def small() -> Lexicon:
    return Lexicon(parse(DATA))


def test_words_of_one_meaning_stand_for_one_another(small: Lexicon) -> None:
    itself, same = small.words["身份证"].alternatives
    assert (itself.quality, itself.parts) == (ITSELF, (("身份证",),))
    assert set(same.parts[0]) == {"身份证", "居民身份证", "二代证"}
    assert set(same.seeds[0]) == {"身份证", "二代证"}


def test_what_is_meant_comes_in_the_order_of_the_data(small: Lexicon) -> None:
    alternatives = small.words["饭馆"].alternatives
    assert [way.quality for way in alternatives] == sorted((way.quality for way in alternatives), reverse=True)
    assert [len(way.parts) for way in alternatives] == [1, 2, 1]
    assert set(alternatives[2].parts[0]) == {"餐饮", "小吃"}
    lost = small.words["身份证丢了"].alternatives[1]
    assert "居民身份证" in lost.parts[0]
    assert set(lost.parts[1]) == {"补领", "补办"}


def test_words_without_meaning_have_no_alternatives(small: Lexicon) -> None:
    assert small.words["我要"].alternatives == ()
    assert small.beginning("我", 5) == []


@pytest.mark.parametrize("typed", ["身份证丢", "身份证丢了了", "身份正丢了", "身证份丢了"])
def test_one_slip_is_forgiven(small: Lexicon, typed: str) -> None:
    assert "身份证丢了" in [word.text for word in small.near(typed)]


@pytest.mark.parametrize("typed", ["shenfezheng", "shenfennzheng", "shenfenzhegn"])
def test_a_slip_in_the_pinyin_is_forgiven(small: Lexicon, typed: str) -> None:
    assert [word.text for word in small.near(typed)] == ["身份证"]


@pytest.mark.parametrize("typed", ["身丢", "生活正丢了", "饭店", "甲乙丙丁"])
def test_two_slips_are_another_word(small: Lexicon, typed: str) -> None:
    assert "身份证丢了" not in [word.text for word in small.near(typed)]


def test_words_are_found_by_sound_initials_and_beginning(small: Lexicon) -> None:
    assert [word.text for word in small.sounding(sounds("生分正"))] == ["身份证"]
    assert [word.text for word in small.abbreviated("kfd")] == ["开饭店"]
    for typed in ("开", "kaif", "kf"):
        assert [word.text for word in small.beginning(typed, 5)] == ["开饭店"]


def test_the_data_of_the_product_is_sound() -> None:
    product = lexicon()
    assert len(product.words) > 2_000
    for text, word in product.words.items():
        assert text == fold(text)
        for way in word.alternatives:
            assert all(way.parts), text
            assert all(way.seeds), text
            assert 0 < way.quality <= ITSELF
