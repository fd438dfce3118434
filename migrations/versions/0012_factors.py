"""Alipay accounts as a way to sign in, and trips of browsers to a partner's page."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

LIVE = sa.text("ended_at IS NULL")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "alipay_binding",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("subject_id", sa.Uuid, sa.ForeignKey("subject.id"), nullable=False),
        sa.Column("open_id", sa.LargeBinary),
        sa.Column("open_id_lookup", sa.LargeBinary),
        sa.Column("user_id", sa.LargeBinary),
        sa.Column("user_id_lookup", sa.LargeBinary),
        sa.Column("bound_at", MOMENT, nullable=False),
        sa.Column("confirmed_at", MOMENT, nullable=False),
        sa.Column("proofs_since", MOMENT),
        sa.Column("ended_at", MOMENT),
        sa.Column("end_reason", sa.Text),
        sa.CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name="ended_has_reason"),
        sa.CheckConstraint("num_nonnulls(open_id_lookup, user_id_lookup) > 0", name="has_an_id"),
    )
    op.create_index("ix_alipay_binding_subject_id", "alipay_binding", ["subject_id"], postgresql_where=LIVE)
    for value in ("open_id", "user_id"):
        op.create_index(
            f"uq_alipay_binding_{value}", "alipay_binding", [f"{value}_lookup"], unique=True, postgresql_where=LIVE
        )
    op.add_column(
        "citizen_session", sa.Column("alipay_binding_id", sa.Uuid, sa.ForeignKey("alipay_binding.id"), nullable=True)
    )
    op.drop_constraint("method_known", "login_event", type_="check")
    op.create_check_constraint(
        "method_known", "login_event", "method IN ('PHONE_CODE', 'WECHAT', 'ALIPAY', 'SCAN', 'REFRESH')"
    )
    op.create_table(
        "redirect_trip",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state_hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("holder_hash", sa.LargeBinary, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("return_to", sa.Text, nullable=False),
        sa.Column("details", sa.LargeBinary, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT),
        sa.CheckConstraint("kind IN ('ALIPAY_SIGN_IN', 'ALIPAY_REAL_NAME')", name="kind_known"),
    )
    op.create_index("ix_redirect_trip_expires_at", "redirect_trip", ["expires_at"])
