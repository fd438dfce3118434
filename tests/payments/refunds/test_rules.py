"""Rules of refunds (3.5, PY-10, PY-11)."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import StateConflict
from payments.refunds.errors import RefundExceedsPaid
from payments.refunds.rules import (
    COUNTED,
    TRANSITIONS,
    RefundState,
    check_amount,
    check_move,
    needs_approval,
)

S = RefundState
LEGAL = {
    (S.REFUND_APPLIED, S.FINANCE_APPROVED),
    (S.REFUND_APPLIED, S.REFUND_SENT),
    (S.REFUND_APPLIED, S.REFUND_REJECTED),
    (S.FINANCE_APPROVED, S.REFUND_SENT),
    (S.REFUND_SENT, S.REFUNDED),
    (S.REFUND_SENT, S.REFUND_FAILED),
    (S.REFUND_FAILED, S.REFUND_SENT),
}


@pytest.mark.parametrize(("old", "new"), list(product(RefundState, RefundState)))
def test_every_pair_of_states(old: RefundState, new: RefundState) -> None:
    if (old, new) in LEGAL:
        check_move(old, new)
    else:
        with pytest.raises(StateConflict):
            check_move(old, new)


def test_every_state_has_its_row() -> None:
    assert set(TRANSITIONS) == set(RefundState)


def test_only_failed_and_rejected_refunds_free_their_amount() -> None:
    assert set(RefundState) - COUNTED == {S.REFUND_FAILED, S.REFUND_REJECTED}


@given(amounts=st.lists(st.integers(-100, 10_000), max_size=20), paid=st.integers(0, 20_000))
def test_accepted_refunds_never_exceed_what_was_paid(amounts: list[int], paid: int) -> None:
    given_away = 0
    for amount in amounts:
        try:
            check_amount(amount, paid=paid, given_away=given_away)
        except RefundExceedsPaid:
            assert amount <= 0 or given_away + amount > paid
        else:
            given_away += amount
    assert 0 <= given_away <= paid


def test_the_refusal_says_what_is_left() -> None:
    with pytest.raises(RefundExceedsPaid) as refused:
        check_amount(8001, paid=9000, given_away=1000)
    assert "80.00" in refused.value.sentence("zh")


@pytest.mark.parametrize(
    ("payee", "settled", "wanted"),
    [("财政非税账户", True, True), ("财政非税账户", False, False), ("中介机构", True, False)],
)
def test_treasury_money_needs_approval(payee: str, settled: bool, wanted: bool) -> None:
    assert needs_approval(payee, settled=settled) is wanted
