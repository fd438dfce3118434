"""When bundles are made."""

from __future__ import annotations

from casework.catalogue.bundle import rules, service
from core import jobs
from core.db import transaction


@jobs.every(rules.FOLLOW, "catalogue_bundle.follow")
def follow() -> None:
    """Make a bundle if the catalogue isn't what the newest one says: something was published, or a day began."""
    with transaction() as session:
        service.build(session)


@jobs.task(service.BUILD, queue="bulk", retry=jobs.NO_RETRY)
def build() -> None:
    """Make the first bundle: somebody asked for one."""
    with transaction() as session:
        service.build(session)
