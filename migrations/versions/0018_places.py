"""Points on the map, exceptions in English, changes of halls by number, measured durations."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _points()
    _durations()
    _calendars()
    for table in ("hall", "service_window"):
        op.add_column(table, sa.Column("edit", sa.Integer, server_default="1", nullable=False))


def _points() -> None:
    op.add_column("hall_exception", sa.Column("reason_en", sa.Text, server_default="", nullable=False))
    op.create_index("ix_hall_exception_day", "hall_exception", ["day"])
    op.create_table(
        "service_hours",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("week", pg.JSONB, nullable=False),
        sa.Column("rest_days", sa.Boolean, nullable=False),
    )
    op.create_table(
        "service_point",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("code", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("hall_id", sa.Uuid, sa.ForeignKey("hall.id"), unique=True),
        sa.Column("region_code", sa.Text, sa.ForeignKey("region.code"), nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("consult", sa.Text, nullable=False),
        sa.Column("accessible", sa.Boolean),
        *(sa.Column(name, sa.Float, nullable=False) for name in ("latitude", "longitude", "east", "north")),
        sa.Column("hours_id", sa.Uuid, sa.ForeignKey("service_hours.id"), nullable=False),
        *(sa.Column(name, pg.JSONB, nullable=False) for name in ("zone_codes", "item_ids")),
        *(sa.Column(name, sa.Boolean, nullable=False) for name in ("withdrawn", "is_sample")),
        sa.CheckConstraint("kind IN ('HALL', 'TOWN', 'VILLAGE', 'TERMINAL')", name="kind_known"),
        sa.CheckConstraint("(kind = 'HALL') = (hall_id IS NOT NULL)", name="halls_are_halls"),
        sa.CheckConstraint(
            "latitude BETWEEN 28.0 AND 32.0 AND longitude BETWEEN 118.0 AND 125.0", name="is_near_the_city"
        ),
    )
    op.create_index("ix_service_point_place", "service_point", [sa.text("point(east, north)")], postgresql_using="gist")
    op.create_table(
        "point_exception",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("point_id", sa.Uuid, sa.ForeignKey("service_point.id"), primary_key=True),
        sa.Column("periods", pg.JSONB, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("reason_en", sa.Text, nullable=False),
        sa.CheckConstraint("reason <> ''", name="has_a_reason"),
    )
    op.create_table(
        "item_scope",
        sa.Column("item_id", sa.Text, sa.ForeignKey("item.item_id"), primary_key=True),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("reserved_to_city", sa.Boolean, nullable=False),
        sa.CheckConstraint("scope IN ('CITYWIDE', 'LOCAL')", name="scope_known"),
    )


def _durations() -> None:
    op.create_table(
        "item_duration",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("item_id", sa.Text, nullable=False),
        sa.Column("hall_id", sa.Uuid, sa.ForeignKey("hall.id")),
        sa.Column("since", sa.Date, nullable=False),
        sa.Column("cases", sa.Integer, nullable=False),
        sa.Column("p50", sa.Integer),
        sa.Column("p90", sa.Integer),
        sa.CheckConstraint("cases > 0", name="of_some_cases"),
        sa.CheckConstraint(
            "(p50 IS NULL) = (p90 IS NULL) AND (p50 IS NULL OR p50 <= p90)", name="half_before_nine_in_ten"
        ),
    )
    op.create_index("ix_item_duration_item_id", "item_duration", ["item_id"])
    op.create_index(
        "ix_service_case_decided",
        "service_case",
        ["decided_at", "id"],
        postgresql_where=sa.text("decided_at IS NOT NULL"),
    )


def _calendars() -> None:
    op.create_table(
        "calendar_proposal",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("days", pg.JSONB, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("proposed_by", sa.Text, nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("state IN ('OPEN', 'APPROVED', 'REJECTED')", name="state_known"),
        sa.CheckConstraint("(state = 'OPEN') = (decided_by IS NULL)", name="decided_by_somebody"),
        sa.CheckConstraint("decided_by <> proposed_by", name="by_two_people"),
        sa.CheckConstraint("source <> ''", name="has_a_source"),
    )
