"""What an import said last time of a hall or a service point, so that edits by hand are told from it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "place_import",
        sa.Column("place_id", sa.Uuid, nullable=False),
        sa.Column("said", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("place_id", name="pk_place_import"),
    )
