"""Rules of bills (3.5, PY-2, PY-4, PY-6, PY-7)."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Problem, StateConflict
from core.money import MoneyError
from payments.bills.errors import BillAlreadyPaid, BillExpired
from payments.bills.rules import (
    MONEY_RECEIVED,
    TRANSITIONS,
    BillState,
    Line,
    check_move,
    check_payable,
    new_pay_code,
    plain_pay_code,
    state_after_refunds,
    total_of,
)

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
S = BillState

LEGAL = {
    (S.DRAFT, S.ISSUED),
    (S.ISSUED, S.PAID),
    (S.ISSUED, S.CANCELLED),
    (S.ISSUED, S.EXPIRED),
    (S.PAID, S.SETTLED),
    (S.PAID, S.REFUNDING),
    (S.SETTLED, S.REFUNDING),
    (S.REFUNDING, S.REFUNDED),
    (S.REFUNDING, S.PART_REFUNDED),
    (S.REFUNDING, S.PAID),
    (S.REFUNDING, S.SETTLED),
    (S.PART_REFUNDED, S.REFUNDING),
    (S.PART_REFUNDED, S.SETTLED),
}


@pytest.mark.parametrize(("old", "new"), list(product(BillState, BillState)))
def test_every_pair_of_states(old: BillState, new: BillState) -> None:
    if (old, new) in LEGAL:
        check_move(old, new)
    else:
        with pytest.raises(StateConflict):
            check_move(old, new)


def test_every_state_has_its_row() -> None:
    assert set(TRANSITIONS) == set(BillState)


def test_money_never_leaves_a_bill_but_by_refund() -> None:
    """No move leads from a state with money to one without, and only a payment leads in."""
    into = {(old, new) for old, new in LEGAL if old not in MONEY_RECEIVED and new in MONEY_RECEIVED}
    out = {(old, new) for old, new in LEGAL if old in MONEY_RECEIVED and new not in MONEY_RECEIVED}
    assert into == {(S.ISSUED, S.PAID)}
    assert out == set()


def test_line_amount_and_total() -> None:
    fee = Line("不动产登记费(住宅)", "发改价格规〔2016〕2559号", "2016", 8000, 1)
    copies = Line("证书工本费(第二本起)", "发改价格规〔2016〕2559号", "2016", 1000, 3, 500, "小微企业")
    assert (fee.amount, copies.amount) == (8000, 2500)
    assert total_of([fee, copies]) == 10500


def test_full_relief_makes_a_bill_over_nothing() -> None:
    assert total_of([Line("登记费", "财税〔2019〕45号", "2019", 8000, 1, 8000, "小微企业免收")]) == 0


@pytest.mark.parametrize(
    ("unit", "quantity", "relief", "reason"),
    [(8000, 0, 0, ""), (-1, 1, 0, ""), (8000, 1, 8001, "低保"), (8000, 1, -1, "低保"), (8000, 1, 100, " ")],
)
def test_a_line_that_makes_no_sense_is_refused(unit: int, quantity: int, relief: int, reason: str) -> None:
    with pytest.raises(ValueError, match=r"line|relief"):
        Line("登记费", "依据", "标准", unit, quantity, relief, reason)


def test_amounts_are_whole_fen() -> None:
    with pytest.raises(MoneyError):
        Line("登记费", "依据", "标准", 80.0, 1)  # type: ignore[arg-type]


def test_a_bill_needs_a_line() -> None:
    with pytest.raises(ValueError, match="at least one line"):
        total_of([])


@pytest.mark.parametrize("state", BillState)
def test_who_may_still_pay(state: BillState) -> None:
    wanted: dict[BillState, type[Problem] | None] = {
        S.DRAFT: StateConflict,
        S.ISSUED: None,
        S.CANCELLED: StateConflict,
        S.EXPIRED: BillExpired,
    }
    refusal = wanted.get(state, BillAlreadyPaid)
    if refusal is None:
        check_payable(state, LATER, NOW)
    else:
        with pytest.raises(refusal):
            check_payable(state, LATER, NOW)


def test_a_bill_ends_at_its_moment_whether_or_not_the_job_ran() -> None:
    check_payable(S.ISSUED, NOW + timedelta(microseconds=1), NOW)
    with pytest.raises(BillExpired):
        check_payable(S.ISSUED, NOW, NOW)


@given(
    paid=st.integers(1, 10**6), refunded=st.integers(0, 10**6), in_flight=st.integers(0, 10**6), settled=st.booleans()
)
def test_state_after_refunds_is_reachable_and_tells_the_truth(
    paid: int, refunded: int, in_flight: int, settled: bool
) -> None:
    refunded = min(refunded, paid)
    state = state_after_refunds(paid, refunded, in_flight, settled=settled)
    assert (state is S.REFUNDING) == (in_flight > 0)
    if not in_flight:
        assert (S.REFUNDING, state) in LEGAL
        assert (state is S.REFUNDED) == (refunded == paid)
        assert (state is S.PART_REFUNDED) == (0 < refunded < paid)


def test_pay_codes_are_long_and_readable() -> None:
    codes = {new_pay_code() for _ in range(500)}
    assert len(codes) == 500
    for code in codes:
        assert len(code) == 19
        assert not set(code) & set("01ILOUV")


def test_a_pay_code_is_found_however_it_is_typed() -> None:
    code = new_pay_code()
    assert plain_pay_code(code.lower().replace("-", " ")) == plain_pay_code(code) == code.replace("-", "")
