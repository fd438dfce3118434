"""Keys, numbers for people and tokens (DOMAIN 2.3)."""

from __future__ import annotations

import threading
import time
from datetime import date
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.identifiers import IdentifierError, Reason
from core.ids import (
    case_number,
    luhn_digit,
    numbered,
    parse_case_number,
    parse_numbered,
    random_token,
    scramble_sequence,
    uuid7,
)

DAY = date(2026, 11, 24)
KEY = bytes(range(32))

days = st.dates(date(2000, 1, 1), date(2099, 12, 31))
sequences = st.integers(0, 999_999)


def test_uuid7_has_the_layout_of_rfc_9562() -> None:
    before = time.time_ns() // 1_000_000
    key = uuid7()
    after = time.time_ns() // 1_000_000
    assert key.version == 7
    assert key.int >> 62 & 0b11 == 0b10
    assert before <= key.int >> 80 <= after


def test_uuid7_rises_in_every_thread_and_never_repeats() -> None:
    made: list[list[UUID]] = []

    def make() -> None:
        made.append([uuid7() for _ in range(3_000)])

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(keys == sorted(keys) for keys in made)
    assert len({key for keys in made for key in keys}) == 12_000


def test_the_documented_case_number() -> None:
    assert case_number(DAY, 1) == "NB2611240000010"
    assert luhn_digit("7992739871") == "3"


@pytest.mark.parametrize(
    "typed",
    [
        "NB2611240000010",
        "nb2611240000010",
        " NB 261124 000001 0 ",
        "NB-261124-000001-0",
        "ＮＢ２６１１２４０００００１０",
        "NB261124\u200b0000010\u3000",
        "NB261124\u20130000010",
        "\ufeffNB2611240000010\n",
    ],
)
def test_typed_case_numbers_are_read(typed: str) -> None:
    assert parse_case_number(typed) == "NB2611240000010"


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", Reason.EMPTY),
        ("  ", Reason.EMPTY),
        ("NB2611240000011", Reason.CHECKSUM),
        ("NB2611240000100", Reason.CHECKSUM),  # two digits changed places
        ("YY2611240000010", Reason.OTHER_KIND),
        ("NB261124000010", Reason.CHARACTERS),
        ("NB26112400000100", Reason.CHARACTERS),
        ("NB261124O000010", Reason.CHARACTERS),
        ("2611240000010", Reason.CHARACTERS),
        ("办件2611240000010", Reason.CHARACTERS),
        ("NB" + "261331000001" + luhn_digit("261331000001"), Reason.DATE),
        ("NB" + "260230000001" + luhn_digit("260230000001"), Reason.DATE),
    ],
)
def test_wrong_case_numbers_are_refused_with_the_reason(typed: str, reason: Reason) -> None:
    with pytest.raises(IdentifierError) as caught:
        parse_case_number(typed, field="case_number")
    assert caught.value.reason is reason
    assert caught.value.fields == {"case_number": (reason.value,)}


def test_kinds_of_number_are_told_apart() -> None:
    appointment = numbered("YY", DAY, 1)
    assert parse_numbered("YY", appointment) == appointment
    with pytest.raises(IdentifierError) as caught:
        parse_case_number(appointment)
    assert caught.value.reason is Reason.OTHER_KIND


@pytest.mark.parametrize(
    ("prefix", "day", "sequence"),
    [
        ("nb", DAY, 1),
        ("N", DAY, 1),
        ("NB1", DAY, 1),
        ("NB", DAY, 1_000_000),
        ("NB", DAY, -1),
        ("NB", date(1999, 1, 1), 1),
    ],
)
def test_numbers_that_do_not_fit_are_not_made(prefix: str, day: date, sequence: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        numbered(prefix, day, sequence)


@given(days, sequences)
def test_numbers_are_read_back(day: date, sequence: int) -> None:
    number = case_number(day, sequence)
    assert len(number) == 15
    assert parse_case_number(number) == number


@given(days, sequences, st.integers(2, 14), st.integers(1, 9))
def test_any_wrong_digit_is_caught(day: date, sequence: int, position: int, change: int) -> None:
    number = case_number(day, sequence)
    wrong = number[:position] + str((int(number[position]) + change) % 10) + number[position + 1 :]
    with pytest.raises(IdentifierError) as caught:
        parse_case_number(wrong)
    assert caught.value.reason is Reason.CHECKSUM


def test_scrambling_is_one_to_one() -> None:
    made = [scramble_sequence(n, DAY, KEY) for n in range(5_000)]
    assert len(set(made)) == 5_000
    assert all(0 <= n < 1_000_000 for n in made)


@given(sequences, sequences, days)
def test_scrambling_never_maps_two_to_one(a: int, b: int, day: date) -> None:
    assert (scramble_sequence(a, day, KEY) == scramble_sequence(b, day, KEY)) is (a == b)


def test_scrambled_numbers_do_not_tell_their_neighbours() -> None:
    made = [scramble_sequence(n, DAY, KEY) for n in range(2_000)]
    near = sum(abs(b - a) < 1_000 for a, b in pairwise(made))
    # Unrelated neighbours are nearer than 1,000 in 0.2% of all pairs.
    assert near < 30
    # Spread over the whole range: about 200 in each tenth.
    tenths = [sum(n // 100_000 == tenth for n in made) for tenth in range(10)]
    assert min(tenths) > 130
    assert max(tenths) < 270


def test_scrambling_depends_on_day_and_key() -> None:
    here = [scramble_sequence(n, DAY, KEY) for n in range(200)]
    other_day = [scramble_sequence(n, date(2026, 11, 25), KEY) for n in range(200)]
    other_key = [scramble_sequence(n, DAY, KEY[::-1]) for n in range(200)]
    assert sum(a == b for a, b in zip(here, other_day, strict=True)) < 3
    assert sum(a == b for a, b in zip(here, other_key, strict=True)) < 3
    assert here == [scramble_sequence(n, DAY, KEY) for n in range(200)]


@pytest.mark.parametrize("n", [-1, 1_000_000])
def test_scrambling_refuses_what_has_no_place(n: int) -> None:
    with pytest.raises(ValueError, match="sequence"):
        scramble_sequence(n, DAY, KEY)


def test_tokens() -> None:
    tokens = {random_token(128) for _ in range(500)}
    assert len(tokens) == 500
    assert {len(token) for token in tokens} == {22}
    assert len(random_token()) == 43
    for bits in (56, 65, 0):
        with pytest.raises(ValueError, match="64 bits"):
            random_token(bits)
