"""Rules of orders (3.5, PY-6, PY-7, PY-9)."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from core.errors import StateConflict
from payments.bills.rules import MONEY_RECEIVED, BillState
from payments.orders.rules import (
    TRANSITIONS,
    OrderState,
    Surplus,
    can_still_be_opened,
    check_move,
    is_return_path,
    order_no,
    surplus_of,
    wait_before,
)

S = OrderState
LEGAL = {
    (S.CREATED, S.PAYING),
    (S.CREATED, S.FAILED),
    (S.CREATED, S.CLOSED),
    (S.PAYING, S.SUCCEEDED),
    (S.PAYING, S.FAILED),
    (S.PAYING, S.CLOSED),
}


@pytest.mark.parametrize(("old", "new"), list(product(OrderState, OrderState)))
def test_every_pair_of_states(old: OrderState, new: OrderState) -> None:
    if (old, new) in LEGAL:
        check_move(old, new)
    else:
        with pytest.raises(StateConflict):
            check_move(old, new)


def test_every_state_has_its_row() -> None:
    assert set(TRANSITIONS) == set(OrderState)


@pytest.mark.parametrize(("bill", "order", "in_time"), list(product(BillState, OrderState, (True, False))))
def test_only_a_running_order_of_an_open_bill_pays_it(bill: BillState, order: OrderState, in_time: bool) -> None:
    surplus = surplus_of(bill, order, in_time=in_time)
    if bill in MONEY_RECEIVED:
        assert surplus is Surplus.DUPLICATE
    elif bill is BillState.CANCELLED:
        assert surplus is Surplus.CANCELLED
    elif bill is BillState.EXPIRED or not in_time:
        assert surplus is Surplus.LATE
    elif order is S.PAYING:
        assert surplus is None
    else:
        assert surplus is Surplus.CLOSED


def test_questions_come_after_1_5_15_and_60_minutes() -> None:
    moments, elapsed = [], timedelta()
    for step in range(10):
        wait = wait_before(step)
        if wait is not None:
            elapsed += wait
            moments.append(elapsed)
    assert moments == [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60)]


def test_a_link_may_be_opened_a_little_after_its_end() -> None:
    until = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
    assert can_still_be_opened(until, until + timedelta(seconds=59))
    assert not can_still_be_opened(until, until + timedelta(seconds=60))


def test_the_platform_number_is_the_bill_and_the_attempt() -> None:
    assert order_no("JK2611240000012", 2) == "JK2611240000012_2"


@pytest.mark.parametrize("path", ["/", "/pay/done", "/bills/1?order=2&x=%E5%AE%81", "/#/bill"])
def test_paths_of_this_site(path: str) -> None:
    assert is_return_path(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "pay",
        "//evil.example",
        "/\\evil.example",
        "https://evil.example/",
        "/a b",
        "/a\r\nb",
        "javascript:x",
        "/" + "a" * 300,
    ],
)
def test_paths_that_lead_elsewhere(path: str) -> None:
    assert not is_return_path(path)
