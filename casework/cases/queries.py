"""Reads of cases. Every look-up is scoped: to the owner, or to the staff member's hall or department."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Date, Select, cast, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.orm import Session, selectinload

from auth.staff import roles
from casework.acting import queries as acting
from casework.acting import service as checks
from casework.cases import rules
from casework.cases.models import CaseCorrection, CasePause, CaseTransition, ServiceCase
from casework.cases.rules import State
from core import clock
from core.actors import Citizen, Staff
from core.errors import NotFound
from core.web.paging import Page, by_id
from core.workdays import Colour, Pause

Case = ServiceCase
"""A case, as other features hold it."""

AT_THE_COUNTER = frozenset({roles.FRONT_CLERK})
IN_THE_OFFICE = frozenset({roles.BACK_OFFICER})
MANAGING = frozenset({roles.DEPARTMENT_MANAGER})
_READING = AT_THE_COUNTER | IN_THE_OFFICE | MANAGING | {roles.SUPERVISOR}

_DEEP = (selectinload(ServiceCase.transitions), selectinload(ServiceCase.pauses), selectinload(ServiceCase.corrections))


def page_of_actor(session: Session, actor: Citizen, args: Mapping[str, Any]) -> Page[ServiceCase]:
    """The actor's cases, or those of whom one acts for that one may see, newest first."""
    query = select(ServiceCase).where(ServiceCase.owner_id == actor.owner_id)
    items = acting.visible_items(session, actor)
    if items is not None:
        query = query.where(ServiceCase.item_id.in_(items))
    return by_id(session, query, ServiceCase.id, args)


def seen(session: Session, case_id: UUID, actor: Citizen) -> ServiceCase:
    """The case as the actor may see it, for oneself or for another, with its timeline. Raises `NotFound`."""
    found = owned(session, case_id, actor.owner_id)
    checks.require_seen(session, actor=actor, version_id=found.version_id)
    return found


def owned(session: Session, case_id: UUID, owner_id: UUID) -> ServiceCase:
    """The owner's case with its timeline. Raises `NotFound` for a foreign or missing one alike."""
    return _one(
        session, select(ServiceCase).where(ServiceCase.id == case_id, ServiceCase.owner_id == owner_id).options(*_DEEP)
    )


@dataclass(frozen=True, slots=True)
class Applicant:
    """Whose case a number is, as at receipt. Shows nothing personal when printed."""

    case_id: UUID
    name: str = field(repr=False)
    document: str = field(repr=False)


def applicant_of(session: Session, number: str) -> Applicant | None:
    """The applicant behind a normalised case number or a department's own number (2.3: both work in search)."""
    query = select(ServiceCase.id, ServiceCase.applicant_name, ServiceCase.applicant_document)
    found = session.execute(query.where(or_(ServiceCase.number == number, ServiceCase.external_no == number))).first()
    return None if found is None else Applicant(*found)


def case(session: Session, case_id: UUID) -> ServiceCase:
    """A case with its timeline, for features that have checked who asks. Raises `NotFound`."""
    return _one(session, select(ServiceCase).where(ServiceCase.id == case_id).options(*_DEEP))


def page_for_staff(session: Session, actor: Staff, args: Mapping[str, Any]) -> Page[ServiceCase]:
    """The cases within the staff member's bounds, oldest first, so the longest waiting is on top."""
    query = _bounded(select(ServiceCase), actor, _READING)
    if args.get("state"):
        query = query.where(ServiceCase.state == args["state"])
    if args.get("number"):
        query = query.where(or_(ServiceCase.number == args["number"], ServiceCase.external_no == args["number"]))
    return by_id(session, query, ServiceCase.id, args, newest_first=False)


def for_staff(
    session: Session, case_id: UUID, actor: Staff, *, acting: frozenset[str] = _READING, lock: bool = False
) -> ServiceCase:
    """A case within the bounds of those roles of the staff member that `acting` names, with its timeline.

    So one who is clerk and officer may decide the department's cases, not all that came through the own hall (3.16). `lock`
    holds the row. Raises `NotFound`.
    """
    query = _bounded(select(ServiceCase).where(ServiceCase.id == case_id), actor, acting).options(*_DEEP)
    return _one(session, query.with_for_update(of=ServiceCase) if lock else query)


def locked(session: Session, case_id: UUID) -> ServiceCase:
    """A case with its timeline, its row locked, for jobs and event handlers. Raises `NotFound`."""
    return _one(
        session, select(ServiceCase).where(ServiceCase.id == case_id).options(*_DEEP).with_for_update(of=ServiceCase)
    )


