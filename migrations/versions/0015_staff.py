"""Members of staff: passwords that were used, confirmed acts, changes of roles, new authenticators by two people."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
ACTS = "'DECIDE', 'EXPORT', 'IDENTITY', 'KEYS', 'PUBLISH', 'REFUND', 'STAFF'"


def upgrade() -> None:
    """Make the tables."""
    op.add_column("staff_member", sa.Column("must_change_password", sa.Boolean, nullable=False, server_default="false"))
    op.add_column("staff_member", sa.Column("expires_at", MOMENT))
    op.create_table(
        "staff_password",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("staff_id", sa.Uuid, sa.ForeignKey("staff_member.id"), nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("replaced_at", MOMENT, nullable=False),
    )
    op.create_index("ix_staff_password_staff_id", "staff_password", ["staff_id"])
    op.create_table(
        "staff_confirmation",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("session_id", sa.Uuid, sa.ForeignKey("staff_session.id"), nullable=False),
        sa.Column("act", sa.Text, nullable=False),
        sa.Column("factor", sa.Text, nullable=False),
        sa.Column("given_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.CheckConstraint(f"act IN ({ACTS})", name="act_known"),
        sa.CheckConstraint("factor IN ('PASSWORD', 'TOTP')", name="factor_known"),
    )
    op.create_index("ix_staff_confirmation_session_id", "staff_confirmation", ["session_id"])
    op.create_table(
        "staff_role_change",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("staff_id", sa.Uuid, sa.ForeignKey("staff_member.id"), nullable=False),
        sa.Column("changed_by", sa.Uuid, sa.ForeignKey("staff_member.id"), nullable=False),
        sa.Column("before", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("after", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.CheckConstraint("changed_by <> staff_id", name="by_somebody_else"),
    )
    op.create_index("ix_staff_role_change_staff_id", "staff_role_change", ["staff_id"])
    op.execute(
        "CREATE TRIGGER staff_role_change_append_only BEFORE UPDATE OR DELETE ON staff_role_change "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.create_table(
        "staff_authenticator_reset",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("staff_id", sa.Uuid, sa.ForeignKey("staff_member.id"), nullable=False),
        sa.Column("asked_by", sa.Uuid, sa.ForeignKey("staff_member.id"), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("agreed_by", sa.Uuid, sa.ForeignKey("staff_member.id")),
        sa.Column("agreed_at", MOMENT),
        sa.CheckConstraint(
            "asked_by <> staff_id AND agreed_by <> staff_id AND agreed_by <> asked_by", name="two_others"
        ),
        sa.CheckConstraint("(agreed_by IS NULL) = (agreed_at IS NULL)", name="agreement_has_time"),
    )
    op.create_index(
        "uq_staff_authenticator_reset_open",
        "staff_authenticator_reset",
        ["staff_id"],
        unique=True,
        postgresql_where=sa.text("agreed_at IS NULL"),
    )
    op.create_table(
        "emergency_look_up",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("staff_id", sa.Uuid, sa.ForeignKey("staff_member.id"), nullable=False),
        sa.Column("subject_id", sa.Uuid),
        sa.Column("reason", sa.LargeBinary, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("reviewed_by", sa.Uuid, sa.ForeignKey("staff_member.id")),
        sa.Column("reviewed_at", MOMENT),
        sa.Column("justified", sa.Boolean),
        sa.Column("finding", sa.LargeBinary),
        sa.CheckConstraint("reviewed_by <> staff_id", name="reviewed_by_another"),
        sa.CheckConstraint(
            "(reviewed_by IS NULL) = (reviewed_at IS NULL) AND (reviewed_by IS NULL) = (justified IS NULL)",
            name="review_whole",
        ),
    )
    op.create_index(
        "ix_emergency_look_up_open", "emergency_look_up", ["id"], postgresql_where=sa.text("reviewed_at IS NULL")
    )
    op.create_index("ix_audit_entry_anomaly", "audit_entry", ["seq"], postgresql_where=sa.text("result = 'anomaly'"))
