"""Sending one-time codes, on a queue of their own so that nothing delays them."""

from __future__ import annotations

import procrastinate

from auth.factors import service
from core import jobs

# A code is good for five minutes: half a minute of tries, then the person asks for another.
RETRY = procrastinate.RetryStrategy(max_attempts=5, exponential_wait=2)


@jobs.task(service.SEND, queue="otp", retry=RETRY)
def send_code(delivery_id: str) -> None:
    """Send the code that waits under `delivery_id`, if it is still good."""
    service.deliver_code(delivery_id)
