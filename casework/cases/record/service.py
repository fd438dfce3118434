"""How a case changes state and due date, and what is written down when it does (C-1)."""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from auth.acting import service as acting
from casework.cases import rules
from casework.cases.models import CasePause, CaseTransition, ServiceCase
from casework.cases.rules import MATTER, State
from casework.catalogue import queries as catalogue
from core import audit, clock
from core.actors import Actor, Staff, acted_by
from core.workdays import Calendar, CalendarStatus, Pause
from notifications.messages.service import announce


def move(
    session: Session,
    case: ServiceCase,
    to: State,
    actor: Actor,
    *,
    reason: str = "",
    public_note: str = "",
    old_due: date | None = None,
) -> None:
    """Change the state by the table, with its history row and audit row in the same transaction (C-1).

    `reason` stays inside; `public_note` is what the citizen reads (QY-5). Raises `StateConflict`.
    """
    before = State(case.state)
    rules.check_move(before, to)
    case.state = to
    write(session, case, before, actor, reason=reason, public_note=public_note, old_due=old_due)


def write(
    session: Session,
    case: ServiceCase,
    before: State | None,
    actor: Actor,
    *,
    reason: str = "",
    public_note: str = "",
    old_due: date | None = None,
) -> None:
    """Write down that a case came from `before` to its present state.

    The same state means a new due date (K-9) or, without `old_due`, a note. Nobody handles a case of one's
    own: raises `OwnMatter`.
    """
    if isinstance(actor, Staff):
        acting.refuse_own(session, actor=actor, people=(case.owner_id, case.acting_id))
    after = State(case.state)
    session.add(
        CaseTransition(
            case_id=case.id,
            from_state=before,
            to_state=after,
            at=clock.now(),
            actor=actor.audit_id,
            acted_by=acted_by(actor),
            role=",".join(sorted(actor.roles)) if isinstance(actor, Staff) else type(actor).__name__.lower(),
            department=case.department_name if isinstance(actor, Staff) else "",
            reason=reason,
            public_note=public_note,
            old_due_on=old_due,
            new_due_on=case.due_on,
        )
    )
    audit.record(
        session,
        actor=actor,
        action=f"case.{after.lower()}" if before != after else "case.due_changed" if old_due else "case.noted",
        object_type=MATTER,
        object_id=case.id,
        before={"state": before, "due": old_due} if before else None,
        after={"state": after, "due": case.due_on},
    )


def set_due(session: Session, case: ServiceCase, accepted_on: date | None, days: Calendar) -> None:
    """Reckon both due dates anew from the acceptance day, the pauses and the extension of an accepted case (K-2, K-5, C-6)."""
    assert accepted_on is not None  # noqa: S101  # only accepted cases have a clock
    item = catalogue.item_version(session, case.version_id)
    session.flush()
    query = select(CasePause).where(CasePause.case_id == case.id).order_by(CasePause.started_on, CasePause.id)
    pauses = [Pause(pause.started_on, pause.ended_on, pause.name) for pause in session.scalars(query)]
    due = rules.clocks(accepted_on, item.promised_limit, item.legal_limit, pauses, case.extension_workdays, days)
    # Together, after the last read: the database wants a due day for every acceptance day.
    case.accepted_on, case.due_on, case.due_status = accepted_on, due.promised.day, due.promised.status.value
    case.legal_due_on, case.amber_on = due.legal.day, due.amber_on


def due_fields(case: ServiceCase) -> dict[str, str]:
    """The promised day as messages say it, and that it may move while a calendar it needs isn't published (K-10)."""
    fields = {"when": str(case.due_on)}
    if case.due_status == CalendarStatus.PROVISIONAL:
        fields["note"] = "这是预计的日期，放假安排公布后可能调整。"
    return fields


def tell(session: Session, case: ServiceCase, template: str, *, private: str = "", **fields: str) -> None:
    """Send the message of what just happened to the right-holder and who acted, once (QY-7, DG-2).

    `private` is a note about the papers, the reasons or the result: of a sensitive matter neither that nor its name is
    said (3.17).
    """
    moves = session.scalar(select(func.count()).where(CaseTransition.case_id == case.id))
    shown = {"matter": case.item_name, "number": case.number, **fields}
    if private and not case.sensitive:
        shown["note"] = private
    for receiver in acting.receivers(session, owner_id=case.owner_id, acting_id=case.acting_id):
        announce(
            session,
            to=receiver,
            template=template,
            event_id=f"case:{case.id}:{template}:{moves}",
            fields=shown,
            matter_type=MATTER,
            matter_id=case.id,
            sensitive=case.sensitive,
        )
