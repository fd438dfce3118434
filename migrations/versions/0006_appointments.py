"""Slots, appointments, tickets."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
STATES = (
    "HELD", "BOOKED", "CANCELLED", "LATE_CANCEL", "HALL_CANCELLED", "CHECKED_IN", "SERVING", "FINISHED", "NO_SHOW",
)  # fmt: skip
COMES = ("SELF", "AGENT", "GUARDIAN")
CLOSINGS = ("CITIZEN", "FREE_CHANGE", "CHANGE", "HALL", "MERGED")
LIVE = "state IN ('BOOKED', 'CHECKED_IN', 'HELD', 'SERVING')"
TICKET_STATES = ("WAITING", "CALLED", "SERVING", "FINISHED", "PASSED", "VOID")
LANES = ("BOOKED", "PRIORITY", "WALK_IN")
PRIORITIES = ("ELDER", "DISABLED", "PREGNANT", "SOLDIER")
RESULTS = ("ACCEPTED", "NOTICE", "ADVICE", "LEFT", "UNRECORDED")


def upgrade() -> None:
    _slots()
    _appointments()
    _queue()


def downgrade() -> None:
    for table in (
        "ticket_call", "ticket", "hall_queue", "appointment_party", "appointment", "slot", "slot_day", "slot_plan",
        "booking_policy",
    ):  # fmt: skip
        op.drop_table(table)


def _known(table: str, column: str, values: tuple[str, ...], name: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_{table}_{name}"))


def _check(table: str, condition: str, name: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _to(table: str, column: str, target: str, **options: str) -> sa.ForeignKeyConstraint:
    target_table = target.split(".")[0]
    return sa.ForeignKeyConstraint([column], [target], name=f"fk_{table}_{column}_{target_table}", **options)


def _slots() -> None:
    op.create_table(
        "booking_policy",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("hall_id", sa.Uuid),
        sa.Column("overrides", postgresql.JSONB, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        _to("booking_policy", "hall_id", "hall.id"),
        sa.UniqueConstraint("hall_id", name="uq_booking_policy_hall_id", postgresql_nulls_not_distinct=True),
    )
    op.create_table(
        "slot_plan",
        sa.Column("hall_id", sa.Uuid, primary_key=True),
        sa.Column("zone_code", sa.Text, primary_key=True),
        sa.Column("weekday", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("periods", postgresql.JSONB),
        sa.Column("windows", sa.Integer),
        sa.Column("slot_minutes", sa.Integer),
        sa.Column("booking_percent", sa.Integer),
        _to("slot_plan", "hall_id", "hall.id"),
        _to("slot_plan", "zone_code", "zone.code"),
        _check("slot_plan", "weekday BETWEEN 1 AND 7", "weekday_known"),
        _check("slot_plan", "windows >= 0", "windows_not_negative"),
        _check("slot_plan", "slot_minutes BETWEEN 5 AND 240", "slot_minutes_sane"),
        _check("slot_plan", "booking_percent BETWEEN 0 AND 100", "booking_percent_is_a_share"),
    )
    op.create_table(
        "slot_day",
        sa.Column("hall_id", sa.Uuid, primary_key=True),
        sa.Column("zone_code", sa.Text, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("cause", sa.Text),
        sa.Column("note", sa.Text, server_default="", nullable=False),
        _to("slot_day", "hall_id", "hall.id"),
        _to("slot_day", "zone_code", "zone.code"),
    )
    op.create_table(
        "slot",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("hall_id", sa.Uuid, nullable=False),
        sa.Column("zone_code", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("planned_minutes", sa.Integer, nullable=False),
        sa.Column("capacity_minutes", sa.Integer, nullable=False),
        sa.Column("physical_minutes", sa.Integer, nullable=False),
        sa.Column("used_minutes", sa.Integer, server_default=sa.text("0"), nullable=False),
        sa.Column("reserved_minutes", sa.Integer, nullable=False),
        sa.Column("entitled_minutes", sa.Integer, server_default=sa.text("0"), nullable=False),
        sa.Column("reserved_until", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["hall_id", "zone_code", "day"],
            ["slot_day.hall_id", "slot_day.zone_code", "slot_day.day"],
            name="fk_slot_day",
        ),
        sa.UniqueConstraint("hall_id", "zone_code", "starts_at", name="uq_slot_hall_id_zone_code_starts_at"),
        _check("slot", "used_minutes <= capacity_minutes", "never_oversold"),
        _check("slot", "used_minutes >= 0 AND entitled_minutes >= 0", "counters_not_negative"),
        _check("slot", "entitled_minutes <= used_minutes", "entitled_within_used"),
        _check("slot", "planned_minutes <= capacity_minutes", "planned_within_capacity"),
        _check("slot", "starts_at < ends_at", "starts_before_it_ends"),
    )
    op.create_index("ix_slot_hall_id_zone_code_day", "slot", ["hall_id", "zone_code", "day"])


def _appointments() -> None:
    op.create_table(
        "appointment",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("owner_id", sa.Uuid, nullable=False),
        sa.Column("acting_id", sa.Uuid, nullable=False),
        sa.Column("comes", sa.Text, nullable=False),
        sa.Column("item_id", sa.Text, nullable=False),
        sa.Column("item_name", sa.Text, nullable=False),
        sa.Column("sensitive", sa.Boolean, nullable=False),
        sa.Column("version_id", sa.Uuid, nullable=False),
        sa.Column("hall_id", sa.Uuid, nullable=False),
        sa.Column("hall_name", sa.Text, nullable=False),
        sa.Column("zone_code", sa.Text, nullable=False),
        sa.Column("slot_id", sa.Uuid, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.Column("entitled", sa.Boolean, nullable=False),
        sa.Column("prereview_id", sa.Uuid),
        sa.Column("answers", postgresql.JSONB, nullable=False),
        sa.Column("papers", postgresql.JSONB, nullable=False),
        sa.Column("needs", postgresql.JSONB, nullable=False),
        sa.Column("language", sa.Text),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("phone_lookup", sa.LargeBinary),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("hold_until", MOMENT),
        sa.Column("changes", sa.Integer, nullable=False),
        sa.Column("replaced_by_id", sa.Uuid),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("booked_at", MOMENT),
        sa.Column("arrived_at", MOMENT),
        sa.Column("closed_at", MOMENT),
        sa.Column("closing", sa.Text),
        sa.Column("close_note", sa.Text, server_default="", nullable=False),
        sa.Column("result", sa.Text),
        sa.Column("evening_reminded_at", MOMENT),
        sa.Column("soon_reminded_at", MOMENT),
        _to("appointment", "owner_id", "subject.id"),
        _to("appointment", "acting_id", "subject.id"),
        _to("appointment", "version_id", "item_version.id"),
        _to("appointment", "hall_id", "hall.id"),
        _to("appointment", "slot_id", "slot.id"),
        _to("appointment", "prereview_id", "prereview.id"),
        _to("appointment", "replaced_by_id", "appointment.id"),
        sa.UniqueConstraint("number", name="uq_appointment_number"),
        _known("appointment", "state", STATES, "state_known"),
        _known("appointment", "comes", COMES, "comes_known"),
        _known("appointment", "closing", CLOSINGS, "closing_known"),
        _check("appointment", "(state = 'HELD') = (hold_until IS NOT NULL)", "only_holds_run_out"),
        _check("appointment", "(state = 'HELD') = (booked_at IS NULL)", "booked_has_a_time"),
        _check("appointment", "minutes > 0", "takes_time"),
        _check("appointment", "starts_at < ends_at", "starts_before_it_ends"),
    )
    for name, columns, unique, where in (
        ("uq_appointment_live_item", ["owner_id", "item_id"], True, LIVE),
        ("uq_appointment_hold", ["owner_id"], True, "state = 'HELD'"),
        ("ix_appointment_phone_lookup", ["phone_lookup"], False, LIVE),
        ("ix_appointment_slot_id_live", ["slot_id"], False, LIVE),
        ("ix_appointment_hold_until", ["hold_until"], False, "state = 'HELD'"),
        ("ix_appointment_booked_starts_at", ["starts_at"], False, "state = 'BOOKED'"),
    ):
        op.create_index(name, "appointment", columns, unique=unique, postgresql_where=sa.text(where))
    op.create_index("ix_appointment_hall_id_day", "appointment", ["hall_id", "day"])
    op.create_index("ix_appointment_owner_id", "appointment", ["owner_id"])
    op.create_index("ix_appointment_acting_id", "appointment", ["acting_id"])
    op.create_table(
        "appointment_party",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("appointment_id", sa.Uuid, nullable=False),
        sa.Column("subject_id", sa.Uuid),
        sa.Column("name", sa.LargeBinary, nullable=False),
        sa.Column("document_type", sa.Text),
        sa.Column("document", sa.LargeBinary),
        sa.Column("document_lookup", sa.LargeBinary),
        sa.Column("arrived_at", MOMENT),
        _to("appointment_party", "appointment_id", "appointment.id", ondelete="CASCADE"),
        _to("appointment_party", "subject_id", "subject.id"),
    )
    for column in ("appointment_id", "document_lookup", "subject_id"):
        op.create_index(f"ix_appointment_party_{column}", "appointment_party", [column])


def _queue() -> None:
    op.create_table(
        "hall_queue",
        sa.Column("hall_id", sa.Uuid, primary_key=True),
        sa.Column("zone_code", sa.Text, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("calls_made", sa.Integer, server_default=sa.text("0"), nullable=False),
        sa.Column("booked_in_a_row", sa.Integer, server_default=sa.text("0"), nullable=False),
        sa.Column("last_booked", sa.Integer, server_default=sa.text("0"), nullable=False),
        sa.Column("last_other", sa.Integer, server_default=sa.text("0"), nullable=False),
        _to("hall_queue", "hall_id", "hall.id"),
        _to("hall_queue", "zone_code", "zone.code"),
    )
    op.create_table(
        "ticket",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("hall_id", sa.Uuid, nullable=False),
        sa.Column("zone_code", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("lane", sa.Text, nullable=False),
        sa.Column("priority", sa.Text),
        sa.Column("appointment_id", sa.Uuid),
        sa.Column("item_id", sa.Text),
        sa.Column("prereviewed", sa.Boolean, nullable=False),
        sa.Column("missing", sa.Integer, nullable=False),
        sa.Column("queue_at", MOMENT, nullable=False),
        sa.Column("returns_after", sa.Integer),
        sa.Column("calls", sa.Integer, nullable=False),
        sa.Column("passes", sa.Integer, nullable=False),
        sa.Column("window_code", sa.Text),
        sa.Column("window_name", sa.Text),
        sa.Column("issued_at", MOMENT, nullable=False),
        sa.Column("called_at", MOMENT),
        sa.Column("passed_at", MOMENT),
        sa.Column("served_at", MOMENT),
        sa.Column("ended_at", MOMENT),
        sa.Column("result", sa.Text),
        sa.Column("wasted_trip", sa.Boolean, nullable=False),
        _to("ticket", "hall_id", "hall.id"),
        _to("ticket", "zone_code", "zone.code"),
        _to("ticket", "appointment_id", "appointment.id"),
        sa.UniqueConstraint("hall_id", "day", "number", name="uq_ticket_hall_id_day_number"),
        sa.UniqueConstraint("appointment_id", name="uq_ticket_appointment_id"),
        _known("ticket", "state", TICKET_STATES, "state_known"),
        _known("ticket", "lane", LANES, "lane_known"),
        _known("ticket", "priority", PRIORITIES, "priority_known"),
        _known("ticket", "result", RESULTS, "result_known"),
        _check("ticket", "missing >= 0 AND calls >= 0 AND passes >= 0", "counts_not_negative"),
        _check("ticket", "(state = 'FINISHED') = (result IS NOT NULL)", "finished_has_a_result"),
        _check("ticket", "(lane = 'PRIORITY') = (priority IS NOT NULL)", "priority_has_a_reason"),
    )
    op.create_index(
        "uq_ticket_at_window",
        "ticket",
        ["hall_id", "day", "window_code"],
        unique=True,
        postgresql_where=sa.text("state IN ('CALLED', 'SERVING')"),
    )
    op.create_index("ix_ticket_hall_id_zone_code_day", "ticket", ["hall_id", "zone_code", "day"])
    op.create_index("ix_ticket_passed_at", "ticket", ["passed_at"], postgresql_where=sa.text("state = 'PASSED'"))
    op.create_table(
        "ticket_call",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("ticket_id", sa.Uuid, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("window_code", sa.Text, nullable=False),
        sa.Column("staff_id", sa.Uuid, nullable=False),
        _to("ticket_call", "ticket_id", "ticket.id"),
    )
    op.create_index("ix_ticket_call_ticket_id", "ticket_call", ["ticket_id"])
