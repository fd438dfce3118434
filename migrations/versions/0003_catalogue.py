"""Service items, places and lookups."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
TEXTS = postgresql.ARRAY(sa.Text)
UNITS = "('WORKDAY', 'NATURAL_DAY', 'MONTH', 'YEAR')"
FORMS = "('PAPER', 'ELECTRONIC', 'ANY')"


def upgrade() -> None:
    # Equality of text inside a GiST exclusion constraint. A trusted extension: the database's owner may make it.
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    _lookups()
    _catalogue()
    _guards()
    _places()


def _text(name: str, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Text, nullable=nullable)


def _number(name: str, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Integer, nullable=nullable)


def _flag(name: str) -> sa.Column:
    return sa.Column(name, sa.Boolean, nullable=False)


def _lookups() -> None:
    op.create_table("zone", sa.Column("code", sa.Text, primary_key=True), _text("name"), _number("position"))
    op.create_table(
        "department",
        sa.Column("id", sa.Text, primary_key=True),
        _text("name"),
        _text("name_2017"),
        _text("confidence"),
        _number("position"),
    )
    op.create_table(
        "region", sa.Column("code", sa.Text, primary_key=True), _text("name"), _text("kind"), _number("position")
    )
    op.create_table(
        "dev_zone",
        sa.Column("code", sa.Text, primary_key=True),
        _text("name_2017"),
        _text("name_now"),
        _text("confidence"),
        _text("note"),
        _number("position"),
    )
    op.create_table(
        "joint_topic",
        sa.Column("key", sa.Text, primary_key=True),
        _text("name"),
        sa.Column(
            "lead_department_id",
            sa.Text,
            sa.ForeignKey("department.id", name="fk_joint_topic_lead_department_id_department"),
            nullable=False,
        ),
        sa.Column("participants", TEXTS, nullable=False),
        _number("before_days", nullable=True),
        _number("after_days", nullable=True),
        _number("position"),
        sa.CheckConstraint("after_days <= before_days", name="ck_joint_topic_reform_shortens"),
    )
    op.create_table(
        "life_event_package", sa.Column("key", sa.Text, primary_key=True), _text("name"), _number("position")
    )
    op.create_table(
        "app_tile",
        sa.Column("id", sa.Text, primary_key=True),
        _text("group_name"),
        _text("name"),
        sa.Column(
            "department_id",
            sa.Text,
            sa.ForeignKey("department.id", name="fk_app_tile_department_id_department"),
            nullable=False,
        ),
        _text("link_mode"),
        _number("position"),
    )
    op.create_table("licence_type", sa.Column("key", sa.Text, primary_key=True), _text("name"), _number("position"))


def _catalogue() -> None:
    op.create_table(
        "catalogue_revision",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.CheckConstraint("id = 1", name="ck_catalogue_revision_one_row"),
    )
    op.execute("INSERT INTO catalogue_revision (id, revision, changed_at) VALUES (1, 0, clock_timestamp())")
    op.create_table(
        "item",
        sa.Column("item_id", sa.Text, primary_key=True),
        sa.Column("redirects_to", sa.Text, sa.ForeignKey("item.item_id", name="fk_item_redirects_to_item")),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.CheckConstraint("redirects_to <> item_id", name="ck_item_redirects_elsewhere"),
    )
    op.create_table(
        "item_version",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column(
            "item_id", sa.Text, sa.ForeignKey("item.item_id", name="fk_item_version_item_id_item"), nullable=False
        ),
        _number("version"),
        _text("state"),
        sa.Column("effective_from", sa.Date, nullable=False),
        sa.Column("effective_to", sa.Date),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        _text("name"),
        sa.Column(
            "zone_code", sa.Text, sa.ForeignKey("zone.code", name="fk_item_version_zone_code_zone"), nullable=False
        ),
        sa.Column(
            "department_id",
            sa.Text,
            sa.ForeignKey("department.id", name="fk_item_version_department_id_department"),
            nullable=False,
        ),
        _text("authority"),
        _text("authority_2017"),
        _text("catalog_code"),
        _text("task_code"),
        _text("type_code"),
        _text("type_name"),
        _text("case_type"),
        _text("use_level"),
        sa.Column("service_objects", TEXTS, nullable=False),
        sa.Column("legal_basis", postgresql.JSONB, nullable=False),
        _number("legal_limit"),
        _text("legal_limit_unit"),
        _text("legal_limit_note"),
        _number("promised_limit"),
        _text("promised_limit_unit"),
        _text("promised_limit_note"),
        _text("conditions"),
        sa.Column("process_steps", TEXTS, nullable=False),
        _text("special_procedures"),
        _text("result_name"),
        _text("result_form"),
        sa.Column("channels", TEXTS, nullable=False),
        _text("online_depth"),
        _text("online_depth_note"),
        _number("trips_to_hall"),
        _flag("bookable"),
        _flag("pre_review"),
        _flag("deliverable"),
        _flag("hot"),
        _number("avg_handle_minutes"),
        _flag("original_return_required"),
        _text("biometric_on_site"),
        _flag("agent_allowed"),
        _flag("agent_friendly"),
        _text("minor_rule"),
        _number("min_auth_level"),
        sa.Column("joint_topics", TEXTS, nullable=False),
        _text("address"),
        _text("hours"),
        _text("consult"),
        _text("supervise"),
        _flag("is_fee"),
        _flag("pay_online"),
        sa.Column("source", postgresql.JSONB, nullable=False),
        sa.Column("confidence", postgresql.JSONB, nullable=False),
        _text("seed_fact"),
        _flag("is_sample"),
        _flag("sensitive"),
        _text("recipient_policy"),
        sa.Column("search_terms", TEXTS, nullable=False),
        _text("folded_name"),
        sa.UniqueConstraint("item_id", "version", name="uq_item_version_item_id_version"),
        sa.CheckConstraint("state IN ('DRAFT', 'PUBLISHED', 'RETIRED')", name="ck_item_version_state_known"),
        sa.CheckConstraint("case_type IN ('INSTANT', 'PROMISED')", name="ck_item_version_case_type_known"),
        sa.CheckConstraint(f"result_form IN {FORMS}", name="ck_item_version_result_form_known"),
        sa.CheckConstraint(
            "recipient_policy IN ('SELF_ONLY', 'PROXY')", name="ck_item_version_recipient_policy_known"
        ),
        sa.CheckConstraint(f"legal_limit_unit IN {UNITS}", name="ck_item_version_legal_limit_unit_known"),
        sa.CheckConstraint(f"promised_limit_unit IN {UNITS}", name="ck_item_version_promised_limit_unit_known"),
        sa.CheckConstraint("effective_to >= effective_from", name="ck_item_version_ends_after_it_begins"),
        sa.CheckConstraint("legal_limit >= 0 AND promised_limit >= 0", name="ck_item_version_limits_not_negative"),
        sa.CheckConstraint("avg_handle_minutes > 0", name="ck_item_version_takes_time"),
        sa.CheckConstraint("trips_to_hall >= 0", name="ck_item_version_trips_not_negative"),
        sa.CheckConstraint("min_auth_level BETWEEN 1 AND 4", name="ck_item_version_min_auth_level_known"),
        postgresql.ExcludeConstraint(
            ("item_id", "="),
            (sa.text("daterange(effective_from, effective_to)"), "&&"),
            where=sa.text("state <> 'DRAFT'"),
            using="gist",
            name="ex_item_version_one_in_force",
        ),
    )
    op.create_index("ix_item_version_search_terms", "item_version", ["search_terms"], postgresql_using="gin")
    op.create_index(
        "ix_item_version_folded_name",
        "item_version",
        ["folded_name"],
        postgresql_ops={"folded_name": "text_pattern_ops"},
    )
    op.create_index("ix_item_version_listing", "item_version", [sa.text("(hot IS FALSE)"), "item_id"])
    op.create_index("ix_item_version_zone_code", "item_version", ["zone_code"])
    op.create_index("ix_item_version_department_id", "item_version", ["department_id"])
    op.create_table(
        "item_question",
        sa.Column(
            "version_id",
            sa.Uuid,
            sa.ForeignKey("item_version.id", name="fk_item_question_version_id_item_version"),
            primary_key=True,
        ),
        sa.Column("key", sa.Text, primary_key=True),
        _number("position"),
        _text("text"),
        sa.Column("options", postgresql.JSONB, nullable=False),
        sa.CheckConstraint("jsonb_array_length(options) > 1", name="ck_item_question_has_a_choice"),
    )
    op.create_table(
        "item_material",
        sa.Column(
            "version_id",
            sa.Uuid,
            sa.ForeignKey("item_version.id", name="fk_item_material_version_id_item_version"),
            primary_key=True,
        ),
        sa.Column("no", sa.Integer, primary_key=True, autoincrement=False),
        _text("name"),
        _flag("required"),
        _text("origin"),
        _text("form"),
        _number("copies"),
        _flag("waivable"),
        sa.Column(
            "licence_key", sa.Text, sa.ForeignKey("licence_type.key", name="fk_item_material_licence_key_licence_type")
        ),
        _flag("tolerable"),
        _flag("original_required"),
        _text("condition", nullable=True),
        sa.ForeignKeyConstraint(
            ["version_id", "condition"],
            ["item_question.version_id", "item_question.key"],
            name="fk_item_material_condition_item_question",
        ),
        sa.CheckConstraint("no > 0 AND copies > 0", name="ck_item_material_counts_positive"),
        sa.CheckConstraint("required = (condition IS NULL)", name="ck_item_material_conditional_or_required"),
        sa.CheckConstraint(
            "origin IN ('APPLICANT', 'AUTHORITY', 'THIRD_PARTY')", name="ck_item_material_origin_known"
        ),
        sa.CheckConstraint(f"form IN {FORMS}", name="ck_item_material_form_known"),
    )
    op.create_table(
        "item_fee_line",
        sa.Column(
            "version_id",
            sa.Uuid,
            sa.ForeignKey("item_version.id", name="fk_item_fee_line_version_id_item_version"),
            primary_key=True,
        ),
        sa.Column("no", sa.Integer, primary_key=True, autoincrement=False),
        _text("name"),
        sa.Column("amount_fen", sa.BigInteger),
        _text("formula"),
        _text("unit"),
        _text("basis"),
        _flag("prepayable"),
        _text("payee"),
        sa.CheckConstraint("amount_fen >= 0", name="ck_item_fee_line_amount_not_negative"),
        sa.CheckConstraint("(amount_fen IS NULL) = (formula <> '')", name="ck_item_fee_line_amount_or_formula"),
    )


def _guards() -> None:
    # S22: what is published stays as it was; only its end, its withdrawal and what search derives from it may change.
    op.execute("""
        CREATE FUNCTION item_version_guard() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            free CONSTANT text[] := '{state,effective_to,search_terms,folded_name}';
        BEGIN
            IF TG_OP = 'DELETE' THEN
                IF OLD.state <> 'DRAFT' THEN
                    RAISE EXCEPTION 'a published item version is never deleted';
                END IF;
                RETURN OLD;
            END IF;
            IF NEW.state <> OLD.state AND (OLD.state, NEW.state)
               NOT IN (('DRAFT', 'PUBLISHED'), ('PUBLISHED', 'RETIRED')) THEN
                RAISE EXCEPTION 'an item version does not go from % to %', OLD.state, NEW.state;
            END IF;
            IF OLD.state <> 'DRAFT' AND (to_jsonb(NEW) - free) IS DISTINCT FROM (to_jsonb(OLD) - free) THEN
                RAISE EXCEPTION 'a published item version is never changed';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER item_version_published_stays BEFORE UPDATE OR DELETE ON item_version
        FOR EACH ROW EXECUTE FUNCTION item_version_guard()
    """)
    op.execute("""
        CREATE FUNCTION item_part_guard() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            part record := CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
        BEGIN
            IF (SELECT state FROM item_version WHERE id = part.version_id) <> 'DRAFT' THEN
                RAISE EXCEPTION 'a published item version is never changed';
            END IF;
            RETURN part;
        END $$
    """)
    for table in ("item_question", "item_material", "item_fee_line"):
        op.execute(f"""
            CREATE TRIGGER {table}_published_stays BEFORE INSERT OR UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION item_part_guard()
        """)


def _places() -> None:
    op.create_table(
        "hall",
        sa.Column("id", sa.Uuid, primary_key=True),
        _text("code"),
        _text("name"),
        _text("level"),
        sa.Column(
            "region_code", sa.Text, sa.ForeignKey("region.code", name="fk_hall_region_code_region"), nullable=False
        ),
        _text("address"),
        _text("consult"),
        _flag("is_sample"),
        _number("position"),
        sa.UniqueConstraint("code", name="uq_hall_code"),
        sa.CheckConstraint("level IN ('CITY', 'COUNTY', 'TOWN', 'VILLAGE')", name="ck_hall_level_known"),
    )
    op.create_table(
        "hall_zone",
        sa.Column(
            "hall_id", sa.Uuid, sa.ForeignKey("hall.id", name="fk_hall_zone_hall_id_hall"), primary_key=True
        ),
        sa.Column(
            "zone_code", sa.Text, sa.ForeignKey("zone.code", name="fk_hall_zone_zone_code_zone"), primary_key=True
        ),
        _text("area"),
    )
    op.create_table(
        "service_window",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("hall_id", sa.Uuid, nullable=False),
        _text("zone_code"),
        _text("code"),
        _text("name"),
        _text("kind"),
        _text("state"),
        sa.ForeignKeyConstraint(
            ["hall_id", "zone_code"],
            ["hall_zone.hall_id", "hall_zone.zone_code"],
            name="fk_service_window_hall_id_hall_zone",
        ),
        sa.UniqueConstraint("hall_id", "code", name="uq_service_window_hall_id_code"),
        sa.CheckConstraint("kind IN ('COMBINED', 'SPECIAL')", name="ck_service_window_kind_known"),
        sa.CheckConstraint("state IN ('OPEN', 'PAUSED', 'CLOSED')", name="ck_service_window_state_known"),
    )
    op.create_table(
        "window_item",
        sa.Column(
            "window_id",
            sa.Uuid,
            sa.ForeignKey("service_window.id", name="fk_window_item_window_id_service_window"),
            primary_key=True,
        ),
        sa.Column(
            "item_id", sa.Text, sa.ForeignKey("item.item_id", name="fk_window_item_item_id_item"), primary_key=True
        ),
    )
    op.create_table(
        "hall_hours",
        sa.Column(
            "hall_id", sa.Uuid, sa.ForeignKey("hall.id", name="fk_hall_hours_hall_id_hall"), primary_key=True
        ),
        sa.Column("weekday", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("opens", sa.Time, primary_key=True),
        sa.Column("closes", sa.Time, nullable=False),
        sa.CheckConstraint("weekday BETWEEN 1 AND 7", name="ck_hall_hours_weekday_known"),
        sa.CheckConstraint("opens < closes", name="ck_hall_hours_opens_before_it_closes"),
    )
    op.create_table(
        "hall_exception",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column(
            "hall_id", sa.Uuid, sa.ForeignKey("hall.id", name="fk_hall_exception_hall_id_hall"), nullable=False
        ),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("periods", postgresql.JSONB, nullable=False),
        _text("reason"),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.UniqueConstraint("hall_id", "day", name="uq_hall_exception_hall_id_day"),
        sa.CheckConstraint("reason <> ''", name="ck_hall_exception_has_a_reason"),
    )


def downgrade() -> None:
    raise NotImplementedError("the catalogue is not dropped by a downgrade: matters refer to it")
