"""Asking for a copy, gathering it, opening it, forgetting it. The session is given; nothing here commits."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, undefer

from auth.accounts.events import AccountClosed, SubjectsMerged
from auth.personal_data.exports import rules
from auth.personal_data.exports.events import ExportReady
from auth.personal_data.exports.models import DataExport
from auth.personal_data.exports.rules import Part, State
from auth.personal_data.ports import Sources
from core import audit, clock, events, ids, jobs, ports, security
from core.actors import Citizen, System
from core.errors import NotFound
from core.limits import hit

BUILD = "personal_data.build_export"

_LINK = "data-export"
_BUILDER = System("data-export")
_BATCH = 200


@dataclass(frozen=True, slots=True)
class Link:
    """Where the zip can be opened, by anybody who has the token, until it expires."""

    export_id: UUID
    token: str
    expires_at: datetime


def request(session: Session, *, actor: Citizen) -> DataExport:
    """Ask for a copy; one that is being made is the answer to a second request. Raises `RateLimited` (3 a day)."""
    waiting = select(DataExport).where(DataExport.subject_id == actor.subject_id, DataExport.state == State.QUEUED)
    known = session.scalars(waiting).first()
    if known is not None:
        return known
    now = clock.now()
    made = session.scalar(
        insert(DataExport)
        .values(
            id=ids.uuid7(),
            subject_id=actor.subject_id,
            state=State.QUEUED,
            requested_at=now,
            expires_at=now + rules.POLICY.kept_for,
            downloads=0,
        )
        .on_conflict_do_nothing(index_elements=["subject_id"], index_where=DataExport.state == State.QUEUED)
        .returning(DataExport.id)
    )
    if made is None:
        return session.scalars(waiting).one()
    hit(rules.ASKED_A_DAY, str(actor.subject_id))
    audit.record(session, actor=actor, action="data_export.request", object_type="data_export", object_id=made)
    jobs.defer(session, BUILD, export_id=str(made))
    return session.get_one(DataExport, made)


def build(session: Session, export_id: UUID) -> None:
    """Gather what every feature knows of the person, in this transaction's sight; again changes nothing."""
    export = session.scalar(
        select(DataExport).where(DataExport.id == export_id, DataExport.state == State.QUEUED).with_for_update()
    )
    if export is None:
        return
    now = clock.now()
    parts = [
        Part(source.name, source.title, source.export(session, export.subject_id)) for source in ports.get(Sources).all
    ]
    packed = rules.pack(parts, now)
    rules.check_move(State(export.state), State.READY)
    export.content, export.size = base64.b64encode(packed).decode(), len(packed)
    export.state, export.ready_at, export.expires_at = State.READY, now, now + rules.POLICY.kept_for
    audit.record(
        session,
        actor=_BUILDER,
        action="data_export.build",
        object_type="data_export",
        object_id=export.id,
        bytes=len(packed),
    )
    events.publish(session, ExportReady(export.subject_id, export.id, export.expires_at))


def link(session: Session, *, actor: Citizen, export_id: UUID) -> Link:
    """A signed link to one's own copy, good for five minutes [D]. Raises `NotFound` for one that isn't there (any more)."""
    now = clock.now()
    export = session.scalar(
        select(DataExport).where(
            DataExport.id == export_id, DataExport.subject_id == actor.subject_id, DataExport.state == State.READY
        )
    )
    if export is None or export.expires_at <= now:
        raise NotFound()
    until = min(now + rules.POLICY.link_lifetime, export.expires_at).replace(microsecond=0)
    audit.record(session, actor=actor, action="data_export.link", object_type="data_export", object_id=export.id)
    return Link(export.id, security.sign_link(_LINK, str(export.id), until), until)


def open_link(session: Session, *, export_id: UUID, token: str) -> bytes:
    """The zip of a signed link. Raises `NotFound` for a forged or expired one, and for a copy whose day is over."""
    now = clock.now()
    if not security.check_link(_LINK, str(export_id), token, now):
        raise NotFound()
    export = session.scalar(
        select(DataExport)
        .where(DataExport.id == export_id, DataExport.state == State.READY)
        .options(undefer(DataExport.content))
        .with_for_update()
    )
    if export is None or export.content is None or export.expires_at <= now:
        raise NotFound()
    export.downloads += 1
    audit.record(
        session,
        actor=System("signed-link"),
        action="data_export.download",
        object_type="data_export",
        object_id=export.id,
        times=export.downloads,
    )
    return base64.b64decode(export.content)


def forget_old(session: Session, now: datetime) -> int:
    """Forget a batch of copies whose day is over; how many."""
    old = session.scalars(
        select(DataExport)
        .where(DataExport.expires_at <= now, DataExport.state != State.FORGOTTEN)
        .order_by(DataExport.expires_at)
        .limit(_BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    for export in old:
        rules.check_move(State(export.state), State.FORGOTTEN)
        export.state, export.content = State.FORGOTTEN, None
    return len(old)


def on_account_closed(session: Session, event: AccountClosed) -> None:
    """The person's copies are gone at once."""
    session.execute(
        update(DataExport)
        .where(DataExport.subject_id == event.subject_id, DataExport.state != State.FORGOTTEN)
        .values(state=State.FORGOTTEN, content=None)
    )


def move_owner(session: Session, event: SubjectsMerged) -> None:
    """What the absorbed subject had asked for is forgotten: it isn't all there is to know of the person now."""
    session.execute(
        update(DataExport)
        .where(DataExport.subject_id == event.absorbed)
        .values(subject_id=event.kept, state=State.FORGOTTEN, content=None)
    )
