"""The lexicon: what its data means, and how a word is found that was mistyped."""

import pytest

from casework.catalogue.search.lexicon.rules import BEST, ITSELF, SAME, Lexicon, lexicon, parse
from casework.catalogue.search.words.rules import fold, sounds

DATA = """
# a remark
身份证 居民身份证 二代证
开饭店 饭馆 > 食品经营许可+餐饮服务 餐饮/小吃
身份证丢了 > 身份证+补领/补办
- 怎么办 我要
机动车驾驶证 驾驶证 驾照
房子 房产 & 去世 过世 > 转移登记+继承 继承
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
    assert [len(way.parts) for way in alternatives] == [3, 1, 2, 1]
    assert set(alternatives[3].parts[0]) == {"餐饮", "小吃"}
    lost = small.words["身份证丢了"].alternatives[2]
    assert "居民身份证" in lost.parts[0]
    assert set(lost.parts[1]) == {"补领", "补办"}


def test_a_name_with_the_first_word_of_the_line_is_better_than_one_with_a_part_of_it(small: Lexicon) -> None:
    best, itself, _ = small.words["驾驶证"].alternatives
    assert (best.quality, best.parts) == (BEST, (("机动车驾驶证",),))
    assert (itself.quality, itself.parts) == (ITSELF, (("驾驶证",),))
    assert [way.quality for way in small.words["驾照"].alternatives] == [ITSELF, SAME]


def test_what_two_words_mean_only_together(small: Lexicon) -> None:
    (together,) = small.together
    assert together.typed("我妈去世了房子怎么过户") == ("房子", "去世")
    assert together.typed("房子过户") == together.typed("人去世了") == ()
    assert [len(way.parts) for way in together.alternatives] == [2, 1]
    assert "去世" not in small.words


def test_an_accent_is_understood() -> None:
    small = Lexicon(parse("护照\n离婚登记\n老年证"))
    assert [word.text for word in small.accented(sounds("富照"))] == ["护照"]
    assert [word.text for word in small.accented("ni hun den ji")] == ["离婚登记"]
    assert [word.text for word in small.accented("lao lian zen")] == ["老年证"]


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


def test_of_what_begins_so_whole_syllables_come_first_then_things_then_what_many_words_begin_with() -> None:
    lines = [*parse("怀孕 怀上\n护士\n户口 户口簿"), *parse("换证", file="actions"), *parse("海曙区", file="places")]
    small = Lexicon(lines)
    assert [word.text for word in small.beginning("hu", 9)] == ["户口", "护士", "户口簿", "怀上", "怀孕", "换证"]
    assert [word.text for word in small.beginning("hs", 9)] == ["怀上", "护士", "海曙区"]
    assert [word.text for word in small.beginning("h", 1)] == ["户口"]


def test_a_long_story_is_no_slip_of_anything(small: Lexicon) -> None:
    assert small.near("身份证丢了" * 10) == []


def test_the_data_of_the_product_is_sound() -> None:
    product = lexicon()
    assert len(product.words) > 3_000
    assert {"慈溪", "保税区"} <= product.places
    assert all(side for together in product.together for side in together.sides)
    for text, word in product.words.items():
        assert text == fold(text)
        for way in word.alternatives:
            assert all(way.parts), text
            assert all(way.seeds), text
            assert 0 < way.quality <= BEST
