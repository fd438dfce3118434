"""Which text is in force, and who decides for a child."""

from datetime import date

import pytest

from auth.consent import queries, rules
from auth.consent.rules import ConsentKind, ConsentText, Wording

WORDS = Wording("题", "文", "据", ("字段",), "期")


def text(kind: ConsentKind, version: str, day: date) -> ConsentText:
    return ConsentText(kind, version, day, WORDS, WORDS)


def test_the_text_that_began_last_is_in_force() -> None:
    texts = [
        text(ConsentKind.FACE, "b", date(2026, 6, 1)),
        text(ConsentKind.FACE, "a", date(2026, 1, 1)),
        text(ConsentKind.HEALTH, "x", date(2027, 1, 1)),
    ]
    for day, version in ((date(2026, 5, 31), "a"), (date(2026, 6, 1), "b")):
        assert {kind: found.version for kind, found in rules.in_force(texts, day).items()} == {
            ConsentKind.FACE: version
        }
    assert rules.in_force(texts, date(2025, 12, 31)) == {}


@pytest.mark.parametrize(
    ("birth", "day", "decides"),
    [
        (date(2012, 11, 24), date(2026, 11, 23), True),
        (date(2012, 11, 24), date(2026, 11, 24), False),
        (date(2012, 2, 29), date(2026, 2, 28), True),
        (date(2012, 2, 29), date(2026, 3, 1), False),
        (None, date(2026, 11, 24), False),
    ],
)
def test_a_guardian_decides_under_fourteen(birth: date | None, day: date, decides: bool) -> None:
    assert rules.guardian_decides(birth, day) is decides


def test_every_text_names_what_the_law_asks() -> None:
    """P-1: purpose, basis, fields, retention, in both languages."""
    for found in queries.all_texts():
        for words in (found.zh, found.en):
            assert all((words.title, words.body, words.legal_basis, words.fields, words.retention)), found.kind
