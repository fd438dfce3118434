"""Why subjects are frozen is one of four words; bookings that a death ended (ID-12)."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE subject_freeze SET reason = 'DEATH' WHERE reason = 'DECEASED'")
    _check("subject_freeze", "reason_known", "reason IN ('DEATH', 'INCAPACITY', 'CANCELLED', 'FRAUD')")
    op.execute("ALTER TABLE appointment DROP CONSTRAINT ck_appointment_closing_known")
    closings = "closing IN ('CITIZEN', 'FREE_CHANGE', 'CHANGE', 'HALL', 'MERGED', 'DEATH')"
    _check("appointment", "closing_known", closings)


def _check(table: str, name: str, condition: str) -> None:
    """Reading the rows afterwards stops nobody from writing."""
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_{name} CHECK ({condition}) NOT VALID")
    op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT ck_{table}_{name}")
