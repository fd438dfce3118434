"""Rules of conflicts (PEERS 4.2). Pure."""

from __future__ import annotations

from enum import StrEnum


class ConflictState(StrEnum):
    """`SAME_PERSON`: a changed name; `TWO_PEOPLE`: the number was issued twice; `REFUSED`: the second claim was wrong."""

    OPEN = "OPEN"
    SAME_PERSON = "SAME_PERSON"
    TWO_PEOPLE = "TWO_PEOPLE"
    REFUSED = "REFUSED"


TRANSITIONS: dict[ConflictState, frozenset[ConflictState]] = {
    ConflictState.OPEN: frozenset({ConflictState.SAME_PERSON, ConflictState.TWO_PEOPLE, ConflictState.REFUSED}),
    ConflictState.SAME_PERSON: frozenset(),
    ConflictState.TWO_PEOPLE: frozenset(),
    ConflictState.REFUSED: frozenset(),
}
