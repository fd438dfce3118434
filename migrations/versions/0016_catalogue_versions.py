"""Items as versioned law: every national element, review and second person, redirects, situations as data."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
TEXTS = postgresql.ARRAY(sa.Text)
EFFECTS = (
    "ADD_MATERIAL", "REMOVE_MATERIAL", "REPLACE_MATERIAL", "ADD_FEE", "REMOVE_FEE", "LIMIT", "WINDOW", "LEVEL", "AGENT",
    "REFUSE",
)  # fmt: skip
SCOPES = ("", "CITY", "CROSS_COUNTY", "CROSS_CITY", "CROSS_PROVINCE", "NATIONAL")
GONE = ("RENAMED", "SPLIT", "MERGED", "MOVED", "SUCCEEDED", "ENDED")


def upgrade() -> None:
    """Make what is new, carry over what moved."""
    _redirects()
    _versions()
    _parts()
    _guards()


def _values(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def _text(name: str) -> sa.Column:
    return sa.Column(name, sa.Text, nullable=False)


def _said(name: str) -> sa.Column:
    """A text that older versions don't say."""
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def _flag(name: str, default: str = "false") -> sa.Column:
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.text(default))


def _number(name: str, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Integer, nullable=nullable)


def _redirects() -> None:
    op.add_column("item", sa.Column("gone_kind", sa.Text))
    op.add_column("item", _said("gone_reason"))
    op.create_check_constraint("gone_kind_known", "item", f"gone_kind IN ({_values(GONE)})")
    op.create_table(
        "item_redirect",
        sa.Column(
            "item_id", sa.Text, sa.ForeignKey("item.item_id", name="fk_item_redirect_item_id_item"), primary_key=True
        ),
        sa.Column(
            "to_item_id",
            sa.Text,
            sa.ForeignKey("item.item_id", name="fk_item_redirect_to_item_id_item"),
            primary_key=True,
        ),
        _number("position"),
        sa.CheckConstraint("to_item_id <> item_id", name="leads_elsewhere"),
    )
    op.create_index("ix_item_redirect_to_item_id", "item_redirect", ["to_item_id"])
    # Chains can't loop. One writer at a time: two redirects made at once could close a ring that neither sees.
    op.execute("""
        CREATE FUNCTION item_redirect_guard() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_advisory_xact_lock(hashtext('item_redirect'));
            IF EXISTS (
                WITH RECURSIVE chain AS (
                    SELECT NEW.to_item_id AS item_id
                    UNION
                    SELECT r.to_item_id FROM item_redirect r JOIN chain ON chain.item_id = r.item_id
                )
                SELECT FROM chain WHERE item_id = NEW.item_id
            ) THEN
                RAISE EXCEPTION 'redirects of items must not loop';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER item_redirect_no_loop BEFORE INSERT OR UPDATE ON item_redirect
        FOR EACH ROW EXECUTE FUNCTION item_redirect_guard()
    """)
    op.execute("""
        INSERT INTO item_redirect (item_id, to_item_id, position)
        SELECT item_id, redirects_to, 1 FROM item WHERE redirects_to IS NOT NULL
    """)
    op.execute("UPDATE item SET gone_kind = 'SUCCEEDED' WHERE redirects_to IS NOT NULL")
    op.drop_constraint("ck_item_redirects_elsewhere", "item", type_="check")
    op.drop_column("item", "redirects_to")


