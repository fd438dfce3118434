"""Which acts need a confirmation, and for how long one stands."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum


class Act(StrEnum):
    """A kind of act that a signed-in screen alone isn't enough for."""

    DECIDE = "DECIDE"
    REFUND = "REFUND"
    EXPORT = "EXPORT"
    PUBLISH = "PUBLISH"
    KEYS = "KEYS"
    IDENTITY = "IDENTITY"
    STAFF = "STAFF"


class Factor(StrEnum):
    """By what it was confirmed."""

    PASSWORD = "PASSWORD"  # noqa: S105  # not a password
    TOTP = "TOTP"


# An officer decides several cases in a row; a screen that was left is soon worth nothing [D].
STANDS = timedelta(minutes=5)
