"""How long sign-ins and confirmations of staff, tries to prove oneself and ended proofs are kept (P-6)."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

RULES = (
    # 2.7: what says who was signed in is kept for half a year online.
    ("staff_sessions", 183, "sign-ins of staff that are over"),
    ("staff_confirmations", 30, "confirmed acts of staff that are over; the audit log keeps them"),
    ("identity_attempts", 183, "proofs of identity that failed or were never decided"),
    ("identity_evidence", 1095, "proofs of identity that ended"),
    ("identity_reviews", 365, "reviews of proofs that are finished"),
    ("identity_signals", 90, "signals about people who have no account here"),
)


def upgrade() -> None:
    rules = sa.table("retention_rule", sa.column("code"), sa.column("days"), sa.column("what"))
    op.bulk_insert(rules, [{"code": code, "days": days, "what": what} for code, days, what in RULES])
    op.create_index("ix_staff_session_expires_at", "staff_session", ["expires_at"])
    op.create_index("ix_staff_confirmation_expires_at", "staff_confirmation", ["expires_at"])
    _partial("identity_evidence", "attempts", "at", "result <> 'PASS'")
    _partial("identity_evidence", "expires_at", "expires_at", "result = 'PASS'")
    _partial("identity_review", "finished_at", "finished_at", "finished_at IS NOT NULL")
    _partial("identity_signal", "unknown", "received_at", "state = 'UNKNOWN_HERE'")


def _partial(table: str, name: str, column: str, which: str) -> None:
    op.create_index(f"ix_{table}_{name}", table, [column], postgresql_where=sa.text(which))
