"""Reads of members of staff."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from auth.staff import roles
from auth.staff.models import StaffMember
from core.errors import NotFound


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


def member(session: Session, staff_id: UUID) -> Member:
    """The member `staff_id`. Raises `NotFound`."""
    found = session.get(StaffMember, staff_id)
    if found is None:
        raise NotFound()
    return view(found)


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
    )
