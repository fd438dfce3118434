"""Handing cases to a person. The session is given; nothing here commits."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.accounts.events import SubjectFrozen, SubjectRestored
from casework.cases.models import ServiceCase
from casework.cases.record import service as record
from casework.cases.rules import FINAL, State
from core.actors import System

OWNER_FROZEN = "OWNER_FROZEN"

_ACTOR = System("identity-signal")
_REASON = "申请人账号已冻结，须由工作人员核实后处理"
_RESTORED = "申请人账号已恢复使用"


def on_subject_frozen(session: Session, event: SubjectFrozen) -> None:
    """Who died, lost capacity or was reported can't go on: their open cases wait for a person, clocks as they are (ID-12)."""
    cases = session.scalars(
        select(ServiceCase)
        .where(
            ServiceCase.owner_id == event.subject_id,
            ServiceCase.state.not_in(FINAL),
            ServiceCase.needs_person == "",
        )
        .order_by(ServiceCase.id)
        .with_for_update()
    ).all()
    for case in cases:
        case.needs_person = OWNER_FROZEN
        record.write(session, case, State(case.state), _ACTOR, reason=_REASON)


def on_subject_restored(session: Session, event: SubjectRestored) -> None:
    """The freeze was wrong or is over: what waited for a person because of it goes on by itself."""
    cases = session.scalars(
        select(ServiceCase)
        .where(ServiceCase.owner_id == event.subject_id, ServiceCase.needs_person == OWNER_FROZEN)
        .order_by(ServiceCase.id)
        .with_for_update()
    ).all()
    for case in cases:
        case.needs_person = ""
        record.write(session, case, State(case.state), _ACTOR, reason=_RESTORED)
