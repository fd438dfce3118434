"""Money: integer fen, exact text both ways, splits that add up (PY-2)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import MAX_FEN, Fen, MoneyError, fen, parse_yuan, split, total, yuan_text

amounts = st.integers(0, MAX_FEN).map(Fen)


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "0.00"), (5, "0.05"), (8000, "80.00"), (123456, "1234.56"), (-5, "-0.05"), (-12000, "-120.00")],
)
def test_yuan_text(amount: int, text: str) -> None:
    assert yuan_text(Fen(amount)) == text


@pytest.mark.parametrize(
    ("text", "amount"),
    [("80", 8000), ("80.0", 8000), ("80.00", 8000), ("0.01", 1), ("0.1", 10), ("99999999999999.99", MAX_FEN)],
)
def test_parse_yuan(text: str, amount: int) -> None:
    assert parse_yuan(text) == parse_yuan(Decimal(text)) == amount


@pytest.mark.parametrize(
    "text",
    [
        "",
        "80.001",
        "80.",
        ".5",
        "-1",
        "+1",
        "1e3",
        "1,000",
        " 80",
        "80 ",
        "８０",
        "¥80",
        "NaN",
        "1" * 15,
        "80.00\n",
        "--1",
    ],
)
def test_parse_yuan_refuses(text: str) -> None:
    with pytest.raises(MoneyError):
        parse_yuan(text)


@pytest.mark.parametrize(
    "value", [Decimal("0.001"), Decimal("NaN"), Decimal("Infinity"), Decimal("-1"), Decimal("1e20")]
)
def test_parse_yuan_refuses_decimals_too(value: Decimal) -> None:
    with pytest.raises(MoneyError):
        parse_yuan(value)


def test_negative_yuan_only_on_request() -> None:
    assert parse_yuan("-0.05", allow_negative=True) == -5
    assert parse_yuan(Decimal("-12.5"), allow_negative=True) == -1250


@pytest.mark.parametrize("value", [80.0, True, "80", None, Decimal(80), MAX_FEN + 1, -MAX_FEN - 1])
def test_only_whole_numbers_in_range_are_fen(value: object) -> None:
    with pytest.raises(MoneyError):
        fen(value)


@pytest.mark.parametrize("value", [80.0, True, None])
def test_floats_are_no_yuan(value: object) -> None:
    with pytest.raises(MoneyError):
        parse_yuan(value)  # type: ignore[arg-type]  # what an untyped caller might do


def test_total() -> None:
    assert total([]) == 0
    assert total([Fen(8000), Fen(-500), Fen(1)]) == 7501
    with pytest.raises(MoneyError):
        total([MAX_FEN, Fen(1)])


@pytest.mark.parametrize(
    ("amount", "weights", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (101, [1, 1, 1], [34, 34, 33]),
        (10, [1, 2], [3, 7]),  # 3.33 and 6.67: the second loses more by rounding down
        (1, [0, 5], [0, 1]),
        (0, [1, 1], [0, 0]),
        (8000, [7], [8000]),
    ],
)
def test_split(amount: int, weights: list[int], parts: list[int]) -> None:
    assert split(Fen(amount), weights) == parts


@pytest.mark.parametrize(("amount", "weights"), [(-1, [1]), (1, []), (1, [0, 0]), (1, [2, -1])])
def test_split_refuses(amount: int, weights: list[int]) -> None:
    with pytest.raises(MoneyError):
        split(Fen(amount), weights)


@given(amounts)
def test_text_and_back(amount: Fen) -> None:
    assert parse_yuan(yuan_text(amount)) == amount
    assert parse_yuan(yuan_text(Fen(-amount)), allow_negative=True) == -amount


@given(amounts, st.lists(st.integers(0, 1000), min_size=1, max_size=9).filter(any))
def test_parts_add_up_and_are_fair(amount: Fen, weights: list[int]) -> None:
    parts = split(amount, weights)
    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * sum(weights) - amount * weight) < sum(weights)
