"""Issuing, ending and moving bills, on the real database (3.5)."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from auth.accounts.events import SubjectsMerged
from core import clock, events
from core.actors import Partner, Staff, System
from core.db import transaction
from core.errors import Forbidden, InvalidInput, NotFound, StateConflict
from payments.bills import queries, service
from payments.bills.errors import BillAlreadyPaid, BillExpired
from payments.bills.events import BillIssued
from payments.bills.rules import Line
from payments.orders.events import BillPaid
from tests.factories import payments as make

pytestmark = pytest.mark.usefixtures("database")

CLERK = Staff(uuid4(), uuid4(), frozenset({"FRONT_CLERK"}))
_heard: list[Any] = []


def _hear(_session: object, event: Any) -> None:
    _heard.append(event)


@pytest.fixture
def heard() -> Iterator[list[Any]]:
    """What bills and orders announce while the test runs."""
    events.subscribe(BillIssued, _hear)
    events.subscribe(BillPaid, _hear)
    _heard.clear()
    yield _heard
    _heard.clear()


def test_issue(citizen: Callable[..., Any], heard: list[Any]) -> None:
    payer, _ = citizen()
    with transaction() as session:
        bill = make.issue(session, payer.subject_id)
    assert bill.number.startswith("JK")
    assert (bill.state, bill.total_fen, bill.paid_at) == ("ISSUED", 9000, None)
    assert bill.expires_at - bill.issued_at == timedelta(days=30)
    assert heard == [BillIssued(bill.id, bill.matter_type, bill.matter_id, payer.subject_id, 9000)]
    with transaction() as session:
        lines = queries.owned(session, bill.id, payer.subject_id).lines
    assert [(line.position, line.name, line.amount_fen) for line in lines] == [
        (1, "不动产登记费(住宅)", 8000),
        (2, "证书工本费(第二本起)", 1000),
    ]


def test_nobody_sets_their_own_price(citizen: Callable[..., Any]) -> None:
    payer, _ = citizen()
    for actor in (payer, Partner("alipay")):
        with pytest.raises(Forbidden), transaction() as session:
            service.issue(
                session,
                actor=actor,
                payer_id=payer.subject_id,
                payee=make.TREASURY,
                lines=[make.FEE],
                matter_type="case",
                matter_id=uuid4(),
                matter_name="登记",
            )


def test_a_bill_does_not_begin_expired(citizen: Callable[..., Any]) -> None:
    payer, _ = citizen()
    with pytest.raises(InvalidInput), transaction() as session:
        make.issue(session, payer.subject_id, expires_at=clock.now())


def test_a_bill_over_nothing_is_paid_without_a_gateway(citizen: Callable[..., Any], heard: list[Any]) -> None:
    payer, _ = citizen()
    free = Line("不动产登记费(住宅)", "财税〔2019〕45号", "2019", 8000, 1, 8000, "小微企业免收")
    with transaction() as session:
        bill = make.issue(session, payer.subject_id, free)
    assert (bill.state, bill.total_fen) == ("PAID", 0)
    assert bill.paid_at is not None
    paid = heard[-1]
    assert isinstance(paid, BillPaid)
    assert (paid.order_id, paid.amount_fen) == (None, 0)
    assert make.scalar("SELECT count(*) FROM pay_order") == 0


def test_a_bill_expires_after_thirty_days(citizen: Callable[..., Any], run_jobs: Callable[..., None]) -> None:
    payer, _ = citizen()
    with transaction() as session:
        bill = make.issue(session, payer.subject_id)
    with clock.at(bill.expires_at), pytest.raises(BillExpired), transaction() as session:
        service.make_pay_code(session, actor=payer, bill_id=bill.id)
    with clock.at(bill.expires_at), transaction() as session:
        assert service.expire_due(session) == 0  # a payment of the last second may still be announced
    with clock.at(bill.expires_at + timedelta(minutes=10)), transaction() as session:
        assert service.expire_due(session) == 1
        assert service.expire_due(session) == 0
    run_jobs()
    assert make.scalar("SELECT state FROM fee_bill") == "EXPIRED"


def test_cancel_only_what_is_unpaid(citizen: Callable[..., Any]) -> None:
    payer, _ = citizen()
    with transaction() as session:
        bill = make.issue(session, payer.subject_id)
        free = make.issue(session, payer.subject_id, Line("工本费", "依据", "标准", 0, 1))
    with transaction() as session:
        service.cancel(session, actor=CLERK, bill_id=bill.id, reason="开错收费项目")
    for again in (bill, free):
        with pytest.raises(StateConflict), transaction() as session:
            service.cancel(session, actor=CLERK, bill_id=again.id, reason="再取消一次")
    with pytest.raises(Forbidden), transaction() as session:
        service.cancel(session, actor=payer, bill_id=bill.id, reason="不想付")
    assert make.scalar("SELECT cancel_reason FROM fee_bill WHERE id = :id", id=bill.id) == "开错收费项目"


def test_settle_needs_a_paid_bill(citizen: Callable[..., Any]) -> None:
    payer, _ = citizen()
    with transaction() as session:
        unpaid = make.issue(session, payer.subject_id)
        free = make.issue(session, payer.subject_id, Line("工本费", "依据", "标准", 0, 1))
        settled = service.settle(session, actor=CLERK, bill_id=free.id)
    assert settled.state == "SETTLED"
    assert settled.settled_at is not None
    for bill in (unpaid, free):
        with pytest.raises(StateConflict), transaction() as session:
            service.settle(session, actor=CLERK, bill_id=bill.id)


def test_bills_follow_the_pre_review_into_its_case(citizen: Callable[..., Any]) -> None:
    payer, _ = citizen()
    prereview, case = ("prereview", uuid4()), ("case", uuid4())
    with transaction() as session:
        made = {make.issue(session, payer.subject_id, matter=prereview).id for _ in range(2)}
        make.issue(session, payer.subject_id)
    with transaction() as session:
        assert service.attach(session, actor=CLERK, from_matter=prereview, to_matter=case) == 2
        assert {bill.id for bill in queries.of_matter(session, case)} == made
        assert queries.of_matter(session, prereview) == []


def test_bills_go_with_the_person(citizen: Callable[..., Any]) -> None:
    (kept, _), (absorbed, _) = citizen(), citizen()
    with transaction() as session:
        bill = make.issue(session, absorbed.subject_id)
        service.move_owner(session, SubjectsMerged(kept=kept.subject_id, absorbed=absorbed.subject_id))
    with transaction() as session:
        assert queries.owned(session, bill.id, kept.subject_id).id == bill.id
        with pytest.raises(NotFound):
            queries.owned(session, bill.id, absorbed.subject_id)


def test_pay_codes(citizen: Callable[..., Any]) -> None:
    (payer, _), (other, _) = citizen(), citizen()
    with transaction() as session:
        bill = make.issue(session, payer.subject_id)
        with pytest.raises(NotFound):
            service.make_pay_code(session, actor=other, bill_id=bill.id)
        first, _ = service.make_pay_code(session, actor=payer, bill_id=bill.id)
        code, until = service.make_pay_code(session, actor=payer, bill_id=bill.id)
    with transaction() as session:
        assert queries.by_pay_code(session, code.lower(), clock.now()).id == bill.id
        for wrong in (first, "AAAA-AAAA-AAAA-AAAA", ""):
            with pytest.raises(NotFound):
                queries.by_pay_code(session, wrong, clock.now())
        with pytest.raises(NotFound):
            queries.by_pay_code(session, code, until)
    kept = make.scalar("SELECT pay_code_lookup FROM fee_bill")
    assert code.replace("-", "").encode() not in bytes(kept)


def test_no_pay_code_for_a_paid_bill(citizen: Callable[..., Any]) -> None:
    payer, _ = citizen()
    with transaction() as session:
        free = make.issue(session, payer.subject_id, Line("工本费", "依据", "标准", 0, 1))
        with pytest.raises(BillAlreadyPaid):
            service.make_pay_code(session, actor=payer, bill_id=free.id)


def test_voucher_only_for_what_was_paid(citizen: Callable[..., Any]) -> None:
    payer, _ = citizen()
    with transaction() as session:
        unpaid = make.issue(session, payer.subject_id)
        free = make.issue(session, payer.subject_id, Line("工本费", "依据", "标准", 0, 1))
    with transaction() as session:
        assert queries.voucher(session, free.id, payer.subject_id).id == free.id
        with pytest.raises(StateConflict):
            queries.voucher(session, unpaid.id, payer.subject_id)


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE fee_bill SET state = 'PAID'", "ck_fee_bill_paid_when_received"),
        ("UPDATE fee_bill SET state = 'GONE'", "ck_fee_bill_state_known"),
        ("UPDATE fee_bill SET total_fen = -1", "ck_fee_bill_total_not_negative"),
        ("UPDATE fee_bill SET settled_at = now()", "ck_fee_bill_settled_after_paid"),
        ("UPDATE bill_line SET amount_fen = 1", "ck_bill_line_amount_adds_up"),
        ("UPDATE bill_line SET relief_fen = 1, amount_fen = amount_fen - 1", "ck_bill_line_relief_has_reason"),
        ("UPDATE bill_line SET quantity = 0, amount_fen = 0", "ck_bill_line_quantity_and_price"),
    ],
)
def test_what_the_rules_forbid_the_database_forbids(
    citizen: Callable[..., Any], statement: str, constraint: str
) -> None:
    payer, _ = citizen()
    with transaction() as session:
        make.issue(session, payer.subject_id)
    with pytest.raises(IntegrityError, match=constraint), transaction() as session:
        session.execute(text(statement))


def test_every_step_is_in_the_audit_log(citizen: Callable[..., Any]) -> None:
    payer, _ = citizen()
    with transaction() as session:
        bill = make.issue(session, payer.subject_id)
        service.make_pay_code(session, actor=payer, bill_id=bill.id)
        service.cancel(session, actor=System("test"), bill_id=bill.id, reason="测试")
    with transaction() as session:
        rows = session.execute(
            text("SELECT action, actor FROM audit_entry WHERE object_type = 'fee_bill' ORDER BY seq")
        )
        assert rows.all() == [
            ("bill.issue", "system:test"),
            ("bill.pay_code", f"citizen:{payer.subject_id}"),
            ("bill.cancel", "system:test"),
        ]
