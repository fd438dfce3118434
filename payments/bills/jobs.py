"""What happens to bills later."""

from __future__ import annotations

from core import jobs
from core.db import transaction
from payments.bills import service


@jobs.every("*/5 * * * *", "bills.expire")
def expire() -> None:
    """Expire the bills whose time to pay is over (PY-6), a batch a transaction."""
    more = True
    while more:
        with transaction() as session:
            more = service.expire_due(session) > 0
