"""Cases and their history."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATES = (
    "DRAFT", "DISCARDED", "SUBMITTED", "RECEIVED", "CORRECTING", "ACCEPTED", "UNDER_REVIEW", "SUSPENDED",
    "DECIDED_GRANT", "DECIDED_REFUSE", "CONCLUDED", "ISSUING", "DELIVERED", "NOT_ACCEPTED", "WITHDRAWN",
    "CLOSED_NO_CORRECTION",
)  # fmt: skip
EMPTY = sa.text("''")


def upgrade() -> None:
    known = ", ".join(f"'{state}'" for state in STATES)
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "service_case",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("number", sa.Text, nullable=False, unique=True),
        sa.Column("external_no", sa.Text, unique=True),
        sa.Column("owner_id", sa.Uuid, sa.ForeignKey("subject.id"), nullable=False),
        sa.Column("acting_id", sa.Uuid, sa.ForeignKey("subject.id"), nullable=False),
        sa.Column("item_id", sa.Text, nullable=False),
        sa.Column("version_id", sa.Uuid, sa.ForeignKey("item_version.id"), nullable=False),
        sa.Column("item_name", sa.Text, nullable=False),
        sa.Column("sensitive", sa.Boolean, nullable=False),
        sa.Column("department_id", sa.Text, nullable=False),
        sa.Column("department_name", sa.Text, nullable=False),
        sa.Column("applicant_name", sa.LargeBinary, nullable=False),
        sa.Column("applicant_document_type", sa.Text, nullable=False),
        sa.Column("applicant_document", sa.LargeBinary, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("accept_hall_id", sa.Uuid, sa.ForeignKey("hall.id"), nullable=False),
        sa.Column("issue_hall_id", sa.Uuid, sa.ForeignKey("hall.id"), nullable=False),
        sa.Column("prereview_id", sa.Uuid, sa.ForeignKey("prereview.id"), unique=True),
        sa.Column("answers", postgresql.JSONB, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("received_at", moment, nullable=False),
        sa.Column("notice_due_on", sa.Date, nullable=False),
        sa.Column("accepted_at", moment),
        sa.Column("accepted_on", sa.Date),
        sa.Column("deemed", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("due_on", sa.Date),
        sa.Column("due_status", sa.Text),
        sa.Column("legal_due_on", sa.Date),
        sa.Column("amber_on", sa.Date),
        sa.Column("extension_workdays", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("decided_at", moment),
        sa.Column("refusal_reason", sa.Text, nullable=False, server_default=EMPTY),
        sa.Column("refusal_clause", sa.Text, nullable=False, server_default=EMPTY),
        sa.Column("result_name", sa.Text, nullable=False, server_default=EMPTY),
        sa.Column("result_number", sa.Text, nullable=False, server_default=EMPTY),
        sa.Column("concluded_at", moment),
        sa.Column("issue_due_on", sa.Date),
        sa.Column("delivered_at", moment),
        sa.CheckConstraint(f"state IN ({known})", name="state_known"),
        sa.CheckConstraint("(accepted_on IS NULL) = (due_on IS NULL)", name="accepted_has_due"),
        sa.CheckConstraint("state NOT IN ('DECIDED_REFUSE', 'NOT_ACCEPTED') OR refusal_reason <> ''", name="refusal_has_reason"),
    )
    op.create_index("ix_service_case_owner_id", "service_case", ["owner_id"])
    op.create_index("ix_service_case_department_id", "service_case", ["department_id"])
    op.create_index("ix_service_case_hall_state", "service_case", ["accept_hall_id", "state"])
    op.create_index(
        "ix_service_case_open_due", "service_case", ["due_on"],
        postgresql_where=sa.text("state IN ('ACCEPTED', 'UNDER_REVIEW')"),
    )  # fmt: skip
    op.create_index(
        "ix_service_case_waiting_notice", "service_case", ["notice_due_on"],
        postgresql_where=sa.text("state = 'RECEIVED'"),
    )  # fmt: skip
    op.create_table(
        "case_transition",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("case_id", sa.Uuid, sa.ForeignKey("service_case.id"), nullable=False),
        sa.Column("from_state", sa.Text),
        sa.Column("to_state", sa.Text, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("department", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("public_note", sa.Text, nullable=False),
        sa.Column("old_due_on", sa.Date),
        sa.Column("new_due_on", sa.Date),
    )
    op.create_index("ix_case_transition_case_id", "case_transition", ["case_id"])
    # C-1: rows are never changed.
    op.execute("""
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME; END $$
    """)
    op.execute("""
        CREATE TRIGGER case_transition_append_only BEFORE UPDATE OR DELETE ON case_transition
        FOR EACH ROW EXECUTE FUNCTION refuse_change()
    """)
    op.create_table(
        "case_pause",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("case_id", sa.Uuid, sa.ForeignKey("service_case.id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("started_on", sa.Date, nullable=False),
        sa.Column("ended_on", sa.Date),
        sa.Column("started_by", sa.Text, nullable=False),
        sa.Column("ended_by", sa.Text),
        sa.CheckConstraint("ended_on IS NULL OR ended_on >= started_on", name="ends_after_start"),
    )
    op.create_index("ix_case_pause_case_id", "case_pause", ["case_id"])
    op.create_index(
        "uq_case_pause_open", "case_pause", ["case_id"], unique=True, postgresql_where=sa.text("ended_on IS NULL")
    )
    op.create_table(
        "case_correction",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("case_id", sa.Uuid, sa.ForeignKey("service_case.id"), nullable=False),
        sa.Column("defects", postgresql.JSONB, nullable=False),
        sa.Column("requested_at", moment, nullable=False),
        sa.Column("requested_by", sa.Text, nullable=False),
        sa.Column("due_on", sa.Date, nullable=False),
        sa.Column("supervisor_reason", sa.Text, nullable=False, server_default=EMPTY),
        sa.Column("answered_at", moment),
        sa.Column("answer_file_ids", postgresql.JSONB, nullable=False, server_default=sa.text("'[]'::jsonb")),
        sa.Column("expired", sa.Boolean, nullable=False, server_default=sa.text("false")),
    )
    op.create_index("ix_case_correction_case_id", "case_correction", ["case_id"])
    open_ones = sa.text("answered_at IS NULL AND NOT expired")
    op.create_index("uq_case_correction_open", "case_correction", ["case_id"], unique=True, postgresql_where=open_ones)
    op.create_index("ix_case_correction_due", "case_correction", ["due_on"], postgresql_where=open_ones)


def downgrade() -> None:
    for table in ("case_correction", "case_pause", "case_transition", "service_case"):
        op.drop_table(table)
    op.execute("DROP FUNCTION refuse_change()")