def _versions() -> None:
    for column in (
        _said("local_catalog_code"), _said("local_task_code"), _said("handle_item_code"), _said("authority_code"),
        _said("authority_type"), _said("power_source"), _said("intermediary"), _said("quantity_limit"),
        _said("result_type"), _said("fee_basis"), _said("trips_reason"), _said("booking_rule"), _said("serve_scope"),
        _said("mobile_url"), _said("retire_reason"),
        *(sa.Column(name, TEXTS, nullable=False, server_default="{}")
          for name in ("use_levels", "joint_departments", "handle_forms", "online_depths")),
        _flag("online"), _flag("self_service"), _flag("in_hall", "true"), _flag("mobile_single_sign_on"),
        _number("daily_bookings", nullable=True),
        sa.Column("authors", postgresql.ARRAY(sa.Uuid), nullable=False, server_default="{}"),
        sa.Column("published_by", sa.Uuid,
                  sa.ForeignKey("staff_member.id", name="fk_item_version_published_by_staff_member")),
        sa.Column("base_version_id", sa.Uuid,
                  sa.ForeignKey("item_version.id", name="fk_item_version_base_version_id_item_version")),
        sa.Column("edit", sa.Integer, nullable=False, server_default="1"),
    ):  # fmt: skip
        op.add_column("item_version", column)
    op.drop_constraint("ck_item_version_state_known", "item_version", type_="check")
    op.drop_constraint("ex_item_version_one_in_force", "item_version")
    live = "state IN ('PUBLISHED', 'RETIRED')"
    for name, rule in {
        "state_known": "state IN ('DRAFT', 'IN_REVIEW', 'PUBLISHED', 'RETIRED', 'WITHDRAWN')",
        "serve_scope_known": f"serve_scope IN ({_values(SCOPES)})",
        "daily_bookings_not_negative": "daily_bookings >= 0",
        "published_by_a_second_person": "published_by <> ALL (authors)",
        "somebody_published_it": f"NOT ({live}) OR cardinality(authors) = 0 OR published_by IS NOT NULL",
    }.items():
        op.create_check_constraint(name, "item_version", rule)
    # The extension is there since 0003; the owner of the database may make it (it is a trusted one).
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.execute(f"""
        ALTER TABLE item_version ADD CONSTRAINT ex_item_version_one_in_force
        EXCLUDE USING gist (item_id WITH =, daterange(effective_from, effective_to) WITH &&) WHERE ({live})
    """)
    op.create_index(
        "uq_item_version_open_draft",
        "item_version",
        ["item_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('DRAFT', 'IN_REVIEW') AND cardinality(authors) > 0"),
    )
    op.create_index(
        "ix_item_version_published_by",
        "item_version",
        ["published_by"],
        postgresql_where=sa.text("published_by IS NOT NULL"),
    )
    op.create_index("ix_item_version_effective_from", "item_version", ["effective_from"])
    op.create_table(
        "item_version_event",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column(
            "version_id",
            sa.Uuid,
            sa.ForeignKey("item_version.id", name="fk_item_version_event_version_id_item_version"),
            nullable=False,
        ),
        _text("action"),
        _text("detail"),
        _text("note"),
        sa.Column("at", MOMENT, nullable=False),
        _text("actor"),
    )
    op.create_index("ix_item_version_event_version_id", "item_version_event", ["version_id"])
    op.add_column("prereview_material", _said("alternative_group"))
    # Whom a new version concerns: the owners of open drafts.
    op.create_index(
        "ix_prereview_draft_item_id", "prereview", ["item_id", "id"], postgresql_where=sa.text("state = 'DRAFT'")
    )


def _part(name: str, *columns: sa.Column | sa.CheckConstraint) -> None:
    op.create_table(
        name,
        sa.Column(
            "version_id",
            sa.Uuid,
            sa.ForeignKey("item_version.id", name=f"fk_{name}_version_id_item_version"),
            primary_key=True,
        ),
        sa.Column("no", sa.Integer, primary_key=True, autoincrement=False),
        *columns,
    )


