"""Fresh proofs, reviews, signals, conflicts, network identity, the history of documents and names, freezes."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
EVIDENCE = "'PHONE', 'WECHAT', 'NAME_NUMBER', 'ALIPAY', 'FACE', 'HALL', 'NETID_BASIC', 'NETID'"
PURPOSES = (
    "'PROPERTY_LOOKUP', 'LICENCE_REUSE', 'CHANGE_PHONE', 'CHANGE_WECHAT', 'PROXY_RECIPIENT', 'SIGN', 'CLOSE_ACCOUNT',"
    " 'DELEGATE'"
)


def upgrade() -> None:
    """Make and widen the tables."""
    _evidence()
    _persons()
    _reviews()
    _signals()
    _conflicts()
    _network()
    op.add_column("service_case", sa.Column("needs_person", sa.Text, nullable=False, server_default=""))


def _evidence() -> None:
    op.drop_constraint("type_known", "identity_evidence", type_="check")
    op.create_check_constraint("type_known", "identity_evidence", f"type IN ({EVIDENCE})")
    op.add_column("identity_evidence", sa.Column("purpose", sa.Text))
    op.add_column("identity_evidence", sa.Column("fresh_until", MOMENT))
    op.add_column("identity_evidence", sa.Column("used_at", MOMENT))
    op.add_column("identity_evidence", sa.Column("session_id", sa.Uuid))
    for name, condition in {
        "purpose_known": f"purpose IN ({PURPOSES})",
        "fresh_has_purpose": "(purpose IS NULL) = (fresh_until IS NULL)",
        "fresh_has_passed": "purpose IS NULL OR result = 'PASS'",
        "used_while_fresh": "used_at IS NULL OR used_at < fresh_until",
    }.items():
        op.create_check_constraint(name, "identity_evidence", condition)


def _persons() -> None:
    op.drop_constraint("uq_subject_document_subject_id", "subject_document", type_="unique")
    op.add_column("subject_document", sa.Column("ended_at", MOMENT))
    op.add_column("subject_document", sa.Column("twin", sa.SmallInteger, nullable=False, server_default="0"))
    op.create_check_constraint("twin_counts", "subject_document", "twin >= 0")
    op.create_index("ix_subject_document_subject_id", "subject_document", ["subject_id"])
    op.create_index(
        "uq_subject_document_in_use", "subject_document", ["subject_id"], unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )  # fmt: skip
    op.create_table(
        "subject_name",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("subject_id", sa.Uuid, sa.ForeignKey("subject.id"), nullable=False),
        sa.Column("name", sa.LargeBinary, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
    )
    op.create_index("ix_subject_name_subject_id", "subject_name", ["subject_id"])
    op.create_table(
        "subject_freeze",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("subject_id", sa.Uuid, sa.ForeignKey("subject.id"), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("frozen_at", MOMENT, nullable=False),
        sa.Column("frozen_by", sa.Text, nullable=False),
        sa.Column("lift_reason", sa.Text, nullable=False, server_default=""),
        sa.Column("lift_proposed_by", sa.Uuid),
        sa.Column("lift_proposed_at", MOMENT),
        sa.Column("lifted_by", sa.Uuid),
        sa.Column("lifted_at", MOMENT),
        sa.CheckConstraint("(lift_proposed_by IS NULL) = (lift_proposed_at IS NULL)", name="proposal_has_time"),
        sa.CheckConstraint("(lifted_by IS NULL) = (lifted_at IS NULL)", name="lift_has_time"),
        sa.CheckConstraint("lifted_at IS NULL OR lift_proposed_at IS NOT NULL", name="lift_was_proposed"),
        sa.CheckConstraint("lifted_by <> lift_proposed_by", name="two_people"),
    )
    op.create_index("ix_subject_freeze_subject_id", "subject_freeze", ["subject_id"])
    op.create_index(
        "uq_subject_freeze_standing", "subject_freeze", ["subject_id"], unique=True,
        postgresql_where=sa.text("lifted_at IS NULL"),
    )  # fmt: skip


def _reviews() -> None:
    op.create_table(
        "identity_review",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("subject_id", sa.Uuid, sa.ForeignKey("subject.id"), nullable=False),
        sa.Column("session_id", sa.Uuid, nullable=False),
        sa.Column("evidence_id", sa.Uuid, sa.ForeignKey("identity_evidence.id"), nullable=False, unique=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.LargeBinary),
        sa.Column("document_type", sa.Text, nullable=False),
        sa.Column("document_number", sa.LargeBinary),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("finished_at", MOMENT),
        sa.CheckConstraint("state IN ('WAITING', 'PASSED', 'FAILED', 'UNDECIDED', 'OVERTAKEN')", name="state_known"),
        sa.CheckConstraint("(state = 'WAITING') = (finished_at IS NULL)", name="finished_has_time"),
        sa.CheckConstraint("(state = 'WAITING') = (name IS NOT NULL)", name="erased_when_finished"),
        sa.CheckConstraint("(name IS NULL) = (document_number IS NULL)", name="erased_together"),
    )
    op.create_index("ix_identity_review_subject_id", "identity_review", ["subject_id"])
    op.create_index(
        "ix_identity_review_waiting", "identity_review", ["due_at"], postgresql_where=sa.text("state = 'WAITING'")
    )


def _signals() -> None:
    op.create_table(
        "identity_signal",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("signal_no", sa.Text, nullable=False, unique=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("document_lookup", sa.LargeBinary, nullable=False),
        sa.Column("subject_id", sa.Uuid, sa.ForeignKey("subject.id")),
        sa.Column("happened_at", MOMENT, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.CheckConstraint("kind IN ('DEATH', 'INCAPACITY', 'CANCELLED', 'FRAUD')", name="kind_known"),
        sa.CheckConstraint("state IN ('APPLIED', 'FROZEN_BEFORE', 'UNKNOWN_HERE')", name="state_known"),
        sa.CheckConstraint("(state = 'UNKNOWN_HERE') = (subject_id IS NULL)", name="known_has_subject"),
    )
    op.create_index("ix_identity_signal_subject_id", "identity_signal", ["subject_id"])
    op.create_table(
        "identity_signal_cursor",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("cursor", sa.Text, nullable=False),
        sa.Column("read_at", MOMENT, nullable=False),
    )


def _conflicts() -> None:
    op.create_table(
        "identity_conflict",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("claimant_id", sa.Uuid, sa.ForeignKey("subject.id"), nullable=False),
        sa.Column("holder_id", sa.Uuid, sa.ForeignKey("subject.id"), nullable=False),
        sa.Column("document_type", sa.Text, nullable=False),
        sa.Column("document_lookup", sa.LargeBinary, nullable=False),
        sa.Column("document_number", sa.LargeBinary),
        sa.Column("name", sa.LargeBinary),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("decided_at", MOMENT),
        sa.Column("decided_by", sa.Uuid),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
        sa.CheckConstraint("state IN ('OPEN', 'SAME_PERSON', 'TWO_PEOPLE', 'REFUSED')", name="state_known"),
        sa.CheckConstraint("(state = 'OPEN') = (decided_at IS NULL)", name="decided_has_time"),
        sa.CheckConstraint("(state = 'OPEN') = (name IS NOT NULL)", name="erased_when_decided"),
        sa.CheckConstraint("(name IS NULL) = (document_number IS NULL)", name="erased_together"),
        sa.CheckConstraint("claimant_id <> holder_id", name="two_subjects"),
    )
    op.create_index(
        "uq_identity_conflict_open", "identity_conflict", ["claimant_id", "document_lookup"], unique=True,
        postgresql_where=sa.text("state = 'OPEN'"),
    )  # fmt: skip
    op.create_index(
        "ix_identity_conflict_open", "identity_conflict", ["opened_at"], postgresql_where=sa.text("state = 'OPEN'")
    )
    op.create_index("ix_identity_conflict_holder_id", "identity_conflict", ["holder_id"])


def _network() -> None:
    op.create_table(
        "network_identity_check",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("subject_id", sa.Uuid, sa.ForeignKey("subject.id"), nullable=False),
        sa.Column("session_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.LargeBinary),
        sa.Column("document_type", sa.Text, nullable=False),
        sa.Column("document_number", sa.LargeBinary),
        sa.Column("grade", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text),
        sa.Column("challenge", sa.Text, unique=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.CheckConstraint("state IN ('STARTED', 'OPEN', 'DONE')", name="state_known"),
        sa.CheckConstraint("grade IN ('BASIC', 'HIGH', 'PIN')", name="grade_known"),
        sa.CheckConstraint(f"purpose IN ({PURPOSES})", name="purpose_known"),
        sa.CheckConstraint("purpose IS NULL OR grade = 'PIN'", name="purpose_needs_pin"),
        sa.CheckConstraint("(state = 'STARTED') = (challenge IS NULL)", name="open_has_challenge"),
        sa.CheckConstraint("(state = 'DONE') = (name IS NULL)", name="erased_when_done"),
        sa.CheckConstraint("(name IS NULL) = (document_number IS NULL)", name="erased_together"),
    )
    op.create_index("ix_network_identity_check_subject_id", "network_identity_check", ["subject_id"])
    op.create_index("ix_network_identity_check_created_at", "network_identity_check", ["created_at"])
