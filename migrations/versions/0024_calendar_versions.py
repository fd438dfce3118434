"""Versions of the calendar: who published what by which notice, and what each day was before."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calendar_version",
        sa.Column("number", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proposed_by", sa.Text),
        sa.Column("published_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_calendar_version"),
        sa.CheckConstraint("source <> ''", name="has_a_source"),
    )
    op.create_table(
        "calendar_change",
        sa.Column("version", sa.Integer, sa.ForeignKey("calendar_version.number"), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("was_workday", sa.Boolean),
        sa.Column("was_name", sa.Text),
        sa.Column("is_workday", sa.Boolean, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("version", "day", name="pk_calendar_change"),
        sa.CheckConstraint("(was_workday IS NULL) = (was_name IS NULL)", name="was_whole_or_unpublished"),
    )
    op.create_index("ix_calendar_change_day_version", "calendar_change", ["day", "version"])
    # What was published before versions were kept: one version a source, in the order of their first day.
    op.execute("""
        INSERT INTO calendar_version (number, source, published_at, published_by)
        SELECT row_number() OVER (ORDER BY min(day)), coalesce(nullif(source, ''), '-') AS said, now(), 'system:migration'
        FROM calendar_day GROUP BY said
    """)
    op.add_column("calendar_day", sa.Column("version", sa.Integer, sa.ForeignKey("calendar_version.number")))
    op.execute("""
        UPDATE calendar_day SET version = calendar_version.number FROM calendar_version
        WHERE calendar_version.source = coalesce(nullif(calendar_day.source, ''), '-')
    """)
    op.execute("""
        INSERT INTO calendar_change (version, day, is_workday, name)
        SELECT version, day, is_workday, name FROM calendar_day
    """)
    op.alter_column("calendar_day", "version", nullable=False)
    op.drop_column("calendar_day", "source")
    for table in ("calendar_version", "calendar_change"):
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    op.add_column("calendar_proposal", sa.Column("version", sa.Integer, sa.ForeignKey("calendar_version.number")))
    op.create_check_constraint("published_when_approved", "calendar_proposal", "version IS NULL OR state = 'APPROVED'")
    # A proposal says what its days are at present, and holds only as long as they are that.
    op.execute("""
        UPDATE calendar_proposal SET days = coalesce((
            SELECT jsonb_agg(
                one || jsonb_build_object('was_workday', calendar_day.is_workday, 'was_name', calendar_day.name)
                ORDER BY one ->> 'day')
            FROM jsonb_array_elements(days) AS one LEFT JOIN calendar_day ON calendar_day.day = (one ->> 'day')::date
        ), '[]'::jsonb)
        WHERE state = 'OPEN'
    """)
    op.execute("""
        UPDATE calendar_proposal SET days = coalesce((
            SELECT jsonb_agg(one || '{"was_workday": null, "was_name": null}'::jsonb ORDER BY one ->> 'day')
            FROM jsonb_array_elements(days) AS one
        ), '[]'::jsonb)
        WHERE state <> 'OPEN'
    """)
