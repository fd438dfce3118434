"""Acting for others: delegations, organisations and their roles, and in whose name an act was done."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
ACTIONS = "'COLLECT', 'CORRECT', 'PAY', 'SUBMIT', 'VIEW'"
SCOPES = "'AGENT_FRIENDLY', 'ALL', 'ITEMS', 'KINDS'"
LIVE = "'ACTIVE', 'DISPUTED'"


def upgrade() -> None:
    """Make the tables, and the columns beside them."""
    op.add_column("subject", sa.Column("kind", sa.Text, nullable=False, server_default="PERSON"))
    op.add_column("subject", sa.Column("organisation_name", sa.Text))
    op.create_check_constraint("kind_known", "subject", "kind IN ('ORGANISATION', 'PERSON')")
    op.create_check_constraint(
        "organisation_has_name", "subject", "(kind = 'ORGANISATION') = (organisation_name IS NOT NULL)"
    )
    # An organisation never signs in by itself (ID-11): whoever acts for it is a person.
    op.execute("""
        CREATE FUNCTION refuse_organisation() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (SELECT FROM subject WHERE id = NEW.subject_id AND kind <> 'PERSON') THEN
                RAISE EXCEPTION 'an organisation does not sign in';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER person_signs_in BEFORE INSERT ON citizen_session
        FOR EACH ROW EXECUTE FUNCTION refuse_organisation()
    """)
    for table in ("prereview", "prereview_event", "appointment", "case_transition", "pay_order"):
        op.add_column(table, sa.Column("acted_by", sa.Text))
    for table in ("fee_bill", "shipment"):
        op.add_column(table, sa.Column("item_id", sa.Text))
    _delegation()
    _organisations()
    for table in ("delegation_event", "organisation_role_event"):
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )


def _delegation() -> None:
    op.create_table(
        "delegation",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("principal_id", sa.Uuid, sa.ForeignKey("subject.id"), nullable=False),
        sa.Column("agent_id", sa.Uuid, sa.ForeignKey("subject.id")),
        sa.Column("agent_staff_id", sa.Uuid, sa.ForeignKey("staff_member.id")),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("scope_values", postgresql.JSONB, nullable=False),
        sa.Column("actions", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("valid_from", MOMENT, nullable=False),
        sa.Column("valid_until", MOMENT),
        sa.Column("born_on", sa.LargeBinary),
        sa.Column("relation", sa.Text, nullable=False),
        sa.Column("purpose", sa.LargeBinary, nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
        sa.Column("document_seen", sa.LargeBinary),
        sa.Column("evidence_id", sa.Uuid),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("offer_until", MOMENT),
        sa.Column("code_lookup", sa.LargeBinary),
        sa.Column("confirm_mac", sa.LargeBinary),
        sa.Column("confirm_until", MOMENT),
        sa.Column("confirm_tries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("ended_at", MOMENT),
        sa.Column("ended_by", sa.Text),
        sa.CheckConstraint("kind IN ('AGENCY', 'FAMILY', 'GUARDIAN', 'MANDATE', 'PROJECT')", name="kind_known"),
        sa.CheckConstraint(f"scope IN ({SCOPES})", name="scope_known"),
        sa.CheckConstraint(
            "evidence IN ('E_SIGNED', 'NOTARISED', 'PAPER', 'SMS_CODE', 'STATUTORY')", name="evidence_known"
        ),
        sa.CheckConstraint(
            "state IN ('ACCEPTED', 'ACTIVE', 'DECLINED', 'DISPUTED', 'OFFERED', 'RENOUNCED', 'REVOKED')",
            name="state_known",
        ),
        sa.CheckConstraint(f"actions <@ ARRAY[{ACTIONS}] AND actions <> '{{}}'", name="actions_known"),
        sa.CheckConstraint("agent_id <> principal_id", name="not_oneself"),
        sa.CheckConstraint("(kind = 'PROJECT') = (agent_staff_id IS NOT NULL)", name="officer_of_project"),
        sa.CheckConstraint("agent_id IS NULL OR agent_staff_id IS NULL", name="one_agent"),
        sa.CheckConstraint(
            "state IN ('OFFERED', 'DECLINED', 'REVOKED') OR agent_id IS NOT NULL OR agent_staff_id IS NOT NULL",
            name="acts_by_somebody",
        ),
        sa.CheckConstraint(
            "kind <> 'PROJECT' OR actions <@ ARRAY['CORRECT', 'SUBMIT', 'VIEW']", name="officer_files_and_tracks"
        ),
        sa.CheckConstraint("kind <> 'FAMILY' OR NOT 'COLLECT' = ANY (actions)", name="family_does_not_collect"),
        sa.CheckConstraint("valid_until > valid_from", name="ends_after_it_begins"),
        sa.CheckConstraint("kind = 'GUARDIAN' OR valid_until IS NOT NULL", name="only_guardians_have_no_end"),
        sa.CheckConstraint("(scope IN ('ITEMS', 'KINDS')) = (scope_values <> '[]')", name="scope_has_values"),
        sa.CheckConstraint(
            "(state IN ('DECLINED', 'REVOKED', 'RENOUNCED')) = (ended_at IS NOT NULL)", name="ended_has_a_time"
        ),
    )
    op.create_index(
        "uq_delegation_guardian", "delegation", ["principal_id", "agent_id"], unique=True,
        postgresql_where=sa.text(f"kind = 'GUARDIAN' AND state IN ({LIVE})"),
    )  # fmt: skip
    op.create_index(
        "uq_delegation_code_lookup", "delegation", ["code_lookup"], unique=True,
        postgresql_where=sa.text("state = 'OFFERED' AND code_lookup IS NOT NULL"),
    )  # fmt: skip
    op.create_index("ix_delegation_principal_id", "delegation", ["principal_id"])
    op.create_index("ix_delegation_agent_id", "delegation", ["agent_id"])
    op.create_index(
        "ix_delegation_agent_staff_id", "delegation", ["agent_staff_id"],
        postgresql_where=sa.text(f"state IN ({LIVE})"),
    )  # fmt: skip
    op.create_table(
        "delegation_event",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("delegation_id", sa.Uuid, sa.ForeignKey("delegation.id"), nullable=False),
        sa.Column("from_state", sa.Text),
        sa.Column("to_state", sa.Text, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_index("ix_delegation_event_delegation_id", "delegation_event", ["delegation_id"])
    op.create_table(
        "guardian_agreement",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("delegation_id", sa.Uuid, sa.ForeignKey("delegation.id"), nullable=False),
        sa.Column("item_id", sa.Text, nullable=False),
        sa.Column("given_at", MOMENT, nullable=False),
        sa.Column("given_by", sa.Uuid, sa.ForeignKey("subject.id"), nullable=False),
        sa.Column("valid_until", MOMENT, nullable=False),
        sa.Column("withdrawn_at", MOMENT),
        sa.CheckConstraint("valid_until > given_at", name="ends_after_it_begins"),
    )
    op.create_index("ix_guardian_agreement_delegation_id", "guardian_agreement", ["delegation_id"])
    op.create_table(
        "agency_contract",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("agency_id", sa.Uuid, sa.ForeignKey("subject.id"), nullable=False),
        sa.Column("number", sa.Text, nullable=False, unique=True),
        sa.Column("principals", sa.Integer, nullable=False),
        sa.Column("valid_from", MOMENT, nullable=False),
        sa.Column("valid_until", MOMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("ended_at", MOMENT),
        sa.CheckConstraint("valid_until > valid_from", name="ends_after_it_begins"),
        sa.CheckConstraint("principals > 0", name="acts_for_somebody"),
    )
    op.create_index(
        "uq_agency_contract_live", "agency_contract", ["agency_id"], unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )  # fmt: skip
    op.create_table(
        "staff_person",
        sa.Column("staff_id", sa.Uuid, sa.ForeignKey("staff_member.id"), primary_key=True),
        sa.Column("subject_id", sa.Uuid, sa.ForeignKey("subject.id"), nullable=False, unique=True),
        sa.Column("declared_at", MOMENT, nullable=False),
    )


def _organisations() -> None:
    op.create_table(
        "organisation",
        sa.Column("subject_id", sa.Uuid, sa.ForeignKey("subject.id"), primary_key=True),
        sa.Column("credit_code", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("deregistered", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("checked_at", MOMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "kind IN ('AUTHORITY', 'ENTERPRISE', 'INSTITUTION', 'OTHER', 'SOCIAL_ORGANISATION')", name="kind_known"
        ),
    )
    op.create_table(
        "organisation_role",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("organisation_id", sa.Uuid, sa.ForeignKey("subject.id"), nullable=False),
        sa.Column("person_id", sa.Uuid, sa.ForeignKey("subject.id")),
        sa.Column("person_lookup", sa.LargeBinary, nullable=False),
        sa.Column("person_name", sa.LargeBinary, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("scope_values", postgresql.JSONB, nullable=False),
        sa.Column("actions", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("valid_from", MOMENT, nullable=False),
        sa.Column("valid_until", MOMENT),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("appointed_by", sa.Uuid, sa.ForeignKey("subject.id")),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("offer_until", MOMENT),
        sa.Column("ended_at", MOMENT),
        sa.Column("end_reason", sa.Text),
        sa.CheckConstraint("role IN ('ADMINISTRATOR', 'HANDLER', 'LEGAL_REPRESENTATIVE')", name="role_known"),
        sa.CheckConstraint("state IN ('ACTIVE', 'DECLINED', 'ENDED', 'OFFERED')", name="state_known"),
        sa.CheckConstraint(f"scope IN ({SCOPES})", name="scope_known"),
        sa.CheckConstraint("(scope IN ('ITEMS', 'KINDS')) = (scope_values <> '[]')", name="scope_has_values"),
        sa.CheckConstraint(f"actions <@ ARRAY[{ACTIONS}] AND actions <> '{{}}'", name="actions_known"),
        sa.CheckConstraint("(role = 'LEGAL_REPRESENTATIVE') = (valid_until IS NULL)", name="appointments_end"),
        sa.CheckConstraint("(role = 'LEGAL_REPRESENTATIVE') = (appointed_by IS NULL)", name="appointed_by_somebody"),
        sa.CheckConstraint("valid_until > valid_from", name="ends_after_it_begins"),
        sa.CheckConstraint("(state = 'ENDED') = (end_reason IS NOT NULL)", name="ended_has_reason"),
        sa.CheckConstraint("state <> 'ACTIVE' OR person_id IS NOT NULL", name="held_by_somebody"),
    )
    op.create_index(
        "uq_organisation_role_representative", "organisation_role", ["organisation_id"], unique=True,
        postgresql_where=sa.text("role = 'LEGAL_REPRESENTATIVE' AND state = 'ACTIVE'"),
    )  # fmt: skip
    op.create_index(
        "uq_organisation_role_live", "organisation_role", ["organisation_id", "person_lookup", "role"], unique=True,
        postgresql_where=sa.text("state IN ('ACTIVE', 'OFFERED')"),
    )  # fmt: skip
    op.create_index(
        "ix_organisation_role_offered", "organisation_role", ["person_lookup"],
        postgresql_where=sa.text("state = 'OFFERED'"),
    )  # fmt: skip
    op.create_index("ix_organisation_role_person_id", "organisation_role", ["person_id"])
    op.create_table(
        "organisation_role_event",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("role_id", sa.Uuid, sa.ForeignKey("organisation_role.id"), nullable=False),
        sa.Column("from_state", sa.Text),
        sa.Column("to_state", sa.Text, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_index("ix_organisation_role_event_role_id", "organisation_role_event", ["role_id"])
