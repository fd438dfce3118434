"""The person's own bills; they are kept, whoever closes an account, as accounts are (P-6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from auth.personal_data.ports import OpenMatter
from payments.bills.models import FeeBill
from payments.bills.rules import BillState

# Money that is owed, or may still go back.
_OPEN: Mapping[BillState, tuple[str, str]] = {
    BillState.ISSUED: ("待缴费", "To be paid"),
    BillState.PAID: ("已预缴，尚未结算", "Prepaid, not settled yet"),
    BillState.REFUNDING: ("退款中", "A refund is on its way"),
}


def export(session: Session, subject_id: UUID) -> Mapping[str, Any]:
    """Every bill with its lines; money in fen."""
    rows = session.scalars(
        select(FeeBill).where(FeeBill.payer_id == subject_id).order_by(FeeBill.id).options(selectinload(FeeBill.lines))
    )
    return {
        "bills": [
            {
                "number": row.number,
                "matter": row.matter_name,
                "payee": row.payee,
                "state": row.state,
                "total_fen": row.total_fen,
                "issued_at": row.issued_at,
                "paid_at": row.paid_at,
                "lines": [{"name": line.name, "amount_fen": line.amount_fen} for line in row.lines],
            }
            for row in rows
        ]
    }


def open_matters(session: Session, subject_id: UUID) -> Sequence[OpenMatter]:
    """Bills that somebody still owes, or money that may still go back."""
    rows = session.execute(
        select(FeeBill.number, FeeBill.matter_name, FeeBill.state)
        .where(FeeBill.payer_id == subject_id, FeeBill.state.in_(_OPEN))
        .order_by(FeeBill.id)
    )
    return [OpenMatter("BILL", row.number, row.matter_name, _OPEN[BillState(row.state)]) for row in rows]
