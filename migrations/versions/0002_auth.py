"""Subjects, evidence, sessions, consent, staff."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SEPARATION = (
    "(CASE WHEN 'SYSTEM_ADMIN' = ANY (roles) THEN 1 ELSE 0 END"
    " + CASE WHEN 'SECURITY_ADMIN' = ANY (roles) THEN 1 ELSE 0 END"
    " + CASE WHEN 'AUDIT_ADMIN' = ANY (roles) THEN 1 ELSE 0 END) <= 1"
)
EVIDENCE = "'PHONE', 'WECHAT', 'NAME_NUMBER', 'ALIPAY', 'FACE', 'HALL', 'NETID'"
CHANNELS = "'APP', 'WXMP', 'WXOA', 'H5', 'KIOSK', 'HALL', 'HOTLINE'"
CONSENTS = "'PRIVACY', 'FACE', 'LOCATION', 'HEALTH', 'FINANCE', 'MINOR'"
LIVE = sa.text("ended_at IS NULL")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _staff()
    _accounts()
    _sessions()
    op.create_table(
        "identity_evidence",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("subject_id", sa.Uuid, sa.ForeignKey("subject.id"), nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("subject_hash", sa.LargeBinary, nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT),
        sa.Column("look_again_at", MOMENT),
        sa.Column("revoked_at", MOMENT),
        sa.Column("revoked_reason", sa.Text),
        sa.Column("reference", sa.Text),
        sa.CheckConstraint(f"type IN ({EVIDENCE})", name="type_known"),
        sa.CheckConstraint("result IN ('PASS', 'FAIL', 'REVIEW')", name="result_known"),
        sa.CheckConstraint("(revoked_at IS NULL) = (revoked_reason IS NULL)", name="revoked_has_reason"),
        sa.CheckConstraint("(result = 'REVIEW') = (look_again_at IS NOT NULL)", name="review_says_when"),
    )
    op.create_index("ix_identity_evidence_subject_id", "identity_evidence", ["subject_id"])
    op.create_table(
        "consent",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("subject_id", sa.Uuid, sa.ForeignKey("subject.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("text_version", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("given_at", MOMENT, nullable=False),
        sa.Column("withdrawn_at", MOMENT),
        sa.CheckConstraint(f"kind IN ({CONSENTS})", name="kind_known"),
    )
    op.create_index(
        "uq_consent_standing", "consent", ["subject_id", "kind"], unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )


def _staff() -> None:
    op.create_table(
        "staff_member",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("username", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.LargeBinary, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("totp_secret", sa.LargeBinary, nullable=False),
        sa.Column("totp_last_step", sa.BigInteger),
        sa.Column("roles", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("hall_id", sa.Uuid),
        sa.Column("department_id", sa.Text),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("failed_attempts", sa.Integer, nullable=False),
        sa.Column("locked_until", MOMENT),
        sa.Column("password_changed_at", MOMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint(SEPARATION, name="administrators_apart"),
    )
    op.create_table(
        "staff_session",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("staff_id", sa.Uuid, sa.ForeignKey("staff_member.id"), nullable=False),
        sa.Column("token_hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("last_seen_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT),
        sa.Column("address", sa.Text),
    )
    op.create_index("ix_staff_session_staff_id", "staff_session", ["staff_id"])


def _accounts() -> None:
    op.create_table(
        "subject",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("merged_into", sa.Uuid, sa.ForeignKey("subject.id")),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("contact_phone", sa.LargeBinary),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("state IN ('ACTIVE', 'FROZEN', 'MERGED')", name="state_known"),
        sa.CheckConstraint("(state = 'MERGED') = (merged_into IS NOT NULL)", name="merged_has_target"),
    )
    op.create_table(
        "subject_document",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("subject_id", sa.Uuid, sa.ForeignKey("subject.id"), nullable=False, unique=True),
        sa.Column("document_type", sa.Text, nullable=False),
        sa.Column("document_number", sa.LargeBinary, nullable=False),
        # One natural person is one subject (ID-3).
        sa.Column("document_lookup", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("name", sa.LargeBinary, nullable=False),
        sa.Column("bound_at", MOMENT, nullable=False),
    )
    for table, value in (("phone_binding", "phone"), ("wechat_binding", "openid")):
        op.create_table(
            table,
            sa.Column("id", sa.Uuid, primary_key=True),
            sa.Column("subject_id", sa.Uuid, sa.ForeignKey("subject.id"), nullable=False),
            sa.Column(value, sa.LargeBinary, nullable=False),
            sa.Column(f"{value}_lookup", sa.LargeBinary, nullable=False),
            sa.Column("bound_at", MOMENT, nullable=False),
            sa.Column("confirmed_at", MOMENT, nullable=False),
            sa.Column("proofs_since", MOMENT),
            sa.Column("ended_at", MOMENT),
            sa.Column("end_reason", sa.Text),
            sa.CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name="ended_has_reason"),
        )
        op.create_index(f"ix_{table}_subject_id", table, ["subject_id"], postgresql_where=LIVE)
        op.create_index(f"uq_{table}_live", table, [f"{value}_lookup"], unique=True, postgresql_where=LIVE)
    op.add_column("wechat_binding", sa.Column("unionid", sa.LargeBinary))


def _sessions() -> None:
    op.create_table(
        "citizen_session",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("subject_id", sa.Uuid, sa.ForeignKey("subject.id"), nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("phone_binding_id", sa.Uuid, sa.ForeignKey("phone_binding.id")),
        sa.Column("wechat_binding_id", sa.Uuid, sa.ForeignKey("wechat_binding.id")),
        sa.Column("proofs_since", MOMENT),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("last_seen_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT),
        sa.Column("end_reason", sa.Text),
        sa.Column("address", sa.Text),
        sa.Column("device", sa.Text),
        sa.CheckConstraint(f"channel IN ({CHANNELS})", name="channel_known"),
        sa.CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name="ended_has_reason"),
    )
    op.create_index("ix_citizen_session_subject_id", "citizen_session", ["subject_id"])
    op.create_index("ix_citizen_session_expires_at", "citizen_session", ["expires_at"])
    op.create_table(
        "refresh_token",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("session_id", sa.Uuid, sa.ForeignKey("citizen_session.id", ondelete="CASCADE"), nullable=False),
        sa.Column("token_hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT),
        sa.Column("successor_id", sa.Uuid, sa.ForeignKey("refresh_token.id", ondelete="CASCADE")),
        sa.CheckConstraint("successor_id IS NULL OR used_at IS NOT NULL", name="successor_of_used"),
    )
    op.create_index("ix_refresh_token_session_id", "refresh_token", ["session_id"])
    op.create_index("ix_refresh_token_successor_id", "refresh_token", ["successor_id"])
    op.create_table(
        "login_event",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("subject_id", sa.Uuid, sa.ForeignKey("subject.id")),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("address", sa.Text),
        sa.Column("device", sa.Text),
        sa.CheckConstraint("method IN ('PHONE_CODE', 'WECHAT', 'REFRESH')", name="method_known"),
        sa.CheckConstraint("result IN ('OK', 'WRONG_CODE', 'FROZEN', 'REUSED')", name="result_known"),
    )
    op.create_index("ix_login_event_subject_id", "login_event", ["subject_id"])
    op.create_index("ix_login_event_at", "login_event", ["at"])


def downgrade() -> None:
    for table in (
        "login_event", "refresh_token", "citizen_session", "consent", "identity_evidence", "wechat_binding",
        "phone_binding", "subject_document", "subject", "staff_session", "staff_member",
    ):  # fmt: skip
        op.drop_table(table)
