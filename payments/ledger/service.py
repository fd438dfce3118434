"""Writing to the ledger."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from core import clock
from payments.ledger.models import LedgerEntry, LedgerPosting
from payments.ledger.rules import PostingKind


def post(session: Session, *, kind: PostingKind, source_id: UUID, debit: str, credit: str, amount_fen: int) -> None:
    """Move `amount_fen` (more than zero) from account `credit` to account `debit`, once per kind and source."""
    posting = LedgerPosting(kind=kind, source_id=source_id, at=clock.now())
    session.add(posting)
    session.flush()
    session.add_all(
        [
            LedgerEntry(posting_id=posting.id, account=debit, amount_fen=amount_fen),
            LedgerEntry(posting_id=posting.id, account=credit, amount_fen=-amount_fen),
        ]
    )
