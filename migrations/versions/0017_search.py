"""Search of the catalogue, favourites, what was looked at lately, searches in vain."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TEXTS = ("zone_code", "department_id", "region_code", "online_depth")
COMPARED = ("title", "name", "also", "body", "said", "initials")


def upgrade() -> None:
    """Make the tables; `python -m gateway reindex-catalogue` fills them where there is a catalogue already."""
    # What a version was found by until now; the search has tables of its own.
    op.drop_index("ix_item_version_search_terms", "item_version")
    op.drop_index("ix_item_version_folded_name", "item_version")
    op.drop_index("ix_item_version_listing", "item_version")
    op.drop_column("item_version", "search_terms")
    op.drop_column("item_version", "folded_name")
    op.create_table(
        "item_search",
        sa.Column("version_id", sa.Uuid, sa.ForeignKey("item_version.id"), primary_key=True),
        sa.Column("item_id", sa.Text, sa.ForeignKey("item.item_id"), nullable=False),
        sa.Column("effective_from", sa.Date, nullable=False),
        sa.Column("effective_to", sa.Date),
        *(sa.Column(name, sa.Text, nullable=False) for name in TEXTS[:3]),
        sa.Column("service_objects", pg.ARRAY(sa.Text), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in TEXTS[3:]),
        *(sa.Column(name, sa.Boolean, nullable=False) for name in ("bookable", "deliverable", "hot", "is_sample")),
        sa.Column("uses", sa.Integer, server_default="0", nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in COMPARED),
        sa.Column("head", sa.Integer, nullable=False),
        sa.Column("terms", pg.ARRAY(sa.Text(collation="C")), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("entry_zh", "entry_en")),
    )
    op.execute("ALTER TABLE item_search ALTER terms SET STORAGE EXTERNAL")
    op.create_index(
        "ix_item_search_terms",
        "item_search",
        ["terms"],
        postgresql_using="gin",
    )
    op.create_index("ix_item_search_item_id", "item_search", ["item_id"])
    op.create_index("ix_item_search_listing", "item_search", [sa.text("(hot IS FALSE)"), "item_id"])
    op.create_index("ix_item_search_uses", "item_search", [sa.text("uses DESC"), sa.text("(hot IS FALSE)"), "item_id"])
    op.create_table(
        "item_search_term",
        sa.Column("term", sa.Text(collation="C"), primary_key=True),
        sa.Column("items", sa.Integer, nullable=False),
    )
    op.create_table(
        "item_use",
        sa.Column("item_id", sa.Text, sa.ForeignKey("item.item_id"), primary_key=True),
        sa.Column("people", sa.Integer, nullable=False),
        sa.CheckConstraint("people > 0", name="somebody_did"),
    )
    op.create_table(
        "search_miss",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("text", sa.Text, primary_key=True),
        sa.Column("times", sa.Integer, nullable=False),
        sa.CheckConstraint("times > 0", name="happened"),
    )
    op.create_table(
        "item_favourite",
        sa.Column("subject_id", sa.Uuid, sa.ForeignKey("subject.id"), primary_key=True),
        sa.Column("item_id", sa.Text, sa.ForeignKey("item.item_id"), primary_key=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_item_favourite_item_id", "item_favourite", ["item_id"])
    op.create_table(
        "item_seen",
        sa.Column("subject_id", sa.Uuid, sa.ForeignKey("subject.id"), primary_key=True),
        sa.Column("item_id", sa.Text, sa.ForeignKey("item.item_id"), primary_key=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_item_seen_subject_id_seen_at", "item_seen", ["subject_id", "seen_at"])
    op.create_index("ix_item_seen_item_id", "item_seen", ["item_id"])
    op.create_index("ix_item_seen_seen_at", "item_seen", ["seen_at"])
