"""What WeChat takes as a value (PROTOCOLS 1.5)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partners.wechat.values import fit

# WeChat's table, written down apart from the code under test.
RULES = {
    "thing": r".{1,20}",
    "character_string": r"[!-~]{1,32}",
    "phrase": r"[\u4e00-\u9fff]{1,5}",
    "name": r"[ -~]{1,20}|.{1,10}",
    "time": r"[0-9年月日:./~ -]{4,40}",
    "amount": r"[¥￥$€£]?[0-9]{1,10}(\.[0-9]+)?元?",
    "number": r"[0-9.]{1,32}",
    "car_number": r".{1,8}",
}


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("thing1", "存量房转移登记", "存量房转移登记"),
        ("thing1", "一二三四五六七八九十一二三四五六七八九十", "一二三四五六七八九十一二三四五六七八九十"),
        ("thing1", "一二三四五六七八九十一二三四五六七八九十多", "一二三四五六七八九十一二三四五六七八九…"),
        ("thing5", "", "详见小程序"),
        ("thing5", "两\n行\t字\x00", "两 行 字"),
        ("thing1", "𠀀" * 21, "𠀀" * 19 + "…"),
        ("character_string2", "NB2611240000010", "NB2611240000010"),
        ("character_string2", "编号 A-12", "A-12"),
        ("character_string2", "x" * 40, "x" * 32),
        ("character_string2", "编号", "-"),
        ("phrase3", "预审已提交", "预审已提交"),
        ("phrase3", "预审(已)提交了", "预审已提交"),
        ("phrase3", "OK", "已更新"),
        ("time4", "2026年11月24日 15:01", "2026年11月24日 15:01"),
        ("time4", "15:01", "15:01"),
        ("date4", "2026-11-24", "2026-11-24"),
        ("time2", "2026年12月5日 09:00~09:30", "2026年12月5日 09:00~09:30"),
        ("amount2", "80.00元", "80.00元"),
        ("amount2", "¥80.00", "¥80.00"),
        ("number1", "12.5", "12.5"),
        ("letter1", "ab-C1", "abC"),
        ("symbol1", "a!?", "!?"),
        ("phone_number1", "+86 138-0013 8000转1", "+86 138-0013 8000"),
        ("car_number1", "浙B12345挂长长", "浙B12345挂"),
        ("name1", "古丽娜尔·买买提江江江", "古丽娜尔·买买提江江"),
        ("name1", "Jane Elizabeth Smith Doe", "Jane Elizabeth Smith"),
        ("name1", "", "本人"),
    ],
)
def test_fitted(key: str, value: str, expected: str) -> None:
    assert fit(key, value) == expected


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("time4", ""),
        ("time4", "明天上午"),
        ("date4", "2026-11/24"),
        ("amount2", ""),
        ("amount2", "约80元"),
        ("number1", "八"),
        ("number1", "1" * 33),
        ("letter1", "123"),
        ("car_number1", ""),
        ("enum1", "x"),
    ],
)
def test_what_cannot_be_mended(key: str, value: str) -> None:
    with pytest.raises(ValueError):
        fit(key, value)


@given(
    st.sampled_from(["thing1", "character_string2", "phrase3", "name4", "time5", "amount6", "number7", "car_number8"]),
    st.text(max_size=60),
)
def test_whatever_is_fitted_the_platform_takes(key: str, value: str) -> None:
    try:
        fitted = fit(key, value)
    except ValueError:
        return
    assert fitted.strip()
    assert not any(ord(character) < 32 or ord(character) == 127 for character in fitted)
    assert re.fullmatch(RULES[key.rstrip("0123456789")], fitted)
