"""importing: the files that item managers send."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "catalogue_import",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("staff_id", sa.Uuid, sa.ForeignKey("staff_member.id"), nullable=False),
        sa.Column("session_id", sa.Uuid, nullable=False),
        sa.Column("department_id", sa.Text, sa.ForeignKey("department.id"), nullable=False),
        sa.Column("filename", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("done", "total", "items", "changed", "fault_count")),
        sa.Column("faults", pg.JSONB, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("state IN ('QUEUED', 'RUNNING', 'DONE', 'FAULTY', 'FAILED')", name="state_known"),
        sa.CheckConstraint("(content IS NOT NULL) = (state IN ('QUEUED', 'RUNNING'))", name="content_while_open"),
    )
    op.create_index("ix_catalogue_import_staff_id", "catalogue_import", ["staff_id"])
    op.create_index("ix_catalogue_import_department_id", "catalogue_import", ["department_id"])
