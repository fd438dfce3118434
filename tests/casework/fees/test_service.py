"""Where the money of a matter goes when the matter ends (PY-5, PY-10, PY-12), with payments as the platform reports them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from casework.cases import jobs
from casework.cases import service as cases
from casework.cases.queries import Case
from casework.counter import service as counter
from core.actors import Citizen, Staff
from core.db import transaction
from payments.bills.queries import Bill
from payments.orders.events import BillPaid
from payments.refunds import service as refunds
from tests.factories import cases as make
from tests.factories import payments as money
from tests.factories.catalogue import CITY_HALL

People = Callable[..., tuple[Any, dict[str, str]]]


@pytest.fixture
def owner(citizen: People) -> Citizen:
    actor: Citizen = citizen(level=3)[0]
    return actor


@pytest.fixture
def clerk(staff: People) -> Staff:
    actor: Staff = staff("FRONT_CLERK", hall_id=CITY_HALL)[0]
    return actor


@pytest.fixture
def officer(staff: People) -> Staff:
    actor: Staff = staff("BACK_OFFICER", department_id=make.DEPARTMENT)[0]
    return actor


def _billed(owner: Citizen, clerk: Staff, *, pay: bool) -> tuple[Case, Bill]:
    """An accepted case with a bill of 20 yuan."""
    with transaction() as session:
        case = make.accepted(session, owner, clerk)
        (bill,) = counter.bill_case(session, actor=clerk, case_id=case.id, quantities={1: 2})
    if pay:
        _pay(owner, bill)
    return case, bill


def _pay(owner: Citizen, bill: Bill) -> None:
    money.reports_paid(money.start(owner, bill))


def _refunds() -> list[tuple[int, str]]:
    with transaction() as session:
        rows = session.execute(text("SELECT amount_fen, reason FROM refund ORDER BY id"))
        return [(row.amount_fen, row.reason) for row in rows]


def _not_granted(kind: str, case: Case, owner: Citizen, clerk: Staff, officer: Staff) -> None:
    with transaction() as session:
        if kind == "refused":
            cases.decide(session, actor=officer, case_id=case.id, granted=False, reason="有查封", clause="第22条")
        else:
            cases.withdraw(session, actor=owner, case_id=case.id)


@pytest.mark.parametrize(("kind", "reason"), [("refused", "不予许可"), ("withdrawn", "申请人撤回")])
def test_without_a_grant_the_money_goes_back(
    owner: Citizen, clerk: Staff, officer: Staff, kind: str, reason: str
) -> None:
    """PY-10: in the transaction of the decision."""
    case, bill = _billed(owner, clerk, pay=True)
    _not_granted(kind, case, owner, clerk, officer)
    assert _refunds() == [(2_000, reason)]
    assert money.bill_state(bill) == "REFUNDING"


@pytest.mark.parametrize("kind", ["refused", "withdrawn"])
def test_without_a_grant_an_unpaid_bill_is_cancelled(owner: Citizen, clerk: Staff, officer: Staff, kind: str) -> None:
    case, bill = _billed(owner, clerk, pay=False)
    _not_granted(kind, case, owner, clerk, officer)
    assert money.bill_state(bill) == "CANCELLED"
    assert _refunds() == []


def test_what_went_back_before_does_not_go_back_again(owner: Citizen, clerk: Staff, officer: Staff) -> None:
    """RE-5, PY-11: a part was refunded already; only the rest follows."""
    case, bill = _billed(owner, clerk, pay=True)
    with transaction() as session:
        refunds.request(session, actor=clerk, bill_id=bill.id, amount_fen=500, reason="少领一本")
    _not_granted("withdrawn", case, owner, clerk, officer)
    assert [amount for amount, _ in _refunds()] == [500, 1_500]


def test_not_accepting_gives_a_prepayment_back(owner: Citizen, clerk: Staff) -> None:
    with transaction() as session:
        case = make.received(session, owner, clerk)
        bill = money.issue(session, owner.subject_id, matter=("case", case.id))
    _pay(owner, bill)
    with transaction() as session:
        cases.not_accept(session, actor=clerk, case_id=case.id, reason="不属本机关", clause="第32条")
    assert _refunds() == [(9_000, "不予受理")]


def test_a_grant_settles_what_is_paid_and_leaves_the_rest_payable(owner: Citizen, clerk: Staff, officer: Staff) -> None:
    """PY-12, PY-5: the receipt comes with the settlement, prepaying is no condition."""
    case, paid = _billed(owner, clerk, pay=True)
    with transaction() as session:
        (unpaid,) = counter.bill_case(session, actor=clerk, case_id=case.id, quantities={1: 1})
        cases.decide(session, actor=officer, case_id=case.id, granted=True)
    assert (money.bill_state(paid), money.bill_state(unpaid)) == ("SETTLED", "ISSUED")
    assert _refunds() == []


def test_a_bill_paid_after_the_grant_is_settled_then(
    owner: Citizen, clerk: Staff, officer: Staff, run_jobs: Callable[..., None]
) -> None:
    case, bill = _billed(owner, clerk, pay=False)
    with transaction() as session:
        cases.decide(session, actor=officer, case_id=case.id, granted=True)
    _pay(owner, bill)
    _announce(case, bill)
    run_jobs()
    assert money.bill_state(bill) == "SETTLED"


@pytest.mark.parametrize("decided", [False, True])
def test_a_bill_paid_without_a_grant_stays_as_it_is(
    owner: Citizen, clerk: Staff, officer: Staff, decided: bool
) -> None:
    case, bill = _billed(owner, clerk, pay=True)
    if decided:
        _not_granted("refused", case, owner, clerk, officer)
    before = money.bill_state(bill)
    jobs.fix_fees(str(case.id))
    assert money.bill_state(bill) == before
    assert before in {"PAID", "REFUNDING"}


def test_a_bill_of_another_kind_of_matter_is_not_ours(owner: Citizen, run_jobs: Callable[..., None]) -> None:
    with transaction() as session:
        bill = money.issue(session, owner.subject_id, matter=("prereview", owner.subject_id))
    event = BillPaid(bill.id, None, "prereview", owner.subject_id, owner.subject_id, 9_000)
    with transaction() as session:
        cases.on_bill_paid(session, event)
        queued = session.execute(text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'cases.fix_fees'"))
        assert queued.scalar_one() == 0


def test_paying_and_granting_at_once_settles_once(
    owner: Citizen, clerk: Staff, officer: Staff, run_jobs: Callable[..., None]
) -> None:
    """Whichever commits first, the fee is fixed in the end."""
    case, bill = _billed(owner, clerk, pay=False)
    order = money.start(owner, bill)

    def decide() -> None:
        with transaction() as session:
            cases.decide(session, actor=officer, case_id=case.id, granted=True)

    with ThreadPoolExecutor(2) as pool:
        for done in (pool.submit(decide), pool.submit(money.reports_paid, order)):
            done.result(20)
    _announce(case, bill)
    run_jobs()
    assert money.bill_state(bill) == "SETTLED"


def test_a_bill_of_a_sensitive_matter_does_not_name_it(owner: Citizen, clerk: Staff) -> None:
    """3.17: 护照, 120 yuan."""
    with transaction() as session:
        case = make.accepted(session, owner, clerk, item_id="NB-053")
        counter.bill_case(session, actor=clerk, case_id=case.id, quantities={1: 1})
    said = make.texts(owner.subject_id)
    assert "120.00" in said
    assert "护照" not in said


def _announce(case: Case, bill: Bill) -> None:
    """What the event of the payment leads to here."""
    event = BillPaid(bill.id, None, "case", case.id, case.owner_id, bill.total_fen)
    with transaction() as session:
        cases.on_bill_paid(session, event)
