"""Bills, orders, refunds, ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "fee_bill",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("payer_id", sa.Uuid, sa.ForeignKey("subject.id", name="fk_fee_bill_payer_id_subject"), nullable=False),
        sa.Column("payee", sa.Text, nullable=False),
        sa.Column("matter_type", sa.Text, nullable=False),
        sa.Column("matter_id", sa.Uuid, nullable=False),
        sa.Column("matter_name", sa.Text, nullable=False),
        sa.Column("matter_sensitive", sa.Boolean, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("total_fen", sa.BigInteger, nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True)),
        sa.Column("settled_at", sa.DateTime(timezone=True)),
        sa.Column("cancel_reason", sa.Text),
        sa.Column("pay_code_lookup", sa.LargeBinary),
        sa.Column("pay_code_until", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("number", name="uq_fee_bill_number"),
        sa.UniqueConstraint("pay_code_lookup", name="uq_fee_bill_pay_code_lookup"),
        sa.CheckConstraint(
            "state IN ('DRAFT', 'ISSUED', 'PAID', 'SETTLED', 'REFUNDING', 'REFUNDED', 'PART_REFUNDED', 'CANCELLED', 'EXPIRED')",
            name="ck_fee_bill_state_known",
        ),
        sa.CheckConstraint("total_fen >= 0", name="ck_fee_bill_total_not_negative"),
        sa.CheckConstraint(
            "(paid_at IS NOT NULL) = (state IN ('PAID', 'SETTLED', 'REFUNDING', 'REFUNDED', 'PART_REFUNDED'))",
            name="ck_fee_bill_paid_when_received",
        ),
        sa.CheckConstraint("settled_at IS NULL OR paid_at IS NOT NULL", name="ck_fee_bill_settled_after_paid"),
        sa.CheckConstraint("(pay_code_lookup IS NULL) = (pay_code_until IS NULL)", name="ck_fee_bill_pay_code_has_end"),
    )
    op.create_index("ix_fee_bill_payer_id_id", "fee_bill", ["payer_id", "id"])
    op.create_index("ix_fee_bill_matter", "fee_bill", ["matter_type", "matter_id"])
    op.create_index("ix_fee_bill_expiring", "fee_bill", ["expires_at"], postgresql_where=sa.text("state = 'ISSUED'"))
    op.create_table(
        "bill_line",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("bill_id", sa.Uuid, sa.ForeignKey("fee_bill.id", name="fk_bill_line_bill_id_fee_bill"), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("basis", sa.Text, nullable=False),
        sa.Column("standard", sa.Text, nullable=False),
        sa.Column("unit_fen", sa.BigInteger, nullable=False),
        sa.Column("quantity", sa.BigInteger, nullable=False),
        sa.Column("relief_fen", sa.BigInteger, nullable=False),
        sa.Column("relief_reason", sa.Text, nullable=False),
        sa.Column("amount_fen", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("bill_id", "position", name="uq_bill_line_bill_id_position"),
        sa.CheckConstraint("quantity > 0 AND unit_fen >= 0", name="ck_bill_line_quantity_and_price"),
        sa.CheckConstraint("relief_fen BETWEEN 0 AND unit_fen * quantity", name="ck_bill_line_relief_within_price"),
        sa.CheckConstraint("relief_fen = 0 OR relief_reason <> ''", name="ck_bill_line_relief_has_reason"),
        sa.CheckConstraint("amount_fen = unit_fen * quantity - relief_fen", name="ck_bill_line_amount_adds_up"),
    )
    op.create_table(
        "pay_order",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("bill_id", sa.Uuid, sa.ForeignKey("fee_bill.id", name="fk_pay_order_bill_id_fee_bill"), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("scene", sa.Text, nullable=False),
        sa.Column("order_no", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("amount_fen", sa.BigInteger, nullable=False),
        sa.Column("return_path", sa.Text, nullable=False),
        sa.Column("buyer", sa.LargeBinary),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("queried_at", sa.DateTime(timezone=True)),
        sa.Column("trade_no", sa.Text),
        sa.Column("platform_paid_at", sa.DateTime(timezone=True)),
        sa.Column("surplus", sa.Text),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("bill_id", "attempt", name="uq_pay_order_bill_id_attempt"),
        sa.UniqueConstraint("order_no", name="uq_pay_order_order_no"),
        sa.UniqueConstraint("trade_no", name="uq_pay_order_trade_no"),
        sa.CheckConstraint(
            "state IN ('CREATED', 'PAYING', 'SUCCEEDED', 'FAILED', 'CLOSED')", name="ck_pay_order_state_known"
        ),
        sa.CheckConstraint("scene IN ('APP', 'H5', 'MINI')", name="ck_pay_order_scene_known"),
        sa.CheckConstraint("channel = 'ALIPAY'", name="ck_pay_order_channel_known"),
        sa.CheckConstraint("amount_fen > 0", name="ck_pay_order_amount_positive"),
        sa.CheckConstraint(
            "surplus IN ('DUPLICATE', 'LATE', 'CANCELLED', 'CLOSED')", name="ck_pay_order_surplus_known"
        ),
        sa.CheckConstraint("surplus IS NULL OR state IN ('CLOSED', 'FAILED')", name="ck_pay_order_surplus_pays_nothing"),
        sa.CheckConstraint(
            "(state = 'SUCCEEDED' OR surplus IS NOT NULL) = (platform_paid_at IS NOT NULL)",
            name="ck_pay_order_received_when_paid",
        ),
    )
    op.create_index(
        "uq_pay_order_one_live",
        "pay_order",
        ["bill_id", "state"],
        unique=True,
        postgresql_where=sa.text("state IN ('CREATED', 'PAYING', 'SUCCEEDED')"),
    )
    op.create_table(
        "refund",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("bill_id", sa.Uuid, sa.ForeignKey("fee_bill.id", name="fk_refund_bill_id_fee_bill"), nullable=False),
        sa.Column("order_id", sa.Uuid, sa.ForeignKey("pay_order.id", name="fk_refund_order_id_pay_order"), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("amount_fen", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("needs_approval", sa.Boolean, nullable=False),
        sa.Column("approval_due", sa.Date),
        sa.Column("requested_by", sa.Text, nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.Text),
        sa.Column("reject_reason", sa.Text, nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.Column("refunded_at", sa.DateTime(timezone=True)),
        sa.Column("failure_code", sa.Text),
        sa.UniqueConstraint("number", name="uq_refund_number"),
        sa.CheckConstraint(
            "state IN ('REFUND_APPLIED', 'FINANCE_APPROVED', 'REFUND_SENT', 'REFUNDED', 'REFUND_FAILED', 'REFUND_REJECTED')",
            name="ck_refund_state_known",
        ),
        sa.CheckConstraint("amount_fen > 0", name="ck_refund_amount_positive"),
        sa.CheckConstraint("reason <> ''", name="ck_refund_reason_given"),
        sa.CheckConstraint("state <> 'REFUND_REJECTED' OR reject_reason <> ''", name="ck_refund_rejection_has_reason"),
        sa.CheckConstraint("(state = 'REFUNDED') = (refunded_at IS NOT NULL)", name="ck_refund_refunded_has_time"),
    )
    op.create_index("ix_refund_bill_id", "refund", ["bill_id"])
    op.create_index("ix_refund_order_id", "refund", ["order_id"])
    op.create_index("ix_refund_sent", "refund", ["sent_at"], postgresql_where=sa.text("state = 'REFUND_SENT'"))
    op.create_table(
        "ledger_posting",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("source_id", sa.Uuid, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("kind", "source_id", name="uq_ledger_posting_kind_source_id"),
        sa.CheckConstraint("kind IN ('PAYMENT', 'REFUND')", name="ck_ledger_posting_kind_known"),
    )
    op.create_table(
        "ledger_entry",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column(
            "posting_id",
            sa.Uuid,
            sa.ForeignKey("ledger_posting.id", name="fk_ledger_entry_posting_id_ledger_posting"),
            nullable=False,
        ),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("amount_fen", sa.BigInteger, nullable=False),
        sa.CheckConstraint("amount_fen <> 0", name="ck_ledger_entry_amount_not_zero"),
    )
    op.create_index("ix_ledger_entry_posting_id", "ledger_entry", ["posting_id"])
    op.create_index("ix_ledger_entry_account", "ledger_entry", ["account"])

    # PY-11: whatever the code does, no more goes back than came. The order's row is locked, so two can't pass at once.
    op.execute("""
        CREATE FUNCTION refund_within_paid() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            received bigint;
            given bigint;
        BEGIN
            SELECT CASE WHEN platform_paid_at IS NULL THEN 0 ELSE amount_fen END INTO received
            FROM pay_order WHERE id = NEW.order_id FOR UPDATE;
            SELECT coalesce(sum(amount_fen), 0) INTO given
            FROM refund
            WHERE order_id = NEW.order_id AND id <> NEW.id AND state NOT IN ('REFUND_FAILED', 'REFUND_REJECTED');
            IF NEW.state NOT IN ('REFUND_FAILED', 'REFUND_REJECTED') THEN
                given := given + NEW.amount_fen;
            END IF;
            IF given > received THEN
                RAISE EXCEPTION 'refunds exceed what was paid'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_refund_within_paid';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER refund_within_paid BEFORE INSERT OR UPDATE ON refund
        FOR EACH ROW EXECUTE FUNCTION refund_within_paid()
    """)
    # The ledger balances and is append-only.
    op.execute("""
        CREATE FUNCTION ledger_balances() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            posting uuid;
        BEGIN
            IF TG_TABLE_NAME = 'ledger_posting' THEN posting := NEW.id; ELSE posting := NEW.posting_id; END IF;
            IF (SELECT count(*) < 2 OR sum(amount_fen) <> 0 FROM ledger_entry WHERE posting_id = posting) THEN
                RAISE EXCEPTION 'a posting must have two sides and sum to zero'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_ledger_balances';
            END IF;
            RETURN NULL;
        END $$
    """)
    op.execute("""
        CREATE FUNCTION ledger_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'the ledger is never changed' USING ERRCODE = 'check_violation';
        END $$
    """)
    for table in ("ledger_posting", "ledger_entry"):
        op.execute(f"""
            CREATE CONSTRAINT TRIGGER {table}_balances AFTER INSERT ON {table}
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_balances()
        """)
        op.execute(f"""
            CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION ledger_append_only()
        """)


def downgrade() -> None:
    for table in ("ledger_entry", "ledger_posting", "refund", "pay_order", "bill_line", "fee_bill"):
        op.drop_table(table)
    for function in ("ledger_append_only", "ledger_balances", "refund_within_paid"):
        op.execute(f"DROP FUNCTION {function}()")
