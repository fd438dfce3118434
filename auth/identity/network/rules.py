"""What a check at the network identity service can be (3.7). Pure."""

from __future__ import annotations

from enum import StrEnum

from auth.identity.rules import EvidenceType


class Grade(StrEnum):
    """How strong a check is: name and number known to the service; the certificate; the certificate with its PIN."""

    BASIC = "BASIC"
    HIGH = "HIGH"
    PIN = "PIN"


STRENGTH = (Grade.BASIC, Grade.HIGH, Grade.PIN)
EVIDENCE = {Grade.BASIC: EvidenceType.NETID_BASIC, Grade.HIGH: EvidenceType.NETID, Grade.PIN: EvidenceType.NETID}


class CheckState(StrEnum):
    """`STARTED`: the service has not named the check yet."""

    STARTED = "STARTED"
    OPEN = "OPEN"
    DONE = "DONE"


TRANSITIONS: dict[CheckState, frozenset[CheckState]] = {
    CheckState.STARTED: frozenset({CheckState.OPEN}),
    CheckState.OPEN: frozenset({CheckState.DONE}),
    CheckState.DONE: frozenset(),
}


def is_enough(found: Grade, asked: Grade) -> bool:
    """Whether a check of grade `found` answers a question for `asked`."""
    return STRENGTH.index(found) >= STRENGTH.index(asked)
