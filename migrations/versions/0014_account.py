"""Disowned sign-ins, consents by text version, exports, corrections, closing, retention, tiles, kiosks, tickets."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

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
    _retention()
    _personal_data()
    _tickets()
    _tiles()
    _kiosks()


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


def _retention() -> None:
    rules = op.create_table(
        "retention_rule",
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("days", sa.Integer, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.CheckConstraint("days > 0", name="kept_at_all"),
    )
    # The defaults of P-6 [D]; the city changes the rows.
    op.bulk_insert(
        rules,
        [
            {"code": "prereview_drafts", "days": 90, "what": "drafts of pre-reviews that nobody went on with"},
            {"code": "prereview_rejected", "days": 365, "what": "what rejected pre-reviews held"},
            {"code": "unused_uploads", "days": 30, "what": "uploads that belong to no matter"},
            {"code": "appointments", "days": 730, "what": "appointments whose visit is over"},
            {"code": "delivery_addresses", "days": 180, "what": "phones and addresses of ended deliveries"},
            {"code": "data_exports", "days": 1, "what": "copies of their data that people asked for"},
        ],
    )
    for table, column in (("ticket", "appointment_id"), ("appointment", "replaced_by_id")):
        name = f"fk_{table}_{column}_appointment"
        op.drop_constraint(name, table, type_="foreignkey")
        op.create_foreign_key(name, table, "appointment", [column], ["id"], ondelete="SET NULL")
    op.create_index("ix_appointment_starts_at", "appointment", ["starts_at"])


def _personal_data() -> None:
    op.drop_constraint("state_known", "subject", type_="check")
    op.create_check_constraint("state_known", "subject", "state IN ('ACTIVE', 'FROZEN', 'MERGED', 'CLOSED')")
    op.create_table(
        "data_export",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("subject_id", sa.Uuid, sa.ForeignKey("subject.id"), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("requested_at", MOMENT, nullable=False),
        sa.Column("ready_at", MOMENT),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("size", sa.Integer),
        sa.Column("downloads", sa.Integer, nullable=False),
        sa.Column("content", sa.LargeBinary),
        sa.CheckConstraint("state IN ('QUEUED', 'READY', 'FORGOTTEN')", name="state_known"),
        sa.CheckConstraint("(state = 'READY') = (content IS NOT NULL)", name="content_while_ready"),
    )
    op.create_index(
        "uq_data_export_queued",
        "data_export",
        ["subject_id"],
        unique=True,
        postgresql_where=sa.text("state = 'QUEUED'"),
    )
    op.create_index(
        "ix_data_export_ends", "data_export", ["expires_at"], postgresql_where=sa.text("state <> 'FORGOTTEN'")
    )
    op.create_index("ix_data_export_subject_id", "data_export", ["subject_id", "id"])
    op.create_table(
        "correction_request",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("subject_id", sa.Uuid, sa.ForeignKey("subject.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("matter_number", sa.Text, nullable=False, server_default=""),
        sa.Column("wish", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("taken_by", sa.Uuid, sa.ForeignKey("staff_member.id")),
        sa.Column("answer", sa.LargeBinary),
        sa.Column("closed_at", MOMENT),
        sa.CheckConstraint(
            "kind IN ('NAME', 'PHONE', 'DOCUMENT', 'CASE_DATA', 'OTHER', 'EXPLAIN_DECISION')", name="kind_known"
        ),
        sa.CheckConstraint("state IN ('OPEN', 'TAKEN', 'DONE', 'REFUSED', 'WITHDRAWN')", name="state_known"),
        sa.CheckConstraint("(state = 'TAKEN') <= (taken_by IS NOT NULL)", name="taken_by_somebody"),
        sa.CheckConstraint("(state IN ('DONE', 'REFUSED')) <= (answer IS NOT NULL)", name="answered_in_words"),
    )
    unanswered = sa.text("state IN ('OPEN', 'TAKEN')")
    op.create_index(
        "uq_correction_request_unanswered",
        "correction_request",
        ["subject_id", "kind", "matter_number"],
        unique=True,
        postgresql_where=unanswered,
    )
    op.create_index("ix_correction_request_queue", "correction_request", ["id"], postgresql_where=unanswered)
    op.create_index("ix_correction_request_subject_id", "correction_request", ["subject_id", "id"])
    op.create_table(
        "account_closing",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("subject_id", sa.Uuid, sa.ForeignKey("subject.id"), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("effective_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT),
        sa.CheckConstraint("state IN ('COOLING', 'CALLED_OFF', 'BLOCKED', 'DONE')", name="state_known"),
        sa.CheckConstraint("(state = 'COOLING') = (ended_at IS NULL)", name="ends_once"),
    )
    cooling = sa.text("state = 'COOLING'")
    op.create_index("ix_account_closing_subject_id", "account_closing", ["subject_id"])
    op.create_index(
        "uq_account_closing_cooling", "account_closing", ["subject_id"], unique=True, postgresql_where=cooling
    )
    op.create_index("ix_account_closing_due", "account_closing", ["effective_at"], postgresql_where=cooling)


def _tickets() -> None:
    op.create_table(
        "ticket_bridge",
        sa.Column("client_key", sa.Uuid, sa.ForeignKey("oidc_client.id"), primary_key=True),
        sa.Column("addresses", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
    )
    op.create_table(
        "sso_ticket",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("token_hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("client_key", sa.Uuid, sa.ForeignKey("oidc_client.id"), nullable=False),
        sa.Column("session_id", sa.Uuid, sa.ForeignKey("citizen_session.id", ondelete="CASCADE"), nullable=False),
        sa.Column("subject_id", sa.Uuid, sa.ForeignKey("subject.id"), nullable=False),
        sa.Column("goto", sa.Text, nullable=False),
        sa.Column("issued_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT),
        sa.Column("reused_at", MOMENT),
        sa.Column("sign_on_id", sa.Uuid),
    )
    op.create_index("ix_sso_ticket_session_id", "sso_ticket", ["session_id"])
    op.create_index("ix_sso_ticket_expires_at", "sso_ticket", ["expires_at"])


def _tiles() -> None:
    op.create_table(
        "tile_target",
        sa.Column("tile_id", sa.Text, sa.ForeignKey("app_tile.id"), primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("client_id", sa.Text),
        sa.Column("address", sa.Text),
        sa.Column("min_level", sa.SmallInteger, nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
        sa.Column("closed_zh", sa.Text, nullable=False),
        sa.Column("closed_en", sa.Text, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.CheckConstraint("kind IN ('PLAIN', 'OIDC', 'BRIDGE')", name="kind_known"),
        sa.CheckConstraint("min_level BETWEEN 1 AND 3", name="level_known"),
        sa.CheckConstraint("(kind = 'PLAIN') = (client_id IS NULL)", name="client_where_signed_in"),
        sa.CheckConstraint("(kind = 'OIDC') = (address IS NULL)", name="address_unless_the_clients_own"),
        sa.CheckConstraint("open OR (closed_zh <> '' AND closed_en <> '')", name="closed_has_reason"),
    )
    op.create_table(
        "tile_launch",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("tile_id", sa.Text, sa.ForeignKey("app_tile.id"), primary_key=True),
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("launches", sa.Integer, nullable=False),
    )
    op.create_table(
        "link_host",
        sa.Column("host", sa.Text, primary_key=True),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("added_at", MOMENT, nullable=False),
    )


def _kiosks() -> None:
    op.create_table(
        "kiosk",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("code", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("hall_id", sa.Uuid, sa.ForeignKey("hall.id"), nullable=False),
        sa.Column("public_key", sa.Text, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("registered_at", MOMENT, nullable=False),
        sa.Column("registered_by", sa.Uuid, sa.ForeignKey("staff_member.id"), nullable=False),
        sa.Column("last_seen_at", MOMENT),
    )
