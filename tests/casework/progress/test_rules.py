"""Matching of a look-up (3.4)."""

import pytest

from casework.progress.rules import matches


@pytest.mark.parametrize(
    ("name", "tail", "fits"),
    [
        ("张伟", "1234", True),
        (" 张伟 ", "1234", True),
        ("张伟", "1235", False),
        ("张卫", "1234", False),
        ("", "", False),
    ],
)
def test_name_and_tail_must_both_fit(name: str, tail: str, fits: bool) -> None:
    assert matches(name=name, tail=tail, case_name="张伟", case_document="330203199001011234") is fits


def test_dots_and_the_letter_x_are_forgiving() -> None:
    assert matches(name="古丽娜尔•买买提", tail="002x", case_name="古丽娜尔·买买提", case_document="11010519491231002X")
