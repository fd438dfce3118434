"""Lifting a freeze takes two people. The session is given; nothing here commits."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from auth.accounts import rules
from auth.accounts.errors import SecondPersonNeeded
from auth.accounts.events import SubjectFrozen, SubjectRestored
from auth.accounts.models import Subject, SubjectFreeze
from auth.accounts.rules import FreezeReason, SubjectState
from core import audit, clock, events
from core.actors import Actor, Staff
from core.errors import NotFound, StateConflict


def note_death(session: Session, *, actor: Actor, subject_id: UUID) -> None:
    """Somebody frozen for another reason is reported dead: that is why from now on, and who meant to lift it thinks again.

    Changes nothing for who isn't frozen, or was by a death.
    """
    freeze = session.scalar(
        select(SubjectFreeze)
        .where(SubjectFreeze.subject_id == subject_id, SubjectFreeze.lifted_at.is_(None))
        .with_for_update()
    )
    if freeze is None or freeze.reason == FreezeReason.DEATH:
        return
    before, freeze.reason = freeze.reason, FreezeReason.DEATH
    freeze.lift_reason, freeze.lift_proposed_by, freeze.lift_proposed_at = "", None, None
    _record(session, actor, "account.freeze_for_death", freeze, reason=before)
    events.publish(session, SubjectFrozen(subject_id, FreezeReason.DEATH))


def propose_lift(session: Session, *, actor: Staff, freeze_id: UUID, reason: str) -> SubjectFreeze:
    """A security administrator has found that a freeze was wrong or is over; a later proposal replaces an earlier one.

    Raises `NotFound`, `StateConflict` (lifted before).
    """
    freeze = _standing(session, freeze_id)
    freeze.lift_reason, freeze.lift_proposed_by, freeze.lift_proposed_at = reason, actor.staff_id, clock.now()
    _record(session, actor, "account.propose_unfreeze", freeze, reason=reason)
    return freeze


def lift(session: Session, *, actor: Staff, freeze_id: UUID) -> SubjectFreeze:
    """A supervisor, who is another person, agrees: the account may be used again; its sessions stay ended.

    Raises `NotFound`, `StateConflict` (not proposed, lifted before), `SecondPersonNeeded`.
    """
    freeze = _standing(session, freeze_id)
    if freeze.lift_proposed_by is None:
        raise StateConflict()
    if freeze.lift_proposed_by == actor.staff_id:
        raise SecondPersonNeeded()
    freeze.lifted_by, freeze.lifted_at = actor.staff_id, clock.now()
    session.execute(
        update(Subject)
        .where(Subject.id == freeze.subject_id, Subject.state.in_(rules.sources(SubjectState.ACTIVE)))
        .values(state=SubjectState.ACTIVE)
    )
    _record(session, actor, "account.unfreeze", freeze, reason=freeze.lift_reason)
    events.publish(session, SubjectRestored(freeze.subject_id))
    return freeze


def _standing(session: Session, freeze_id: UUID) -> SubjectFreeze:
    freeze = session.scalar(select(SubjectFreeze).where(SubjectFreeze.id == freeze_id).with_for_update())
    if freeze is None:
        raise NotFound()
    if freeze.lifted_at is not None:
        raise StateConflict()
    return freeze


def _record(session: Session, actor: Actor, action: str, freeze: SubjectFreeze, *, reason: str) -> None:
    audit.record(
        session,
        actor=actor,
        action=action,
        object_type="subject",
        object_id=freeze.subject_id,
        freeze=str(freeze.id),
        reason=reason,
    )
