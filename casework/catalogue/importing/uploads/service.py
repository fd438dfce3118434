"""Taking in a file, working on it, forgetting it."""

from __future__ import annotations

import io
import logging
from datetime import datetime, timedelta
from typing import Any, BinaryIO
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from casework.catalogue.errors import ImportRunning
from casework.catalogue.importing.files import service as files
from casework.catalogue.importing.service import Beside
from casework.catalogue.importing.uploads.models import CatalogueImport, ImportState
from core import audit, clock, ids, jobs
from core.actors import Staff
from core.db import transaction
from core.errors import InvalidInput, NotFound

MOST_BYTES = 10 * 1024 * 1024
KEPT = timedelta(days=90)
"""How long what became of a file can be looked up [D]."""
_FAULTS = 500
_OPEN = (ImportState.QUEUED, ImportState.RUNNING)

log = logging.getLogger("catalogue")


def take_in(session: Session, *, actor: Staff, stream: BinaryIO, filename: str) -> CatalogueImport:
    """Keep a file and have a job work on it. Raises `InvalidInput` (empty, too large) and `NotFound` (no department)."""
    if actor.department_id is None:
        raise NotFound()
    content = stream.read(MOST_BYTES + 1)
    if not 0 < len(content) <= MOST_BYTES:
        raise InvalidInput(fields={"file": ["文件不能为空，且不超过10MB / the file is empty, or larger than 10 MB"]})
    sent = CatalogueImport(
        id=ids.uuid7(),
        staff_id=actor.staff_id,
        session_id=actor.session_id,
        department_id=actor.department_id,
        filename=filename[:200],
        content=content,
        state=ImportState.QUEUED,
        step="",
        done=0,
        total=0,
        items=0,
        changed=0,
        fault_count=0,
        faults=[],
        created_at=clock.now(),
        finished_at=None,
    )
    session.add(sent)
    session.flush()
    audit.record(
        session, actor=actor, action="catalogue.upload", object_type="catalogue_import", object_id=sent.id,
        size=len(content),
    )  # fmt: skip
    jobs.defer(session, "catalogue.draft_upload", import_id=str(sent.id))
    return sent


def work_on(import_id: UUID, beside: Beside) -> None:
    """Draft what a file says, all of it or nothing. May run twice. Raises `ImportRunning`: try again later."""
    with transaction() as session:
        sent = session.get(CatalogueImport, import_id, with_for_update=True)
        if sent is None or sent.state not in _OPEN or sent.content is None:
            return
        sent.state = ImportState.RUNNING
        content = sent.content
        actor = Staff(sent.staff_id, sent.session_id, frozenset(), None, sent.department_id)
    try:
        _draft(import_id, content, actor, beside)
    except ImportRunning:
        raise
    except Exception:
        log.exception("catalogue.upload_failed", extra={"import_id": str(import_id)})
        with transaction() as session:
            _finish(session, import_id, ImportState.FAILED)


def _draft(import_id: UUID, content: bytes, actor: Staff, beside: Beside) -> None:
    def progress(step: str, done: int, total: int) -> None:
        # In a transaction of its own: it is seen while the drafts are still being written.
        with transaction() as session:
            _set(session, import_id, step=step, done=done, total=total)

    with transaction() as session:
        report = files.draft_file(
            session, io.BytesIO(content), beside, actor=actor, today=clock.today(), progress=progress
        )
        _finish(
            session,
            import_id,
            ImportState.FAULTY if report.faults else ImportState.DONE,
            items=report.items,
            changed=report.changed,
            fault_count=len(report.faults),
            faults=files.told(report.faults, _FAULTS),
        )


def _finish(session: Session, import_id: UUID, state: ImportState, **values: Any) -> None:
    _set(session, import_id, state=state, content=None, finished_at=clock.now(), **values)


def _set(session: Session, import_id: UUID, **values: Any) -> None:
    session.execute(
        update(CatalogueImport)
        .where(CatalogueImport.id == import_id, CatalogueImport.state.in_(_OPEN))
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def forget(session: Session, now: datetime) -> None:
    """Forget files that were worked on long ago."""
    session.execute(delete(CatalogueImport).where(CatalogueImport.finished_at < now - KEPT))
