"""Reading the source's list of signals every minute (ID-12)."""

from __future__ import annotations

import logging

from auth.identity.ports import IdentitySignals
from auth.identity.signals import service
from core import jobs, ports
from core.db import transaction
from core.ports import PartnerUnavailable

# A page is some hundreds of signals: after this many the next minute goes on.
_MOST_PAGES = 50


log = logging.getLogger("identity.signals")


@jobs.every("* * * * *", "identity.pull_signals", queue="partners")
def pull_signals() -> None:
    """Read on; while the source is away, the next minute tries again from the same place."""
    try:
        read_on()
    except PartnerUnavailable:
        log.warning("the list of signals can't be read")


def read_on() -> None:
    """Read what the source has told since the last time, a page a transaction. Raises `PartnerUnavailable`."""
    for _ in range(_MOST_PAGES):
        with transaction() as session:
            read_from = service.cursor(session)
        page = ports.get(IdentitySignals).since(read_from)
        if not page.signals:
            return
        with transaction() as session:
            service.receive(session, read_from=read_from, page=page)
        if not page.more:
            return
