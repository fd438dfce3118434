"""What the search does for itself at night."""

from __future__ import annotations

from casework.catalogue.answers import service as answers
from casework.catalogue.search import service
from casework.catalogue.search.misses import service as misses
from core import clock, jobs
from core.db import transaction


@jobs.every("20 18 * * *", "search.tidy_up")
def tidy_up() -> None:
    """Count the terms anew, and forget old searches in vain (02:20 in Shanghai)."""
    with transaction() as session:
        service.count_terms(session)
        misses.forget(session, day=clock.today())
        answers.touch(session)
