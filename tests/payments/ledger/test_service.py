"""The ledger keeps itself: balanced, append-only, once per source."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from core.db import transaction
from payments.ledger import rules, service
from payments.ledger.rules import PostingKind
from tests.factories import payments as make

pytestmark = pytest.mark.usefixtures("database")


def _post(source_id: Any = None, amount: int = 9000) -> None:
    with transaction() as session:
        service.post(
            session,
            kind=PostingKind.PAYMENT,
            source_id=source_id or uuid4(),
            debit=rules.platform("ALIPAY"),
            credit=rules.payee(make.TREASURY),
            amount_fen=amount,
        )


def test_a_posting_has_two_sides() -> None:
    _post()
    assert make.ledger_sums() == {"PLATFORM:ALIPAY": 9000, f"PAYEE:{make.TREASURY}": -9000}


def test_one_posting_a_source() -> None:
    source_id = uuid4()
    _post(source_id)
    with pytest.raises(IntegrityError, match="uq_ledger_posting_kind_source_id"):
        _post(source_id)


def test_nothing_moves_nothing() -> None:
    with pytest.raises(IntegrityError, match="ck_ledger_entry_amount_not_zero"):
        _post(amount=0)


@pytest.mark.parametrize(
    "entries",
    [
        "",
        "INSERT INTO ledger_entry VALUES (gen_random_uuid(), :posting, 'SURPLUS', 5)",
        "INSERT INTO ledger_entry VALUES (gen_random_uuid(), :posting, 'SURPLUS', 5),"
        " (gen_random_uuid(), :posting, 'PLATFORM:ALIPAY', -4)",
    ],
    ids=["empty", "one-sided", "unequal"],
)
def test_what_does_not_balance_is_never_committed(entries: str) -> None:
    posting = {"posting": uuid4()}
    with pytest.raises(IntegrityError, match="two sides and sum to zero"), transaction() as session:
        session.execute(
            text("INSERT INTO ledger_posting VALUES (:posting, 'PAYMENT', gen_random_uuid(), now())"), posting
        )
        if entries:
            session.execute(text(entries), posting)
    assert make.scalar("SELECT count(*) FROM ledger_posting") == 0


def test_a_later_entry_can_not_unbalance_a_posting() -> None:
    _post()
    with pytest.raises(IntegrityError, match="two sides and sum to zero"), transaction() as session:
        session.execute(text("INSERT INTO ledger_entry SELECT gen_random_uuid(), id, 'SURPLUS', 1 FROM ledger_posting"))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entry SET amount_fen = amount_fen * 2",
        "DELETE FROM ledger_entry",
        "UPDATE ledger_posting SET at = now()",
        "DELETE FROM ledger_posting",
    ],
)
def test_the_ledger_is_never_changed(statement: str) -> None:
    _post()
    with pytest.raises(IntegrityError, match="never changed"), transaction() as session:
        session.execute(text(statement))
