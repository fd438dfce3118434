"""Reads of delegations."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from auth.accounts import queries as people
from auth.delegation import rules
from auth.delegation.models import AgencyContract, Delegation, DelegationEvent, GuardianAgreement, StaffPerson
from auth.delegation.rules import LIVE, Kind, Standing, State
from core import security
from core.errors import NotFound
from core.web.paging import Page, by_id


@dataclass(frozen=True, slots=True)
class View:
    """A delegation as its two sides see it; the surface masks the names. `standing` is what it is worth now."""

    row: Delegation = field(repr=False)
    standing: Standing
    principal: str = field(repr=False)
    agent: str | None = field(repr=False)
    history: Sequence[DelegationEvent] = ()


def born_on(row: Delegation) -> date | None:
    """The birth date behind a guardian's link, or None."""
    return None if row.born_on is None else date.fromisoformat(row.born_on)


def standing(row: Delegation, now: datetime) -> Standing:
    """What a delegation is worth at `now`."""
    return rules.standing(
        State(row.state), now, valid_from=row.valid_from, valid_until=row.valid_until, born_on=born_on(row)
    )


def view(session: Session, row: Delegation, now: datetime) -> View:
    """A delegation with the names of its two sides."""
    return views(session, [row], now)[0]


def views(session: Session, rows: Sequence[Delegation], now: datetime) -> list[View]:
    """Delegations with the names of their sides, each person read once."""
    sides = {side for row in rows for side in (row.principal_id, row.agent_id) if side is not None}
    names = people.names(session, sides)
    return [
        View(
            row, standing(row, now), names.get(row.principal_id, ""), names.get(row.agent_id) if row.agent_id else None
        )
        for row in rows
    ]


def live_of_agents(session: Session, agents: Collection[UUID], now: datetime) -> list[View]:
    """What these agents may do for others now, with the names."""
    query = select(Delegation).where(_held_by(agents), Delegation.state == State.ACTIVE)
    rows = [row for row in session.scalars(query.order_by(Delegation.id)) if standing(row, now) is Standing.LIVE]
    return views(session, rows, now)


def detail(session: Session, row: Delegation, now: datetime) -> View:
    """A delegation with the names of its two sides and its moves, oldest first."""
    query = select(DelegationEvent).where(DelegationEvent.delegation_id == row.id).order_by(DelegationEvent.id)
    return replace(view(session, row, now), history=session.scalars(query).all())


def _held_by(agents: Collection[UUID]) -> ColumnElement[bool]:
    """Held by one of these subjects, or by the project officer that one of them is at work (DG-8)."""
    officer = select(StaffPerson.staff_id).where(StaffPerson.subject_id.in_(agents))
    return or_(Delegation.agent_id.in_(agents), Delegation.agent_staff_id.in_(officer))


def page_given(session: Session, principal_id: UUID, args: Mapping[str, Any]) -> Page[Delegation]:
    """What somebody has let others do, newest first."""
    return by_id(session, select(Delegation).where(Delegation.principal_id == principal_id), Delegation.id, args)


def page_held(session: Session, agent_id: UUID, args: Mapping[str, Any]) -> Page[Delegation]:
    """What somebody may do for others, or has been asked to, newest first."""
    return by_id(session, select(Delegation).where(Delegation.agent_id == agent_id), Delegation.id, args)


def of_side(session: Session, delegation_id: UUID, subject_id: UUID, *, lock: bool = False) -> Delegation:
    """A delegation of which `subject_id` is one side. Raises `NotFound` for a foreign or missing one alike."""
    sides = or_(Delegation.principal_id == subject_id, Delegation.agent_id == subject_id)
    query = select(Delegation).where(Delegation.id == delegation_id, sides)
    return _one(session.scalar(query.with_for_update() if lock else query))


def any_locked(session: Session, delegation_id: UUID) -> Delegation:
    """A delegation, locked, for staff who have the paper in hand. Raises `NotFound`."""
    return _one(session.scalar(select(Delegation).where(Delegation.id == delegation_id).with_for_update()))


def all_between(session: Session, subjects: Sequence[UUID]) -> Sequence[Delegation]:
    """Every delegation of which one of these is a side, locked."""
    sides = or_(Delegation.principal_id.in_(subjects), Delegation.agent_id.in_(subjects))
    return session.scalars(select(Delegation).where(sides).order_by(Delegation.id).with_for_update()).all()


