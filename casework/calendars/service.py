"""Proposing days, deciding on them, and publishing as an operator. The session is given; nothing here commits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, BinaryIO
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from casework.calendars import queries, rules
from casework.calendars.errors import CalendarChanged, CalendarFaulty, CalendarUnchanged, SamePersonPublishes
from casework.calendars.faults.rules import Fault
from casework.calendars.files import rules as files
from casework.calendars.models import CalendarProposal
from casework.calendars.rules import Row, State
from casework.catalogue.answers import service as answers
from core import audit, calendar, clock, jobs
from core.actors import Staff, System
from core.calendar import Change, Publication
from core.errors import NotFound, StateConflict
from core.workdays import Day

SETTLED = timedelta(seconds=2 * calendar.CACHE_SECONDS)
"""After so long no process reckons with the calendar before a publication, and what it wrote by it has committed."""


@dataclass(frozen=True, slots=True)
class Published:
    """What an operator's publication came to. `version` is None when nothing was written.

    `changes`: what differs from the published days; `conflicts`: those of them that were published otherwise.
    """

    version: int | None
    changes: tuple[Change, ...]
    conflicts: tuple[Change, ...]


def propose(
    session: Session, *, actor: Staff, days: Sequence[Mapping[str, Any]], source: str, year: int | None = None
) -> CalendarProposal:
    """Propose what days shall be (`day`, `is_workday`, `name`), by which notice; only what differs is kept.

    `year`: the days are what is special in it, the others are plain (`rules.settle`). An open proposal that says just
    the same is answered instead of a second one. Raises `CalendarFaulty`, `CalendarUnchanged`.
    """
    rows = [Row(number, one["day"], one["is_workday"], one["name"]) for number, one in enumerate(days, 1)]
    return _propose(session, actor, rows, source, year)


def propose_file(
    session: Session, *, actor: Staff, stream: BinaryIO, source: str, year: int | None = None
) -> CalendarProposal:
    """`propose` the days of a CSV or JSON file. Raises `CalendarFaulty`, `CalendarUnchanged`."""
    rows, unread = files.read(stream.read(files.MOST_BYTES + 1))
    return _propose(session, actor, rows, source, year, unread)


def _propose(
    session: Session, actor: Staff, rows: Sequence[Row], source: str, year: int | None, unread: Sequence[Fault] = ()
) -> CalendarProposal:
    # Nobody publishes meanwhile, and the same file sent twice at once makes one proposal.
    calendar.lock(session)
    published = calendar.read(session)
    days, faults = rules.settle(rows, year=year, published=published, today=clock.today(), unread=unread)
    if faults:
        raise CalendarFaulty(count=len(faults), extra={"faults": [one.told() for one in faults]})
    changes = calendar.changes(published, days)
    if not changes:
        raise CalendarUnchanged()
    stored = [_stored(one) for one in changes]
    same = select(CalendarProposal).where(
        CalendarProposal.state == State.OPEN, CalendarProposal.days == stored, CalendarProposal.source == source
    )
    there = session.scalars(same.limit(1)).first()
    if there is not None:
        return there
    made = CalendarProposal(
        days=stored, source=source, state=State.OPEN.value, proposed_by=actor.audit_id, proposed_at=clock.now()
    )
    session.add(made)
    session.flush()
    _record(session, actor, "calendar.propose", made, None)
    return made


def decide(session: Session, *, actor: Staff, proposal_id: UUID, approved: bool) -> CalendarProposal:
    """Approve or reject somebody else's proposal; approved days are published and open cases reckoned anew (K-9).

    Raises `NotFound`, `StateConflict` (decided already), `SamePersonPublishes`, `CalendarChanged` (the days aren't any
    more what the proposal says they were; it can still be rejected).
    """
    found = session.get(CalendarProposal, proposal_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound()
    if State(found.state) is not State.OPEN:
        raise StateConflict(extra={"state": found.state})
    if found.proposed_by == actor.audit_id:
        raise SamePersonPublishes()
    publication = _publish(session, actor, found) if approved else None
    found.state = (State.APPROVED if approved else State.REJECTED).value
    found.decided_by, found.decided_at = actor.audit_id, clock.now()
    found.version = publication.number if publication else None
    session.flush()
    _record(session, actor, "calendar.decide", found, {"state": State.OPEN.value})
    return found


def _publish(session: Session, actor: Staff, proposal: CalendarProposal) -> Publication:
    calendar.lock(session)
    proposed = queries.proposed(proposal)
    still = set(calendar.changes(calendar.read(session), [one.becomes for one in proposed]))
    moved = [one.becomes.day.isoformat() for one in proposed if one not in still]
    if moved:
        raise CalendarChanged(extra={"days": moved})
    publication = calendar.publish(
        session,
        [one.becomes for one in proposed],
        source=proposal.source,
        published_by=actor.audit_id,
        proposed_by=proposal.proposed_by,
    )
    assert publication is not None  # noqa: S101  # every day of it differs, as was just seen
    _changed(session, publication)
    return publication


def read_file(session: Session, *, stream: BinaryIO, year: int | None) -> tuple[list[Day], list[Fault]]:
    """The days of a file for `publish`, or everything that is wrong with it."""
    rows, unread = files.read(stream.read(files.MOST_BYTES + 1))
    return rules.settle(rows, year=year, published=calendar.read(session), today=clock.today(), unread=unread)


def publish(
    session: Session, *, actor: System, days: Iterable[Day], source: str, replace: bool = False, dry_run: bool = False
) -> Published:
    """Publish days at once, the operators' way, and have open cases reckoned anew (K-9).

    Days that were published otherwise are replaced only with `replace`: without, nothing is written and they are told.
    """
    calendar.lock(session)
    wanted = list(days)
    changes = calendar.changes(calendar.read(session), wanted)
    conflicts = tuple(one for one in changes if one.was is not None)
    if dry_run or (conflicts and not replace):
        return Published(None, changes, conflicts)
    publication = calendar.publish(session, wanted, source=source, published_by=actor.audit_id)
    if publication is None:
        return Published(None, (), ())
    _changed(session, publication)
    audit.record(
        session,
        actor=actor,
        action="calendar.publish",
        object_type="calendar_version",
        object_id=publication.number,
        after={"days": [_stored(one) for one in publication.changes], "source": source},
        days=len(publication.changes),
    )
    return Published(publication.number, publication.changes, conflicts)


def _changed(session: Session, publication: Publication) -> None:
    """Public answers are made anew now; what was reckoned by the old calendar, once nobody reckons by it any more (K-9)."""
    answers.touch(session)
    number, settled = publication.number, clock.now() + SETTLED
    jobs.defer(session, "calendars.follow", at=settled, once=f"calendars.follow:{number}", version=number)
    if any(one.moves_dates for one in publication.changes):
        jobs.defer(session, "cases.recompute_open", at=settled, once=f"cases.recompute_open:{number}")


def _stored(change: Change) -> dict[str, Any]:
    was, becomes = change.was, change.becomes
    return {
        "day": becomes.day.isoformat(),
        "was_workday": was.is_workday if was else None,
        "was_name": was.name if was else None,
        "is_workday": becomes.is_workday,
        "name": becomes.name,
    }


def _record(
    session: Session, actor: Staff, action: str, proposal: CalendarProposal, before: dict[str, Any] | None
) -> None:
    after = {"state": proposal.state, "days": proposal.days, "source": proposal.source, "version": proposal.version}
    audit.record(
        session,
        actor=actor,
        action=action,
        object_type="calendar_proposal",
        object_id=proposal.id,
        before=before,
        after=after,
    )
