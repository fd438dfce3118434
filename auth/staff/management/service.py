"""What administrators do with accounts of members of staff. The session is given; nothing here commits."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import pyotp
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.staff import service
from auth.staff.errors import OwnAccount
from auth.staff.models import StaffAuthenticatorReset, StaffMember, StaffRoleChange
from auth.staff.queries import Member
from core import audit, clock, ids
from core.actors import Staff
from core.errors import InvalidInput, NotFound, StateConflict


def open_account(
    session: Session,
    *,
    actor: Staff,
    username: str,
    name: str,
    hall_id: UUID | None,
    department_id: str | None,
    expires_at: datetime | None,
) -> tuple[Member, str, str]:
    """An account without roles; the member, a first password that must be changed, and the otpauth address.

    Raises `UsernameTaken`, `InvalidInput` (a temporary account that would be over already).
    """
    if expires_at is not None and expires_at <= clock.wall():
        raise InvalidInput(fields={"expires_at": ["截止时间已过 / it would be over already"]})
    password = f"{secrets.token_urlsafe(12)}-Aa1"
    made, address = service.add_member(
        session,
        username=username,
        name=name,
        password=password,
        roles=(),
        hall_id=hall_id,
        department_id=department_id,
        actor=actor,
        expires_at=expires_at,
        must_change_password=True,
    )
    return made, password, address


def give_roles(session: Session, *, actor: Staff, staff_id: UUID, roles: Sequence[str], reason: str) -> Member:
    """Give a member these roles, none included; they count at the next request.

    Raises `OwnAccount`, `NotFound`, `RolesNotAllowed` (unknown, or two of the three administrators).
    """
    _not_own(actor, staff_id)
    member = _locked(session, staff_id)
    before = list(member.roles)
    changed = service.change_roles(session, actor=actor, staff_id=staff_id, roles=roles)
    session.add(
        StaffRoleChange(
            staff_id=staff_id,
            changed_by=actor.staff_id,
            before=before,
            after=list(member.roles),
            reason=reason,
            at=clock.wall(),
        )
    )
    return changed


def close(session: Session, *, actor: Staff, staff_id: UUID) -> Member:
    """Close a leaver's account: signed out, what was claimed is free. Raises `OwnAccount`, `NotFound`."""
    _not_own(actor, staff_id)
    return service.disable(session, actor=actor, staff_id=staff_id)


def ask_authenticator(session: Session, *, actor: Staff, staff_id: UUID, reason: str) -> StaffAuthenticatorReset:
    """Ask for a new authenticator for a member who lost the old one. Raises `OwnAccount`, `NotFound`, `StateConflict`."""
    _not_own(actor, staff_id)
    _locked(session, staff_id)
    if _open_reset(session, staff_id) is not None:
        raise StateConflict()
    made = StaffAuthenticatorReset(
        id=ids.uuid7(), staff_id=staff_id, asked_by=actor.staff_id, asked_at=clock.wall(), reason=reason
    )
    session.add(made)
    _record(session, actor, "staff.ask_authenticator", staff_id)
    return made


def agree_authenticator(session: Session, *, actor: Staff, staff_id: UUID) -> str:
    """A second administrator agrees: the old authenticator is void, the sessions end; the new otpauth address.

    Raises `OwnAccount` (the member, or who asked), `NotFound`, `StateConflict` (nobody asked).
    """
    _not_own(actor, staff_id)
    member = _locked(session, staff_id)
    reset = _open_reset(session, staff_id)
    if reset is None:
        raise StateConflict()
    if reset.asked_by == actor.staff_id:
        raise OwnAccount()
    reset.agreed_by, reset.agreed_at = actor.staff_id, clock.wall()
    member.totp_secret, member.totp_last_step = pyotp.random_base32(), None
    service.end_sessions(session, staff_id)
    _record(session, actor, "staff.agree_authenticator", staff_id)
    return service.otpauth(member)


def _not_own(actor: Staff, staff_id: UUID) -> None:
    if actor.staff_id == staff_id:
        raise OwnAccount()


def _locked(session: Session, staff_id: UUID) -> StaffMember:
    member = session.scalar(select(StaffMember).where(StaffMember.id == staff_id).with_for_update())
    if member is None:
        raise NotFound()
    return member


def _open_reset(session: Session, staff_id: UUID) -> StaffAuthenticatorReset | None:
    return session.scalar(
        select(StaffAuthenticatorReset).where(
            StaffAuthenticatorReset.staff_id == staff_id, StaffAuthenticatorReset.agreed_at.is_(None)
        )
    )


def _record(session: Session, actor: Staff, action: str, staff_id: UUID) -> None:
    audit.record(session, actor=actor, action=action, object_type="staff_member", object_id=staff_id)
