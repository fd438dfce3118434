"""The one place where a delegation's state changes."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from auth.delegation import rules
from auth.delegation.events import DelegationChanged, Happening
from auth.delegation.models import Delegation, DelegationEvent
from auth.delegation.rules import State
from core import audit, clock, events, ids
from core.actors import Actor

_ENDED = frozenset({State.DECLINED, State.REVOKED, State.RENOUNCED})


def begin(session: Session, actor: Actor, row: Delegation, *, happening: Happening | None = None) -> Delegation:
    """Keep a new delegation with its first history row; with `happening` both sides are told."""
    session.add(row)
    session.flush()
    _write(session, actor, row, None, "")
    if happening is not None:
        announce(session, row, happening)
    return row


def move(
    session: Session, actor: Actor, row: Delegation, to: State, *, happening: Happening | None = None, note: str = ""
) -> None:
    """Move a locked delegation by the table, with its history and audit rows. `note` holds no personal data.

    Raises `StateConflict`.
    """
    before = State(row.state)
    rules.check_move(before, to)
    row.state = to
    if to in _ENDED:
        row.ended_at, row.ended_by = clock.now(), actor.audit_id
    if to is not State.OFFERED:
        row.code_lookup = None
    session.flush()
    _write(session, actor, row, before, note)
    if happening is not None:
        announce(session, row, happening)


def announce(session: Session, row: Delegation, happening: Happening) -> UUID:
    """Tell both sides; the id of this happening."""
    change_id = ids.uuid7()
    events.publish(session, DelegationChanged(row.id, change_id, happening, row.principal_id, row.agent_id))
    return change_id


def _write(session: Session, actor: Actor, row: Delegation, before: State | None, note: str) -> None:
    session.add(
        DelegationEvent(
            delegation_id=row.id,
            from_state=before,
            to_state=row.state,
            at=clock.now(),
            actor=actor.audit_id,
            note=note,
        )
    )
    audit.record(
        session,
        actor=actor,
        action=f"delegation.{row.state.lower()}",
        object_type="delegation",
        object_id=row.id,
        before={"state": before} if before else None,
        after={"state": row.state},
        kind=str(row.kind),
        evidence=str(row.evidence),
        principal=str(row.principal_id),
        agent=str(row.agent_id or row.agent_staff_id or ""),
    )
