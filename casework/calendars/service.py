"""Proposing days and deciding on them. The session is given; nothing here commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from casework.calendars.models import CalendarProposal
from casework.calendars.rules import State
from casework.catalogue.answers import service as answers
from core import audit, calendar, clock, jobs
from core.actors import Staff
from core.errors import Forbidden, InvalidInput, NotFound, StateConflict
from core.workdays import Day


def propose(session: Session, *, actor: Staff, days: Sequence[Mapping[str, Any]], source: str) -> CalendarProposal:
    """Propose what days shall be (`day`, `is_workday`, `name`), by which notice. Raises `InvalidInput` for a day named twice."""
    if len({one["day"] for one in days}) < len(days):
        raise InvalidInput(fields={"days": ["日期重复 / a day is there twice"]})
    stored = [{**one, "day": one["day"].isoformat()} for one in sorted(days, key=lambda one: str(one["day"]))]
    made = CalendarProposal(
        days=stored, source=source, state=State.OPEN.value, proposed_by=actor.audit_id, proposed_at=clock.now()
    )
    session.add(made)
    session.flush()
    _record(session, actor, "calendar.propose", made, None)
    return made


def decide(session: Session, *, actor: Staff, proposal_id: UUID, approved: bool) -> CalendarProposal:
    """Approve or reject somebody else's proposal; approved days are published and open cases reckoned anew (K-9).

    Raises `NotFound`, `StateConflict` (decided already), `Forbidden` (one's own).
    """
    found = session.get(CalendarProposal, proposal_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound()
    if State(found.state) is not State.OPEN:
        raise StateConflict()
    if found.proposed_by == actor.audit_id:
        raise Forbidden()
    found.state = (State.APPROVED if approved else State.REJECTED).value
    found.decided_by, found.decided_at = actor.audit_id, clock.now()
    session.flush()
    if approved:
        days = [Day(date.fromisoformat(one["day"]), one["is_workday"], one["name"]) for one in found.days]
        calendar.publish(session, days, source=found.source)
        changed(session)
    _record(session, actor, "calendar.decide", found, {"state": State.OPEN.value})
    return found


def changed(session: Session) -> None:
    """The calendar was changed: public answers are made anew, and so are the due dates of open cases (K-9)."""
    answers.touch(session)
    jobs.defer(session, "cases.recompute_open", once="cases.recompute_open")


def _record(
    session: Session, actor: Staff, action: str, proposal: CalendarProposal, before: dict[str, Any] | None
) -> None:
    after = {"state": proposal.state, "days": proposal.days, "source": proposal.source}
    audit.record(
        session,
        actor=actor,
        action=action,
        object_type="calendar_proposal",
        object_id=proposal.id,
        before=before,
        after=after,
    )
