"""A random number on each row of the search, new at each writing: what was read under it is never out of date."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Stamp the rows there are, and all to come."""
    stamp = sa.text("floor(random() * 9007199254740991)")
    op.add_column("item_search", sa.Column("stamp", sa.BigInteger, server_default=stamp, nullable=False))
    op.create_unique_constraint("uq_item_search_stamp", "item_search", ["stamp"])