def _bounded(query: Select[ServiceCase], actor: Staff, acting: frozenset[str]) -> Select[ServiceCase]:
    """Front clerks see their hall's cases, officers and managers their department's (3.16), supervisors all."""
    held = actor.roles & acting
    if roles.SUPERVISOR in held:
        return query
    bounds = []
    if held & AT_THE_COUNTER and actor.hall_id is not None:
        bounds += [ServiceCase.accept_hall_id == actor.hall_id, ServiceCase.issue_hall_id == actor.hall_id]
    if held & (IN_THE_OFFICE | MANAGING) and actor.department_id is not None:
        bounds.append(ServiceCase.department_id == actor.department_id)
    return query.where(or_(*bounds)) if bounds else query.where(ServiceCase.id.is_(None))


def _one(session: Session, query: Select[ServiceCase]) -> ServiceCase:
    found = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NotFound()
    return found


def colour(case: ServiceCase, today: date) -> Colour | None:
    """How a case stands at `today` (K-6); None while its clock doesn't run."""
    if case.amber_on is None or case.due_on is None or case.legal_due_on is None:
        return None
    return rules.colour(State(case.state), today, amber_on=case.amber_on, promised=case.due_on, legal=case.legal_due_on)


def open_correction(case: ServiceCase) -> CaseCorrection | None:
    """The correction the citizen still has to answer, or None."""
    return next((c for c in case.corrections if c.answered_at is None and not c.expired), None)


def open_pause(case: ServiceCase) -> CasePause | None:
    """The special procedure that runs now, or None."""
    return next((pause for pause in case.pauses if pause.ended_on is None), None)


def public_timeline(case: ServiceCase) -> list[CaseTransition]:
    """The moves a citizen may see (QY-5): changes of state, not recalculations inside one."""
    return [move for move in case.transitions if move.from_state != move.to_state]


@dataclass(frozen=True, slots=True)
class Decided:
    """When a case was accepted and decided, and when its clock stood still. It tells nothing of whose it is."""

    item_id: str
    hall_id: UUID
    accepted_on: date
    decided_at: datetime
    pauses: Sequence[Pause]


def decided(session: Session, since: datetime, until: datetime) -> Iterator[Decided]:
    """The cases decided in [since, until), read in pages by their index."""
    columns = (ServiceCase.id, ServiceCase.item_id, ServiceCase.accept_hall_id, ServiceCase.accepted_on)
    place = tuple_(ServiceCase.decided_at, ServiceCase.id)
    query = (
        select(*columns, ServiceCase.decided_at, _PAUSES.label("pauses"))
        .where(ServiceCase.decided_at >= since, ServiceCase.decided_at < until, ServiceCase.accepted_on.is_not(None))
        .order_by(ServiceCase.decided_at, ServiceCase.id)
        .limit(_PAGE)
    )
    page = session.execute(query).all()
    while page:
        for row in page:
            spans = [
                Pause(date.fromisoformat(a), date.fromisoformat(b) if b else None, "") for a, b in row.pauses or ()
            ]
            yield Decided(row.item_id, row.accept_hall_id, row.accepted_on, row.decided_at, spans)
        page = session.execute(query.where(place > tuple_(page[-1].decided_at, page[-1].id))).all()


def received_on(session: Session, case_id: UUID) -> date:
    """The day a case was received, or received again with what was asked for."""
    again = CaseTransition.from_state.is_distinct_from(State.RECEIVED)
    query = select(func.max(CaseTransition.at)).where(
        CaseTransition.case_id == case_id, CaseTransition.to_state == State.RECEIVED, again
    )
    return clock.local(session.execute(query).scalar_one()).date()


def count_reckoned_with(session: Session, days: Collection[date], most: int) -> int:
    """How many running cases have one of these days in the reckoning of their promise or their law, up to `most` (K-9)."""
    if not days:
        return 0
    day = func.unnest(cast(sorted(days), ARRAY(Date))).column_valued("day")
    last = func.greatest(ServiceCase.due_on, ServiceCase.legal_due_on)
    query = select(ServiceCase.id).where(
        ServiceCase.state.in_(rules.CLOCK_RUNS),
        select(day).where(day > ServiceCase.accepted_on, day <= last).exists(),
    )
    return session.scalar(select(func.count()).select_from(query.limit(most).subquery())) or 0


_PAGE = 2_000
_PAUSES = (
    select(
        func.jsonb_agg(
            aggregate_order_by(
                func.jsonb_build_array(CasePause.started_on, CasePause.ended_on), CasePause.started_on, CasePause.id
            ),
            type_=JSONB,
        )
    )
    .where(CasePause.case_id == ServiceCase.id)
    .correlate(ServiceCase)
    .scalar_subquery()
)
