"""The numbers of one-time codes (3.17)."""

from datetime import timedelta

import pytest

from auth.factors import rules


def test_the_numbers_of_the_rule() -> None:
    policy = rules.POLICY
    assert (policy.digits, policy.tries) == (6, 5)
    assert (policy.valid, policy.resend_after) == (timedelta(minutes=5), timedelta(seconds=60))
    limits = [rules.CODES_AN_HOUR, rules.CODES_A_DAY, rules.CODES_PER_ADDRESS]
    assert [(limit.count, limit.seconds) for limit in limits] == [(5, 3600), (10, 86400), (20, 3600)]


@pytest.mark.parametrize(("number", "code"), [(0, "000000"), (7, "000007"), (123456, "123456"), (999999, "999999")])
def test_codes_keep_their_zeros(number: int, code: str) -> None:
    assert rules.as_code(number) == code


@pytest.mark.parametrize("number", [-1, 1_000_000])
def test_codes_have_six_digits(number: int) -> None:
    with pytest.raises(ValueError, match="digits"):
        rules.as_code(number)
