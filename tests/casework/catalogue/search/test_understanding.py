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
        ("家政服务在哪办", ["家政服务"]), ("公积金的变更", ["公积金", "变更"]),
        ("注册一个公司", ["注册公司"]), ("刻了个公章", ["刻公章"]), ("补办了二十年的身份证", ["补办身份证"]),
        ("用了十年的水土保持方案", ["水土保持方案"]),
        ("慈溪公积金", ["慈溪", "公积金"]), ("卖酒卖饮料", ["卖酒"]), ("护", ["护"]), ("", []), ("，。", []),
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


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("公积金提去", "公积金提取"), ("社保咔", "社会保障卡"), ("社保ka", "社会保障卡"), ("公司销注", "公司注销登记"),
        ("驾驶z", "机动车驾驶证"),
        ("公积金dai'k", "住房公积金贷款"), ("gongjijint", "住房公积金提取"), ("nihun dengji", "离婚登记"), ("fuzhao", "护照"),
        ("lǚguǎn", "旅馆"), ("lannianzheng", "老年人优待证"), ("老头子走了房子怎么过户", "继承"), ("孩子刚出生想落户", "出生登记"),
    ],
)  # fmt: skip
def test_what_was_mistyped_or_said_at_length_is_understood(typed: str, meant: str) -> None:
    ways = [way for unit in understood(typed).units for way in unit.alternatives]
    assert any(meant in part for way in ways for part in way.parts)


def test_a_place_is_told_from_a_thing() -> None:
    place, thing = understood("慈溪公积金").units
    assert (place.place, thing.place) == (True, False)


def test_a_name_is_not_taken_for_two_words_that_belong_together() -> None:
    whole = "分公司注销"
    known = dict.fromkeys(bigrams(whole), 1)
    (reading, *_) = read(whole, lexicon(), lambda term: known.get(term, 0))
    assert "公司 注销" not in [unit.text for unit in reading.units]
    assert [unit.text for unit in understood("公司怎么注销").units] == ["公司注销"]


def test_of_a_long_story_only_so_much_is_looked_for() -> None:
    assert len(understood("护照身份证户口驾驶证社保卡居住证结婚离婚公积金低保护士医师").units) == 6


def test_of_a_long_unknown_stretch_the_parts_that_the_catalogue_knows_are_looked_for() -> None:
    assert units("甲乙家政丙丁己庚") == ["家政"]
    assert units("甲家政丙") == ["甲家政丙"], "one word with a slip in it, for all we know"


def test_initials_of_two_words_in_a_row() -> None:
    assert units("gjjbl") == ["gjj", "bl"]


def test_words_without_meaning_alone_are_looked_for_as_they_stand() -> None:
    assert units("怎么办") == ["怎么办"]
    assert units("请问怎么办理" * 8) == []


def test_what_nobody_knows_is_doubtful_and_keeps_its_sound() -> None:
    (unit,) = understood("甲乙丙丁").units
    assert unit.doubtful
    assert unit.said == "jia yi bin din"


@given(st.text(max_size=120))
def test_anything_may_be_typed(typed: str) -> None:
    reading = understood(typed)
    assert len(reading.whole) <= MAX_CHARACTERS
    assert all(unit.alternatives or unit.said or unit.prefix or unit.grams or unit.text for unit in reading.units)
