"""Messages about changed items, batch by batch. May run twice: nobody is told the same twice."""

from __future__ import annotations

from uuid import UUID

from casework.itemchanges import service
from casework.itemchanges.service import What
from core import jobs
from core.db import transaction


@jobs.task("itemchanges.tell", queue="bulk")
def tell(version_id: str, what: str) -> None:
    """Tell everybody whose open matter the version concerns; each batch is a transaction of its own."""
    after: tuple[str, UUID | None] = ("prereview", None)
    while True:
        with transaction() as session:
            matters = service.concerned(session, UUID(version_id), What(what), after)
            if not matters:
                return
            service.tell(session, version_id=UUID(version_id), what=What(what), matters=matters)
        after = (matters[-1][0], matters[-1][1])