def offered(session: Session, code: str, now: datetime) -> Delegation:
    """The open offer with this code, locked. Raises `NotFound`."""
    query = select(Delegation).where(
        Delegation.code_lookup == code_lookup(code),
        Delegation.state == State.OFFERED,
        Delegation.offer_until > now,
    )
    return _one(session.scalar(query.with_for_update()))


def code_lookup(code: str) -> bytes:
    """The keyed hash of a code read out over the phone."""
    return security.lookup("delegation_code", rules.plain_code(code))


def confirm_mac(delegation_id: UUID, code: str) -> bytes:
    """The keyed hash of the code by which the principal agrees."""
    return security.lookup("delegation_confirmation", f"{delegation_id}:{code}")


def agent_of(session: Session, delegation_id: UUID) -> UUID | None:
    """Who holds a delegation: a person, or the agency one works for; None for a project officer's."""
    return session.scalar(select(Delegation.agent_id).where(Delegation.id == delegation_id))


def principals_of(session: Session, agent_id: UUID, kinds: Sequence[Kind], now: datetime) -> set[UUID]:
    """The people somebody acts for, or is about to, by delegations of these kinds."""
    query = select(Delegation.principal_id).where(
        Delegation.agent_id == agent_id,
        Delegation.kind.in_(kinds),
        Delegation.state.in_({*LIVE, State.ACCEPTED}),
        or_(Delegation.valid_until.is_(None), Delegation.valid_until > now),
    )
    return set(session.scalars(query))


def projects_of(session: Session, staff_id: UUID, now: datetime) -> Sequence[Delegation]:
    """The live requests by which a project officer helps (DG-8)."""
    query = select(Delegation).where(
        Delegation.agent_staff_id == staff_id, Delegation.state == State.ACTIVE, Delegation.valid_until > now
    )
    return session.scalars(query.order_by(Delegation.id)).all()


def guardians_of(session: Session, minor_id: UUID, now: datetime) -> list[Delegation]:
    """The live guardian links of a person, oldest first; disputed ones too."""
    query = select(Delegation).where(
        Delegation.principal_id == minor_id, Delegation.kind == Kind.GUARDIAN, Delegation.state.in_(LIVE)
    )
    rows = session.scalars(query.order_by(Delegation.id))
    return [row for row in rows if standing(row, now) in (Standing.LIVE, Standing.DISPUTED)]


def agreed(session: Session, minor_id: UUID, item_id: str, now: datetime) -> bool:
    """Whether a guardian whose link counts has agreed that this minor does the item alone (DG-5)."""
    links = [row.id for row in guardians_of(session, minor_id, now) if standing(row, now) is Standing.LIVE]
    query = select(GuardianAgreement.id).where(
        GuardianAgreement.delegation_id.in_(links),
        GuardianAgreement.item_id == item_id,
        GuardianAgreement.valid_until > now,
        GuardianAgreement.withdrawn_at.is_(None),
    )
    return bool(links) and session.scalar(query.limit(1)) is not None


def birth_date(session: Session, subject_id: UUID, now: datetime) -> date | None:
    """When a person was born, by the document or by a guardian's link (a newborn has no number yet)."""
    own = people.document(session, subject_id)
    if own is not None and own.birth_date is not None:
        return own.birth_date
    return next((born_on(row) for row in guardians_of(session, subject_id, now)), None)


def live_between(session: Session, principal_id: UUID, agent_id: UUID, now: datetime) -> list[Delegation]:
    """The delegations by which one person acts for another now."""
    query = select(Delegation).where(
        Delegation.principal_id == principal_id, _held_by({agent_id}), Delegation.state == State.ACTIVE
    )
    return [row for row in session.scalars(query) if standing(row, now) is Standing.LIVE]


def contract(session: Session, agency_id: UUID, now: datetime) -> AgencyContract | None:
    """The contract of an agency that counts now, or None."""
    query = select(AgencyContract).where(
        AgencyContract.agency_id == agency_id,
        AgencyContract.ended_at.is_(None),
        AgencyContract.valid_from <= now,
        AgencyContract.valid_until > now,
    )
    return session.scalar(query)


def staff_of(session: Session, subject_id: UUID) -> UUID | None:
    """The member of staff that a person is, as declared, or None."""
    return session.scalar(select(StaffPerson.staff_id).where(StaffPerson.subject_id == subject_id))


def subject_of(session: Session, staff_id: UUID) -> UUID | None:
    """The person that a member of staff is, as declared, or None."""
    return session.scalar(select(StaffPerson.subject_id).where(StaffPerson.staff_id == staff_id))


def _one(row: Delegation | None) -> Delegation:
    if row is None:
        raise NotFound()
    return row
