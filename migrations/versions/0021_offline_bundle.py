"""Offline bundles of the guide, and the key that signs them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "catalogue_bundle",
        sa.Column("number", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("names", JSONB, nullable=False),
        sa.Column("digests", JSONB, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("etag", sa.Text, nullable=False),
        sa.Column("signature", sa.Text, nullable=False),
        sa.Column("changes", sa.LargeBinary, nullable=False),
        sa.Column("changes_etag", sa.Text, nullable=False),
        sa.Column("changes_signature", sa.Text, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_catalogue_bundle"),
    )
    # Both are gzip: nothing is won by trying to make them smaller.
    op.execute("ALTER TABLE catalogue_bundle ALTER body SET STORAGE EXTERNAL, ALTER changes SET STORAGE EXTERNAL")
    op.create_table(
        "catalogue_bundle_key",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("kid", sa.Text, nullable=False),
        sa.Column("private_key", sa.LargeBinary, nullable=False),
        sa.Column("public_jwk", JSONB, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_catalogue_bundle_key"),
        sa.CheckConstraint("id = 1", name="ck_catalogue_bundle_key_one_row"),
    )
