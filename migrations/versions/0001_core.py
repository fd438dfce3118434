"""Audit log, idempotency keys, partner callbacks, calendar, number sequences, job queue."""

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NUMBERS = ("case", "prereview", "appointment", "bill", "refund", "shipment")


def upgrade() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("seq", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("on_behalf_of", sa.Text),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("object_type", sa.Text, nullable=False),
        sa.Column("object_id", sa.Text, nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text),
        sa.Column("address", sa.Text),
        sa.Column("digest_before", sa.LargeBinary),
        sa.Column("digest_after", sa.LargeBinary),
        sa.Column("facts", postgresql.JSONB, nullable=False),
        sa.Column("xid", sa.BigInteger, server_default=sa.text("(pg_current_xact_id()::text::bigint)"), nullable=False),
        sa.Column("hash", sa.LargeBinary),
    )
    op.create_index("ix_audit_entry_object_id", "audit_entry", ["object_id"])
    op.create_index(
        "ix_audit_entry_unsealed", "audit_entry", ["seq"], postgresql_where=sa.text("hash IS NULL")
    )
    # Append-only (2.7): a row is only ever sealed, once, and never removed.
    op.execute("""
        CREATE FUNCTION audit_entry_guard() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' THEN
                RAISE EXCEPTION 'audit entries are never deleted';
            END IF;
            IF OLD.hash IS NOT NULL OR NEW.hash IS NULL
               OR (to_jsonb(NEW) - 'hash') IS DISTINCT FROM (to_jsonb(OLD) - 'hash') THEN
                RAISE EXCEPTION 'audit entries are never changed';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE ON audit_entry
        FOR EACH ROW EXECUTE FUNCTION audit_entry_guard()
    """)
    op.create_table(
        "idempotency_key",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("body", sa.LargeBinary),
    )
    op.create_index("ix_idempotency_key_created_at", "idempotency_key", ["created_at"])
    op.create_table(
        "partner_callback",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("partner", sa.Text, nullable=False),
        sa.Column("event_key", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("content_type", sa.Text, nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("arrivals", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.UniqueConstraint("partner", "event_key", name="uq_partner_callback_partner_event_key"),
    )
    op.create_index("ix_partner_callback_received_at", "partner_callback", ["received_at"])
    op.create_table(
        "calendar_day",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("is_workday", sa.Boolean, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
    )
    for kind in NUMBERS:
        op.execute(f"CREATE SEQUENCE number_{kind}_seq MINVALUE 0 MAXVALUE 999999 START 0 CYCLE")
    # procrastinate's own schema, as its installed release ships it; a newer release's steps become a migration here.
    op.get_bind().exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))


def downgrade() -> None:
    raise NotImplementedError("the first migration is not undone: drop the database instead")
