"""When the jobs of a new message are to run (DOMAIN 3.17)."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.clock import SHANGHAI
from notifications.channels import service
from notifications.templates.queries import template

DAY = datetime(2026, 12, 1, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("hour", "code", "expected"),
    [
        (10, "CASE_ACCEPTED", {"WECHAT": 0, "SMS": 0}),
        (22, "CASE_ACCEPTED", {"WECHAT": 10 * 60, "SMS": 10 * 60}),
        (3, "CASE_ACCEPTED", {"WECHAT": 5 * 60, "SMS": 5 * 60}),
        (22, "TICKET_CALLED", {"SMS": 0}),
        (22, "DELIVERY_CODE", {"SMS": 0}),
        (22, "DELIVERY_OUT", {"WECHAT": 0, "SMS": 0}),
        (10, "BILL_EXPIRED", {"WECHAT": 0, "SMS": 10}),
        (21, "BILL_EXPIRED", {"WECHAT": 11 * 60, "SMS": 11 * 60}),
        (10, "IDENTITY_RAISED", {}),
    ],
)
def test_minutes_until_it_goes_out(session: Session, hour: int, code: str, expected: dict[str, int]) -> None:
    """Quiet hours 21:00–08:00 but for a called ticket and the door; SMS as fall-back after 10 minutes."""
    now = DAY.replace(hour=hour)
    service.queue(session, message_id=uuid4(), template=template(code), now=now)
    rows = session.execute(
        text(
            "SELECT args->>'channel' AS channel, scheduled_at FROM procrastinate_jobs"
            " WHERE task_name = 'messages.deliver'"
        )
    )
    found = {row.channel: (row.scheduled_at or now) - now for row in rows}
    assert set(found) == set(expected)
    for channel, minutes in expected.items():
        assert abs(found[channel] - timedelta(minutes=minutes)) < timedelta(seconds=1)
