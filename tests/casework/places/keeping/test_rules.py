"""Three values of a field: what the file says, what it said last time, what is."""

import pytest

from casework.places.keeping.rules import merge


@pytest.mark.parametrize(
    ("said", "last", "now", "kept", "conflict"),
    [
        ("a", "a", "a", "a", False),
        ("b", "a", "a", "b", False),  # the file changed
        ("a", "a", "x", "x", False),  # somebody here changed
        ("x", "a", "x", "x", False),  # both, alike
        ("b", "a", "x", "b", True),  # both, otherwise
    ],
)
def test_who_wins(said: str, last: str, now: str, kept: str, conflict: bool) -> None:
    found = merge({"f": said}, {"f": last}, {"f": now}, overwrite=False)
    assert bool(found.conflicts) is conflict
    if not conflict:
        assert found.fields == {"f": kept}
    assert merge({"f": said}, {"f": last}, {"f": now}, overwrite=True).fields == {"f": said}


def test_a_new_place_and_one_of_which_nothing_was_remembered() -> None:
    assert merge({"f": "a"}, {}, None, overwrite=False).fields == {"f": "a"}
    assert merge({"f": "b"}, {}, {"f": "a"}, overwrite=False).fields == {"f": "b"}
