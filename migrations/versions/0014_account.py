"""Disowned sign-ins, consents by text version, exports, corrections, closing, retention, tiles, kiosks, tickets."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
METHODS = "'PHONE_CODE', 'WECHAT', 'ALIPAY', 'SCAN', 'CARD', 'REFRESH'"


def upgrade() -> None:
    """Make the tables."""
    _sign_ins()
    _consents()


def _sign_ins() -> None:
    op.drop_constraint("method_known", "login_event", type_="check")
    op.create_check_constraint("method_known", "login_event", f"method IN ({METHODS})")
    op.create_table(
        "sign_in_report",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("subject_id", sa.Uuid, sa.ForeignKey("subject.id"), nullable=False),
        sa.Column("login_event_id", sa.Uuid, nullable=False, unique=True),
        sa.Column("reported_at", MOMENT, nullable=False),
        sa.Column("rebinding_frozen_until", MOMENT, nullable=False),
        sa.Column("sessions_ended", sa.Integer, nullable=False),
        sa.Column("signed_in_at", MOMENT, nullable=False),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("address", sa.Text),
        sa.Column("device", sa.Text),
        sa.Column("closed_at", MOMENT),
        sa.Column("closed_by", sa.Uuid, sa.ForeignKey("staff_member.id")),
        sa.Column("finding", sa.LargeBinary),
        sa.CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", name="closed_by_somebody"),
        sa.CheckConstraint("(closed_at IS NULL) = (finding IS NULL)", name="closed_with_finding"),
    )
    op.create_index("ix_sign_in_report_subject_id", "sign_in_report", ["subject_id"])
    op.create_index("ix_sign_in_report_open", "sign_in_report", ["id"], postgresql_where=sa.text("closed_at IS NULL"))


def _consents() -> None:
    op.add_column("consent", sa.Column("given_by", sa.Uuid, sa.ForeignKey("subject.id")))
    op.execute("UPDATE consent SET given_by = subject_id")
    op.alter_column("consent", "given_by", nullable=False)
    op.add_column("consent", sa.Column("session_id", sa.Uuid))
    # What was given at a kiosk before kiosks stopped remembering counts no longer.
    op.execute("UPDATE consent SET withdrawn_at = now() WHERE channel = 'KIOSK' AND withdrawn_at IS NULL")
    op.create_check_constraint(
        "kiosk_never_remembers",
        "consent",
        "channel <> 'KIOSK' OR session_id IS NOT NULL OR withdrawn_at IS NOT NULL",
    )
    op.create_index(
        "ix_consent_session_id", "consent", ["session_id"], postgresql_where=sa.text("withdrawn_at IS NULL")
    )
