"""Items may pause, be of another kind of case than the two common ones, and an end to come may be taken back (DOMAIN 2.2, S22)."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the pause and its rule, the third kind of case, and the way back from an end."""
    op.add_column("item_version", sa.Column("paused", sa.Boolean, nullable=False, server_default=sa.text("false")))
    op.add_column("item_version", sa.Column("pause_reason", sa.Text, nullable=False, server_default=""))
    op.create_check_constraint(
        "pause_takes_nothing_in", "item_version", "NOT paused OR NOT (bookable OR pre_review) AND pause_reason <> ''"
    )
    op.drop_constraint("ck_item_version_case_type_known", "item_version", type_="check")
    op.create_check_constraint("case_type_known", "item_version", "case_type IN ('INSTANT', 'PROMISED', 'OTHER_CASE')")
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
                ('PUBLISHED', 'RETIRED'), ('PUBLISHED', 'WITHDRAWN'), ('RETIRED', 'PUBLISHED')
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


def downgrade() -> None:
    """Refuse."""
    raise NotImplementedError("versions may pause and ends may have been taken back: there is no way back")
