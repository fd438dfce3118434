"""Rules of one-time codes (3.17). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from core.limits import Limit

CODES_AN_HOUR = Limit("otp-phone-hour", 5, 3_600)
CODES_A_DAY = Limit("otp-phone-day", 10, 86_400)
# A device that says which one it is; one that doesn't is held by its address alone [D].
CODES_PER_DEVICE = Limit("otp-device", 10, 3_600)
CODES_PER_PERSON = Limit("otp-person", 10, 3_600)
CODES_PER_ADDRESS = Limit("otp-address", 20, 3_600)
# Against one address that tries codes of many phones, and against floods [D].
TRIES_PER_ADDRESS = Limit("otp-try-address", 100, 3_600)
SIGN_INS_PER_ADDRESS = Limit("sign-in-address", 300, 300)
PHONES_PER_PERSON = Limit("wechat-phone", 10, 3_600)


class CodePurpose(StrEnum):
    """What a code is asked for; it is good for nothing else."""

    SIGN_IN = "sign-in"
    BIND_PHONE = "bind-phone"
    COUNTER_PHONE = "counter-phone"


@dataclass(frozen=True, slots=True)
class CodeUse:
    """A purpose, and `within` what: the session or the sign-in page that asked, which alone can use the code.

    Signing in on a phone has no session yet: there `within` is empty.
    """

    purpose: CodePurpose
    within: str = ""


SIGN_IN = CodeUse(CodePurpose.SIGN_IN)


def binding_within(session_id: UUID) -> CodeUse:
    """A code with which a signed-in person binds a phone, in that session only (ID-3)."""
    return CodeUse(CodePurpose.BIND_PHONE, str(session_id))


def at_counter(staff_session_id: UUID) -> CodeUse:
    """A code for the phone in the hand of a person at a counter, for that clerk's session only (ID-3)."""
    return CodeUse(CodePurpose.COUNTER_PHONE, str(staff_session_id))


def on_page(purpose: CodePurpose, interaction_id: str) -> CodeUse:
    """A code asked for on a sign-in page, for that one sign-in of that browser."""
    return CodeUse(purpose, f"page:{interaction_id}")


@dataclass(frozen=True, slots=True)
class Policy:
    """How a code is made and how long it is good."""

    digits: int = 6
    valid: timedelta = timedelta(minutes=5)
    tries: int = 5
    resend_after: timedelta = timedelta(seconds=60)


POLICY = Policy()


def as_code(number: int, policy: Policy = POLICY) -> str:
    """A code from a random number below 10^digits, with its leading zeros. Raises `ValueError` for a larger one."""
    if not 0 <= number < 10**policy.digits:
        raise ValueError("the number has too many digits")
    return f"{number:0{policy.digits}d}"