def _parts() -> None:
    op.add_column("item_question", sa.Column("asked_when", postgresql.JSONB))
    for column in (
        _flag("by_rule"), _said("alternative_group"), _said("type_code"), _said("origin_note"),
        _number("originals", nullable=True), _number("photocopies", nullable=True),
        _number("validity_months", nullable=True), _said("specification"), _said("filling_notes"),
        _said("acceptance_standard"), _said("basis"), _said("blank_form"), _said("sample_form"),
    ):  # fmt: skip
        op.add_column("item_material", column)
    # Where a paper stands is no longer its number. The guard of published rows looks away: nothing that they say changes.
    op.add_column("item_material", _number("position", nullable=True))
    op.execute("ALTER TABLE item_material DISABLE TRIGGER item_material_published_stays")
    op.execute("UPDATE item_material SET position = no")
    op.execute("ALTER TABLE item_material ENABLE TRIGGER item_material_published_stays")
    op.alter_column("item_material", "position", nullable=False)
    op.drop_constraint("ck_item_material_conditional_or_required", "item_material", type_="check")
    for name, rule in {
        "conditional_or_required": "required = (condition IS NULL AND NOT by_rule)",
        "called_for_in_one_way": "condition IS NULL OR NOT by_rule",
        "paper_counts_not_negative": "originals >= 0 AND photocopies >= 0",
        "validity_positive": "validity_months > 0",
    }.items():
        op.create_check_constraint(name, "item_material", rule)
    for column in (_flag("by_rule"), _flag("reducible"), _said("reduction_note")):
        op.add_column("item_fee_line", column)
    _part(
        "item_rule",
        sa.Column("condition", postgresql.JSONB, nullable=False),
        _text("effect"),
        sa.Column("params", postgresql.JSONB, nullable=False),
        sa.CheckConstraint(f"effect IN ({_values(EFFECTS)})", name="effect_known"),
        sa.CheckConstraint("no > 0", name="number_positive"),
    )
    _part("item_sub_item", _text("code"), _text("name"), _text("note"))
    _part(
        "item_step",
        _text("name"),
        _text("owner"),
        _number("days", nullable=True),
        _text("standard"),
        _text("result"),
        sa.CheckConstraint("days >= 0", name="days_not_negative"),
    )
    _part(
        "item_special_procedure",
        _text("name"),
        _number("days", nullable=True),
        _text("unit"),
        _text("law"),
        sa.Column("is_fee", sa.Boolean, nullable=False),
        sa.Column("counted", sa.Boolean, nullable=False),
        sa.CheckConstraint("days >= 0", name="days_not_negative"),
        sa.CheckConstraint("unit IN ('WORKDAY', 'NATURAL_DAY', 'MONTH', 'YEAR')", name="unit_known"),
    )
    _part("item_result_sample", _text("name"), _text("file"))
    _part("item_common_question", _text("question"), _text("answer"))


def _guards() -> None:
    # S22: a draft is open; in review only the decision is written; what is published stays, but for its end.
    op.execute("""
        CREATE OR REPLACE FUNCTION item_version_guard() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            free text[] := '{state,effective_to,search_terms,folded_name,retire_reason}';
        BEGIN
            IF TG_OP = 'DELETE' THEN
                IF OLD.state <> 'DRAFT' THEN
                    RAISE EXCEPTION 'a published item version is never deleted';
                END IF;
                RETURN OLD;
            END IF;
            IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
                ('DRAFT', 'IN_REVIEW'), ('DRAFT', 'PUBLISHED'), ('DRAFT', 'WITHDRAWN'),
                ('IN_REVIEW', 'DRAFT'), ('IN_REVIEW', 'PUBLISHED'), ('IN_REVIEW', 'WITHDRAWN'),
                ('PUBLISHED', 'RETIRED'), ('PUBLISHED', 'WITHDRAWN')
            ) THEN
                RAISE EXCEPTION 'an item version does not go from % to %', OLD.state, NEW.state;
            END IF;
            IF OLD.state = 'IN_REVIEW' THEN
                free := free || '{effective_from,published_by,edit}';
            END IF;
            IF OLD.state <> 'DRAFT' AND (to_jsonb(NEW) - free) IS DISTINCT FROM (to_jsonb(OLD) - free) THEN
                RAISE EXCEPTION 'a published item version is never changed';
            END IF;
            RETURN NEW;
        END $$
    """)
    for table in (
        "item_rule", "item_sub_item", "item_step", "item_special_procedure", "item_result_sample",
        "item_common_question",
    ):  # fmt: skip
        op.execute(f"""
            CREATE TRIGGER {table}_published_stays BEFORE INSERT OR UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION item_part_guard()
        """)
    op.execute("""
        CREATE FUNCTION item_version_event_guard() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'the history of an item version only grows';
        END $$
    """)
    op.execute("""
        CREATE TRIGGER item_version_event_only_grows BEFORE UPDATE OR DELETE ON item_version_event
        FOR EACH ROW EXECUTE FUNCTION item_version_event_guard()
    """)


def downgrade() -> None:
    """Refuse."""
    raise NotImplementedError("matters refer to the versions of items: there is no way back")
