"""Messages and deliveries."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "message",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("receiver_id", sa.Uuid, sa.ForeignKey("subject.id"), nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("template", sa.Text, nullable=False),
        sa.Column("matter_type", sa.Text, nullable=False),
        sa.Column("matter_id", sa.Uuid),
        sa.Column("title", sa.LargeBinary, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("fields", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("event_id", "receiver_id"),
    )
    op.create_index("ix_message_receiver_id", "message", ["receiver_id", "id"])
    op.create_index("ix_message_unread", "message", ["receiver_id"], postgresql_where=sa.text("read_at IS NULL"))
    op.create_index("ix_message_matter", "message", ["matter_type", "matter_id"])
    op.create_table(
        "message_delivery",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("message_id", sa.Uuid, sa.ForeignKey("message.id", ondelete="CASCADE"), nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_asked_at", sa.DateTime(timezone=True)),
        sa.Column("asked_at", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("reference", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        # Never twice to one person through one channel for one event (DOMAIN 3.17).
        sa.UniqueConstraint("message_id", "channel"),
        sa.CheckConstraint("channel IN ('WECHAT', 'SMS')", name="channel_known"),
        sa.CheckConstraint(
            "state IN ('PENDING', 'ASKING', 'UNANSWERED', 'SENT', 'DELIVERED', 'FAILED', 'NO_CONSENT', 'SKIPPED')",
            name="state_known",
        ),
    )
    op.create_index("ix_message_delivery_reference", "message_delivery", ["reference"])
    op.create_table(
        "subscribe_consent",
        sa.Column("subject_id", sa.Uuid, sa.ForeignKey("subject.id"), primary_key=True),
        sa.Column("template_group", sa.Text, primary_key=True),
        sa.Column("remaining", sa.Integer, nullable=False),
        sa.Column("refused_at", sa.DateTime(timezone=True)),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("remaining >= 0", name="remaining_not_negative"),
    )


def downgrade() -> None:
    op.drop_table("subscribe_consent")
    op.drop_table("message_delivery")
    op.drop_table("message")
