"""Uploaded files and pre-reviews."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATES = (
    "DRAFT", "SUBMITTED", "IN_REVIEW", "NEEDS_CHANGE", "PASSED", "REJECTED", "USED", "WITHDRAWN", "EXPIRED",
    "DISCARDED",
)  # fmt: skip
PROVISIONS = ("UPLOAD", "ON_SITE", "LICENCE")
VERDICTS = ("QUALIFIED", "DEFECTIVE", "TOLERATED", "WAIVED")
REASONS = (
    "PAGE_MISSING", "BLURRED", "EXPIRED", "NAME_MISMATCH", "SIGNATURE_MISSING", "SEAL_MISSING", "FORMAT_WRONG",
    "SITUATION_WRONG", "NOT_OUR_BODY", "OTHER",
)  # fmt: skip
FINDINGS = ("LATE_FIRST_ANSWER", "SECOND_DEFECT", "REFUSED_AT_COUNTER")
MEDIA_TYPES = ("image/jpeg", "image/png", "application/pdf", "application/ofd")

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _files()
    _prereview()
    _materials()
    _history()


def downgrade() -> None:
    for table in (
        "prereview_finding", "prereview_note", "prereview_verdict", "prereview_event", "prereview_file",
        "prereview_material", "prereview", "stored_file_use", "stored_file",
    ):  # fmt: skip
        op.drop_table(table)
    op.execute("DROP FUNCTION prereview_history_guard()")


def _one_of(column: str, values: tuple[str, ...], name: str) -> sa.CheckConstraint:
    known = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({known})", name=name)


def _files() -> None:
    op.create_table(
        "stored_file",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("owner_id", sa.Uuid, sa.ForeignKey("subject.id"), nullable=False),
        sa.Column("uploaded_by", sa.Uuid, sa.ForeignKey("subject.id"), nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("pages", sa.Integer, nullable=False),
        sa.Column("original_name", sa.LargeBinary, nullable=False),
        sa.Column("content_key", sa.LargeBinary, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("deleted_at", MOMENT),
        _one_of("media_type", MEDIA_TYPES, "media_type_known"),
        sa.CheckConstraint("size > 0", name="not_empty"),
        sa.CheckConstraint("pages > 0", name="has_pages"),
    )
    op.create_index("ix_stored_file_owner_id_digest", "stored_file", ["owner_id", "digest"])
    op.create_index("ix_stored_file_created_at", "stored_file", ["created_at"])
    op.create_index(
        "ix_stored_file_deleted_at", "stored_file", ["deleted_at"], postgresql_where=sa.text("deleted_at IS NOT NULL")
    )
    op.create_table(
        "stored_file_use",
        sa.Column("file_id", sa.Uuid, sa.ForeignKey("stored_file.id"), primary_key=True),
        sa.Column("matter_type", sa.Text, primary_key=True),
        sa.Column("matter_id", sa.Uuid, primary_key=True),
    )
    op.create_index("ix_stored_file_use_matter_type_matter_id", "stored_file_use", ["matter_type", "matter_id"])


def _prereview() -> None:
    op.create_table(
        "prereview",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("number", sa.Text, nullable=False, unique=True),
        sa.Column("owner_id", sa.Uuid, sa.ForeignKey("subject.id"), nullable=False),
        sa.Column("acting_id", sa.Uuid, sa.ForeignKey("subject.id"), nullable=False),
        sa.Column("item_id", sa.Text, sa.ForeignKey("item.item_id"), nullable=False),
        sa.Column("version_id", sa.Uuid, sa.ForeignKey("item_version.id"), nullable=False),
        sa.Column("item_name", sa.Text, nullable=False),
        sa.Column("zone_code", sa.Text, nullable=False),
        sa.Column("hall_id", sa.Uuid, sa.ForeignKey("hall.id"), nullable=False),
        sa.Column("answers", postgresql.JSONB, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("round", sa.SmallInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("claimed_by", sa.Uuid, sa.ForeignKey("staff_member.id")),
        sa.Column("claimed_until", MOMENT),
        sa.Column("submitted_at", MOMENT),
        sa.Column("answer_due_at", MOMENT),
        sa.Column("answer_due_provisional", sa.Boolean, nullable=False),
        sa.Column("answered_at", MOMENT),
        sa.Column("expires_at", MOMENT),
        sa.Column("expires_provisional", sa.Boolean, nullable=False),
        sa.Column("right_body", sa.Text, nullable=False),
        sa.Column("right_item_id", sa.Text, sa.ForeignKey("item.item_id")),
        sa.Column("reject_reason", sa.LargeBinary),
        sa.Column("used_at", MOMENT),
        sa.Column("used_case_id", sa.Uuid),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("erased_at", MOMENT),
        _one_of("state", STATES, "state_known"),
        sa.CheckConstraint("(state = 'IN_REVIEW') = (claimed_by IS NOT NULL)", name="claimed_while_in_review"),
        sa.CheckConstraint("(claimed_by IS NULL) = (claimed_until IS NULL)", name="claim_ends"),
        sa.CheckConstraint("(state IN ('DRAFT', 'DISCARDED')) = (round = 0)", name="rounds_count_submissions"),
        sa.CheckConstraint(
            "round = 0 OR (submitted_at IS NOT NULL AND answer_due_at IS NOT NULL)", name="answer_is_due"
        ),
        sa.CheckConstraint("state NOT IN ('NEEDS_CHANGE', 'PASSED') OR expires_at IS NOT NULL", name="answers_expire"),
        sa.CheckConstraint("state <> 'REJECTED' OR right_body <> ''", name="rejection_names_body"),
    )
    op.create_index("ix_prereview_owner_id", "prereview", ["owner_id"])
    op.create_index("ix_prereview_queue", "prereview", ["hall_id", "state", "submitted_at", "id"])
    for column, states in (
        ("claimed_until", "= 'IN_REVIEW'"),
        ("expires_at", "IN ('NEEDS_CHANGE', 'PASSED')"),
        ("answer_due_at", "IN ('SUBMITTED', 'IN_REVIEW')"),
    ):
        op.create_index(
            f"ix_prereview_{column}", "prereview", [column], postgresql_where=sa.text(f"state {states}")
        )


def _materials() -> None:
    op.create_table(
        "prereview_material",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("prereview_id", sa.Uuid, sa.ForeignKey("prereview.id", ondelete="CASCADE"), nullable=False),
        sa.Column("no", sa.SmallInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("needed", sa.Boolean, nullable=False),
        sa.Column("waivable", sa.Boolean, nullable=False),
        sa.Column("tolerable", sa.Boolean, nullable=False),
        sa.Column("licence_key", sa.Text, nullable=False),
        sa.Column("licence_name", sa.Text, nullable=False),
        sa.Column("original_required", sa.Boolean, nullable=False),
        sa.Column("provision", sa.Text),
        sa.Column("file_version", sa.SmallInteger, nullable=False),
        sa.Column("changed_round", sa.SmallInteger, nullable=False),
        sa.Column("dropped", sa.Boolean, nullable=False),
        sa.Column("verdict", sa.Text),
        sa.Column("reason_code", sa.Text),
        sa.Column("comment", sa.LargeBinary),
        sa.Column("verdict_round", sa.SmallInteger),
        sa.Column("valid_until", sa.Date),
        # Deferred: a new item version may swap the numbers of two materials.
        sa.UniqueConstraint("prereview_id", "no", deferrable=True, initially="DEFERRED"),
        _one_of("provision", PROVISIONS, "provision_known"),
        _one_of("verdict", VERDICTS, "verdict_known"),
        _one_of("reason_code", REASONS, "reason_known"),
        sa.CheckConstraint("(verdict = 'DEFECTIVE') IS TRUE = (reason_code IS NOT NULL)", name="defect_has_reason"),
        sa.CheckConstraint("verdict <> 'WAIVED' OR waivable", name="waived_only_if_waivable"),
        sa.CheckConstraint("verdict <> 'TOLERATED' OR tolerable", name="tolerated_only_if_tolerable"),
        sa.CheckConstraint("provision <> 'LICENCE' OR waivable", name="licence_only_if_waivable"),
    )
    op.create_table(
        "prereview_file",
        sa.Column(
            "material_id", sa.Uuid, sa.ForeignKey("prereview_material.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("version", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("position", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("file_id", sa.Uuid, sa.ForeignKey("stored_file.id"), nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("pages", sa.Integer, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("superseded_at", MOMENT),
    )
    op.create_index("ix_prereview_file_file_id", "prereview_file", ["file_id"])


def _history() -> None:
    op.create_table(
        "prereview_event",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("prereview_id", sa.Uuid, sa.ForeignKey("prereview.id"), nullable=False),
        sa.Column("from_state", sa.Text),
        sa.Column("to_state", sa.Text, nullable=False),
        sa.Column("round", sa.SmallInteger, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_index("ix_prereview_event_prereview_id", "prereview_event", ["prereview_id"])
    op.create_table(
        "prereview_verdict",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("material_id", sa.Uuid, sa.ForeignKey("prereview_material.id"), nullable=False),
        sa.Column("round", sa.SmallInteger, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("reason_code", sa.Text),
        sa.Column("second_defect", sa.Boolean, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("by", sa.Uuid, sa.ForeignKey("staff_member.id"), nullable=False),
    )
    op.create_index("ix_prereview_verdict_material_id", "prereview_verdict", ["material_id"])
    op.create_table(
        "prereview_note",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("prereview_id", sa.Uuid, sa.ForeignKey("prereview.id"), nullable=False),
        sa.Column("by", sa.Uuid, sa.ForeignKey("staff_member.id"), nullable=False),
        sa.Column("text", sa.LargeBinary, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
    )
    op.create_index("ix_prereview_note_prereview_id", "prereview_note", ["prereview_id"])
    op.create_table(
        "prereview_finding",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("prereview_id", sa.Uuid, sa.ForeignKey("prereview.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("round", sa.SmallInteger, nullable=False),
        sa.Column("material_no", sa.SmallInteger, nullable=False),
        sa.Column("reason", sa.LargeBinary),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.UniqueConstraint("prereview_id", "kind", "round", "material_no"),
        _one_of("kind", FINDINGS, "kind_known"),
        sa.CheckConstraint("kind = 'LATE_FIRST_ANSWER' OR reason IS NOT NULL", name="people_give_a_reason"),
    )
    # What happened and what was judged is written once (2.3).
    op.execute("""
        CREATE FUNCTION prereview_history_guard() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
        END $$
    """)
    for table in ("prereview_event", "prereview_verdict", "prereview_finding"):
        op.execute(f"""
            CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION prereview_history_guard()
        """)
