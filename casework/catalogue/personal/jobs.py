"""What is counted at night."""

from __future__ import annotations

from casework.catalogue.answers import service as answers
from casework.catalogue.personal import queries, service
from casework.catalogue.search import service as search
from core import jobs
from core.db import transaction

COUNTED_DAYS = 30


@jobs.every("50 18 * * *", "catalogue.count_uses")
def count_uses() -> None:
    """Say how many people looked at each item in the last 30 days, and forget what is older than it serves."""
    with transaction() as session:
        service.forget_old(session)
        search.record_uses(session, queries.people_by_item(session, days=COUNTED_DAYS))
        answers.touch(session)
