"""Reads of members of staff."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.staff import roles
from auth.staff.models import StaffMember, StaffRoleChange, StaffSession
from auth.staff.rules import IDLE
from core import clock
from core.actors import Staff
from core.errors import NotFound
from core.web.paging import Page, by_id


@dataclass(frozen=True, slots=True)
class Member:
    """A member of staff as colleagues see one."""

    id: UUID
    username: str
    name: str
    roles: tuple[str, ...]
    permissions: tuple[str, ...]
    hall_id: UUID | None
    department_id: str | None
    active: bool
    must_change_password: bool
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class OwnSession:
    """A place where a member is signed in. `current`: the one that asks."""

    id: UUID
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    address: str | None
    current: bool


def own_sessions(session: Session, actor: Staff) -> list[OwnSession]:
    """The actor's open sessions, the newest first."""
    now = clock.wall()
    rows = session.scalars(
        select(StaffSession)
        .where(
            StaffSession.staff_id == actor.staff_id,
            StaffSession.ended_at.is_(None),
            StaffSession.expires_at > now,
            StaffSession.last_seen_at > now - IDLE,
        )
        .order_by(StaffSession.id.desc())
    )
    return [
        OwnSession(row.id, row.created_at, row.last_seen_at, row.expires_at, row.address, row.id == actor.session_id)
        for row in rows
    ]


def page(session: Session, args: Mapping[str, Any]) -> Page[Member]:
    """Members, the newest first; `username` narrows to one."""
    query = select(StaffMember)
    if args.get("username"):
        query = query.where(StaffMember.username == args["username"].strip().lower())
    found = by_id(session, query, StaffMember.id, args)
    return Page([view(row) for row in found.items], found.next_cursor)


def role_changes(session: Session, staff_id: UUID) -> Sequence[StaffRoleChange]:
    """Who gave the member which roles, the latest first."""
    query = select(StaffRoleChange).where(StaffRoleChange.staff_id == staff_id).order_by(StaffRoleChange.id.desc())
    return session.scalars(query).all()


def member(session: Session, staff_id: UUID) -> Member:
    """The member `staff_id`. Raises `NotFound`."""
    found = session.get(StaffMember, staff_id)
    if found is None:
        raise NotFound()
    return view(found)


def halls_of(session: Session, staff_ids: Collection[UUID]) -> dict[UUID, UUID | None]:
    """The halls in which these members work; None for who works in none."""
    rows = session.execute(select(StaffMember.id, StaffMember.hall_id).where(StaffMember.id.in_(staff_ids)))
    return {row.id: row.hall_id for row in rows}


def view(found: StaffMember) -> Member:
    """What is shown of a row."""
    return Member(
        id=found.id,
        username=found.username,
        name=found.name,
        roles=tuple(found.roles),
        permissions=tuple(sorted(roles.permissions(found.roles))),
        hall_id=found.hall_id,
        department_id=found.department_id,
        active=found.active,
        must_change_password=found.must_change_password,
        expires_at=found.expires_at,
    )
