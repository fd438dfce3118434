"""Until when an emergency look-up is reviewed, and since when the person knows of it (P-5)."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("emergency_look_up", sa.Column("due_at", sa.DateTime(timezone=True)))
    op.add_column("emergency_look_up", sa.Column("told_at", sa.DateTime(timezone=True)))
    # Those of before had no day; three working days are at most this long outside the long holidays.
    op.execute("UPDATE emergency_look_up SET due_at = at + interval '5 days'")
    op.alter_column("emergency_look_up", "due_at", nullable=False)
    op.drop_index("ix_emergency_look_up_open", "emergency_look_up")
    op.create_index("ix_emergency_look_up_verdict", "emergency_look_up", ["justified", "id"])
    op.create_index("ix_emergency_look_up_subject_id", "emergency_look_up", ["subject_id"])
