"""What people type into phone and name fields (PROTOCOLS 6, PEERS 4.2). All people are invented."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.identifiers import IdentifierError, Reason, name_key, normalise_name, normalise_phone


@pytest.mark.parametrize(
    "typed",
    [
        "13800000000",
        "+8613800000000",
        "008613800000000",
        "8613800000000",
        "138 0000 0000",
        "138-0000-0000",
        "(+86) 138 0000 0000",
        "+86-138-0000-0000",
        "１３８００００００００",
        "＋８６ 13800000000",
        " 138\u200b00000000\u202c",
        "+86\u00a013800000000",
        "138.0000.0000",
    ],
)
def test_mainland_mobiles(typed: str) -> None:
    found = normalise_phone(typed)
    assert (found.e164, found.national, found.is_mainland) == ("+8613800000000", "13800000000", True)


def test_virtual_and_new_segments_are_accepted() -> None:
    for segment in ("170", "171", "162", "165", "167", "192", "142", "154", "161", "164", "194", "199"):
        assert normalise_phone(segment + "00000000").is_mainland


@pytest.mark.parametrize(
    ("typed", "e164", "national"),
    [
        ("+852 9123 4567", "+85291234567", "85291234567"),
        ("00852-91234567", "+85291234567", "85291234567"),
        ("+853 6612 3456", "+85366123456", "85366123456"),
        ("+886 912 345 678", "+886912345678", "886912345678"),
        ("+886 0912 345 678", "+886912345678", "886912345678"),
        ("+1 (415) 555-2671", "+14155552671", "14155552671"),
        ("+44 7911 123456", "+447911123456", "447911123456"),
        ("+65 8123 4567", "+6581234567", "6581234567"),
    ],
)
def test_numbers_from_elsewhere(typed: str, e164: str, national: str) -> None:
    found = normalise_phone(typed)
    assert (found.e164, found.national, found.is_mainland) == (e164, national, False)


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", Reason.EMPTY),
        ("--", Reason.EMPTY),
        ("1380000000", Reason.LENGTH),
        ("138000000000", Reason.LENGTH),
        ("12800000000", Reason.LENGTH),
        ("1380000000a", Reason.CHARACTERS),
        ("138********", Reason.CHARACTERS),
        ("١٣٨٠٠٠٠٠٠٠٠", Reason.CHARACTERS),
        ("91234567", Reason.COUNTRY_CODE),
        ("057487654321", Reason.COUNTRY_CODE),
        ("+8657487654321", Reason.NOT_MOBILE),
        ("+85221234567", Reason.NOT_MOBILE),
        ("+8532812345", Reason.NOT_MOBILE),
        ("+886223456789", Reason.NOT_MOBILE),
        ("1440012345678", Reason.MACHINE_NUMBER),
        ("1064812345678", Reason.MACHINE_NUMBER),
        ("+861400123456789"[:16], Reason.MACHINE_NUMBER),
        ("+123456", Reason.LENGTH),
        ("+1234567890123456", Reason.LENGTH),
        ("+0123456789", Reason.LENGTH),
        ("++8613800000000", Reason.CHARACTERS),
        ("13800000000;13900000000", Reason.CHARACTERS),
    ],
)
def test_wrong_phones(typed: str, reason: Reason) -> None:
    with pytest.raises(IdentifierError) as caught:
        normalise_phone(typed)
    assert caught.value.reason is reason


@given(st.from_regex(r"\A1[3-9][0-9]{9}\Z"))
def test_phones_are_stable(digits: str) -> None:
    found = normalise_phone(digits)
    assert normalise_phone(found.e164) == normalise_phone(found.national) == found


@given(st.text(max_size=25))
def test_any_text_is_a_phone_or_refused(typed: str) -> None:
    try:
        found = normalise_phone(typed)
    except IdentifierError as refused:
        assert refused.field == "phone"
    else:
        assert normalise_phone(found.e164) == found


@pytest.mark.parametrize("dot", "·•‧・･．.∙⋅")
def test_all_middle_dots_become_one(dot: str) -> None:
    assert normalise_name(f"古丽娜尔{dot}买买提") == "古丽娜尔·买买提"


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("张伟", "张伟"),
        (" 张 伟 ", "张伟"),
        ("张\u3000伟\u200b", "张伟"),
        ("\ufeff张伟\u202c", "张伟"),
        ("张", "张"),
        ("𠮷田", "𠮷田"),
        ("王䶮", "王䶮"),
        ("李\U00030000", "李\U00030000"),
        ("欧阳〇", "欧阳〇"),
        ("隆", "隆"),  # a compatibility ideograph stays as on the document
        ("陳偉", "陳偉"),
        ("古丽娜尔 · 买买提", "古丽娜尔·买买提"),
        ("阿卜杜拉·阿卜杜热合曼·麦麦提", "阿卜杜拉·阿卜杜热合曼·麦麦提"),
        ("葛\U000e0100", "葛"),
        ("JOHN  SMITH", "JOHN SMITH"),
        ("Smith, John", "Smith, John"),
        ("ＪＯＨＮ　ＳＭＩＴＨ", "JOHN SMITH"),
        ("O’BRIEN-LEE, J. R.", "O'BRIEN-LEE, J. R."),
        ("Jose\u0301 Nu\u0301n\u0303ez", "José Núñez"),
        ("NGUYỄN VĂN AN", "NGUYỄN VĂN AN"),
        ("X", "X"),
        ("买" * 50, "买" * 50),
    ],
)
def test_names(typed: str, name: str) -> None:
    assert normalise_name(typed) == name


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", Reason.EMPTY),
        ("\u200b\u3000", Reason.EMPTY),
        ("·买买提", Reason.DOTS),
        ("古丽娜尔·", Reason.DOTS),
        ("古丽··买买提", Reason.DOTS),
        ("古丽・.买买提", Reason.DOTS),
        ("张伟1", Reason.CHARACTERS),
        ("张伟abc", Reason.CHARACTERS),
        ("张*", Reason.CHARACTERS),
        ("张伟（男）", Reason.CHARACTERS),
        ("张\ue000", Reason.CHARACTERS),  # private use: means another character on every machine
        ("张😀", Reason.CHARACTERS),
        ("John3", Reason.CHARACTERS),
        ("<script>", Reason.CHARACTERS),
        ("Иван", Reason.CHARACTERS),
        ("...", Reason.CHARACTERS),
        ("-", Reason.CHARACTERS),
        ("张" * 101, Reason.LENGTH),
    ],
)
def test_wrong_names(typed: str, reason: Reason) -> None:
    with pytest.raises(IdentifierError) as caught:
        normalise_name(typed)
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("古丽娜尔·买买提", "古丽娜尔•买买提"),
        ("古丽娜尔·买买提", "古丽娜尔买买提"),
        ("古丽娜尔·买买提", "古丽娜尔．买买提"),
        ("JOHN SMITH", "John  Smith"),
        ("JOSE NUNEZ", "José Núñez"),
        ("O'BRIEN", "O’Brien"),
        ("SMITH, JOHN", "SMITH JOHN"),
        ("張偉\u200b", "張偉"),
        ("隆", "隆"),
    ],
)
def test_spellings_of_one_name_have_one_key(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("张伟", "张玮"), ("陳偉", "陈伟"), ("𠮷田", "吉田"), ("JOHN SMITH", "JOAN SMITH"), ("王䶮", "王龚")],
)
def test_other_names_have_other_keys(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


@given(st.text(max_size=40))
def test_any_text_is_a_stable_name_or_refused(typed: str) -> None:
    try:
        name = normalise_name(typed)
    except IdentifierError as refused:
        assert refused.field == "name"
    else:
        assert normalise_name(name) == name
        assert name_key(name) == name_key(typed) != ""
