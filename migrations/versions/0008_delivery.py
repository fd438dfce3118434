"""Shipments and their events."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

STATES = (
    "REQUESTED", "CONFIRMED", "ORDERED", "HANDED_OVER", "IN_TRANSIT", "OUT_FOR_DELIVERY", "IDENTITY_CHECK", "DELIVERED",
    "FAILED_ATTEMPT", "HELD_AT_STATION", "SIGNED_UNVERIFIED", "RETURNING", "RETURNED", "LOST", "DAMAGED", "CANCELLED",
)  # fmt: skip
EMPTY_LIST = sa.text("'[]'::jsonb")


def upgrade() -> None:
    known = ", ".join(f"'{state}'" for state in STATES)
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "shipment",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("number", sa.Text, nullable=False, unique=True),
        sa.Column("case_id", sa.Uuid, sa.ForeignKey("service_case.id"), nullable=False),
        sa.Column("owner_id", sa.Uuid, sa.ForeignKey("subject.id"), nullable=False),
        sa.Column("hall_id", sa.Uuid, sa.ForeignKey("hall.id"), nullable=False),
        sa.Column("matter_name", sa.Text, nullable=False),
        sa.Column("sensitive", sa.Boolean, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("receiver_name", sa.LargeBinary, nullable=False),
        sa.Column("receiver_phone", sa.LargeBinary, nullable=False),
        sa.Column("region_code", sa.Text, nullable=False),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("address_street", sa.LargeBinary, nullable=False),
        sa.Column("address_detail", sa.LargeBinary, nullable=False),
        sa.Column("requested_at", moment, nullable=False),
        sa.Column("pack_list", postgresql.JSONB, nullable=False, server_default=EMPTY_LIST),
        sa.Column("packed_by", sa.Uuid),
        sa.Column("sealed_by", sa.Uuid),
        sa.Column("carrier", sa.Text),
        sa.Column("carrier_order_id", sa.Text),
        sa.Column("carrier_task_id", sa.Text),
        sa.Column("waybill", sa.Text),
        sa.Column("callback_salt", sa.LargeBinary, nullable=False),
        sa.Column("order_asked_at", moment),
        sa.Column("ordered_at", moment),
        sa.Column("handed_over_at", moment),
        sa.Column("last_report_at", moment),
        sa.Column("code_hash", sa.LargeBinary),
        sa.Column("code_expires_at", moment),
        sa.Column("code_tries", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("codes_sent", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("identity_ok_at", moment),
        sa.Column("delivered_at", moment),
        sa.Column("ended_at", moment),
        sa.Column("address_forgotten", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("flags", postgresql.JSONB, nullable=False, server_default=EMPTY_LIST),
        sa.CheckConstraint(f"state IN ({known})", name="state_known"),
        sa.CheckConstraint("sealed_by IS NULL OR sealed_by <> packed_by", name="two_people"),
        sa.CheckConstraint("(state = 'DELIVERED') <= (delivered_at IS NOT NULL)", name="delivered_has_time"),
    )
    op.create_index("ix_shipment_owner_id", "shipment", ["owner_id"])
    op.create_index("ix_shipment_waybill", "shipment", ["waybill"])
    op.create_index("ix_shipment_hall_state", "shipment", ["hall_id", "state"])
    op.create_index(
        "uq_shipment_live", "shipment", ["case_id"], unique=True,
        postgresql_where=sa.text("state NOT IN ('CANCELLED', 'DAMAGED', 'LOST', 'RETURNED')"),
    )  # fmt: skip
    op.create_index(
        "ix_shipment_address_kept", "shipment", ["ended_at"], postgresql_where=sa.text("NOT address_forgotten")
    )
    op.create_index(
        "ix_shipment_quiet", "shipment", ["last_report_at"],
        postgresql_where=sa.text("waybill IS NOT NULL AND delivered_at IS NULL"),
    )  # fmt: skip
    op.create_table(
        "shipment_event",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("shipment_id", sa.Uuid, sa.ForeignKey("shipment.id"), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("place_hash", sa.LargeBinary, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.UniqueConstraint("shipment_id", "at", "code", "place_hash"),
    )
    op.create_table(
        "shipment_history",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("shipment_id", sa.Uuid, sa.ForeignKey("shipment.id"), nullable=False),
        sa.Column("from_state", sa.Text),
        sa.Column("to_state", sa.Text, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_index("ix_shipment_history_shipment_id", "shipment_history", ["shipment_id"])
    op.execute("""
        CREATE TRIGGER shipment_history_append_only BEFORE UPDATE OR DELETE ON shipment_history
        FOR EACH ROW EXECUTE FUNCTION refuse_change()
    """)


def downgrade() -> None:
    for table in ("shipment_history", "shipment_event", "shipment"):
        op.drop_table(table)
