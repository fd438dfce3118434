"""Announcing new devices, and disowning a sign-in. The session is given; nothing here commits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from auth.accounts.events import SubjectsMerged
from auth.sessions import queries as session_queries
from auth.sessions import service as sessions
from auth.sessions.devices import queries, rules
from auth.sessions.devices.errors import RebindingFrozen
from auth.sessions.devices.models import SignInReport
from auth.sessions.events import SignInDisowned
from auth.sessions.models import LoginEvent
from auth.sessions.rules import EndReason
from core import audit, clock, events
from core.actors import Citizen, Staff
from core.errors import NotFound, StateConflict


@dataclass(frozen=True, slots=True)
class Disowned:
    """What followed: devices signed out, this one included, and until when nothing can be re-bound."""

    report_id: UUID
    sessions_ended: int
    rebinding_frozen_until: datetime


def disown(session: Session, *, actor: Citizen, login_event_id: UUID) -> Disowned:
    """Somebody says "这不是我": every device is signed out, re-binding waits, the person is told, and security looks into it.

    A second time for the same line changes nothing. Raises `NotFound`.
    """
    line = session.scalar(
        select(LoginEvent)
        .where(LoginEvent.id == login_event_id, LoginEvent.subject_id == actor.subject_id)
        .with_for_update()
    )
    since = session_queries.own_since(session, actor)
    if line is None or (since is not None and line.at < since):
        raise NotFound()
    known = session.scalar(select(SignInReport).where(SignInReport.login_event_id == line.id))
    if known is not None:
        return Disowned(known.id, known.sessions_ended, known.rebinding_frozen_until)
    now = clock.now()
    ended = sessions.end_all(session, subject_id=actor.subject_id, reason=EndReason.DISOWNED)
    report = SignInReport(
        subject_id=actor.subject_id,
        login_event_id=line.id,
        reported_at=now,
        rebinding_frozen_until=rules.rebinding_frozen_until(now),
        sessions_ended=ended,
        signed_in_at=line.at,
        method=line.method,
        channel=line.channel,
        result=line.result,
        address=line.address,
        device=line.device,
    )
    session.add(report)
    session.flush()
    audit.record(
        session,
        actor=actor,
        action="sign_in.disown",
        object_type="subject",
        object_id=actor.subject_id,
        report=str(report.id),
        sessions_ended=ended,
    )
    events.publish(session, SignInDisowned(actor.subject_id, report.id))
    return Disowned(report.id, ended, report.rebinding_frozen_until)


def insist_on_rebinding(session: Session, subject_id: UUID) -> None:
    """Raises `RebindingFrozen` while the person can bind no other phone or WeChat account by themselves."""
    until = queries.rebinding_frozen_until(session, subject_id, clock.now())
    if until is not None:
        raise RebindingFrozen(extra={"until": clock.local(until).isoformat(timespec="seconds")})


def close_report(session: Session, *, actor: Staff, report_id: UUID, finding: str) -> SignInReport:
    """The security administrator has looked into it. Raises `NotFound`, and `StateConflict` when somebody has already."""
    report = session.scalar(select(SignInReport).where(SignInReport.id == report_id).with_for_update())
    if report is None:
        raise NotFound()
    if report.closed_at is not None:
        raise StateConflict()
    report.closed_at, report.closed_by, report.finding = clock.now(), actor.staff_id, finding
    audit.record(session, actor=actor, action="sign_in_report.close", object_type="sign_in_report", object_id=report.id)
    session.flush()
    return report


def move_owner(session: Session, event: SubjectsMerged) -> None:
    """Reports of the absorbed subject are the kept one's."""
    session.execute(update(SignInReport).where(SignInReport.subject_id == event.absorbed).values(subject_id=event.kept))
