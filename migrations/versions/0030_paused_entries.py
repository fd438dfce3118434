"""Lists mark paused items, which aren't hot (S48)."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Write the mark into the lines that are kept of each version, and cool down those that are paused."""
    op.execute("""
        UPDATE item_search SET
            entry_zh = left(entry_zh, -1) || ',"paused":' || version.paused || '}',
            entry_en = left(entry_en, -1) || ',"paused":' || version.paused || '}',
            stamp = floor(random() * 9007199254740991)
        FROM item_version AS version WHERE version.id = version_id AND entry_zh NOT LIKE '%"paused":%'
    """)
    op.execute("""
        UPDATE item_search SET
            hot = false, uses = 0,
            entry_zh = replace(entry_zh, '"hot"\\:true', '"hot"\\:false'),
            entry_en = replace(entry_en, '"hot"\\:true', '"hot"\\:false')
        FROM item_version AS version WHERE version.id = version_id AND version.paused
    """)
    op.execute("UPDATE catalogue_revision SET revision = revision + 1, changed_at = clock_timestamp()")


def downgrade() -> None:
    """Refuse."""
    raise NotImplementedError("lines of the list are marked: there is no way back")
