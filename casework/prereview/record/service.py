"""How a pre-review changes state, and what is written down when it does."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from auth.acting import service as acting
from casework.catalogue import queries as catalogue
from casework.files import service as files
from casework.prereview.events import PreReviewEvent as Happened
from casework.prereview.models import (
    FindingKind,
    PreReview,
    PreReviewEvent,
    PreReviewFile,
    PreReviewFinding,
    PreReviewMaterial,
    PreReviewNote,
)
from casework.prereview.rules import State, check_move
from core import audit, clock, ids
from core.actors import Actor, Staff, acted_by
from core.events import publish
from notifications.messages.service import announce

MATTER = "prereview"

_TEMPLATES = {
    State.SUBMITTED: "PREREVIEW_SUBMITTED",
    State.NEEDS_CHANGE: "PREREVIEW_NEEDS_CHANGE",
    State.PASSED: "PREREVIEW_PASSED",
    State.REJECTED: "PREREVIEW_REJECTED",
    State.EXPIRED: "PREREVIEW_EXPIRED",
}


def begin(session: Session, prereview: PreReview, actor: Actor, *, now: datetime) -> None:
    """Write down that a draft was opened."""
    _write(session, prereview, None, actor, now, "")


def move(
    session: Session,
    prereview: PreReview,
    to: State,
    actor: Actor,
    happened: type[Happened] | None,
    *,
    now: datetime,
    note: str = "",
) -> None:
    """Move a locked pre-review by the table of 3.1, write its history and the audit row, and announce `happened`.

    `note` is ours and holds no personal data. Raises `StateConflict`, and `OwnMatter` for a clerk's own papers, which can
    only be given back.
    """
    before = State(prereview.state)
    if isinstance(actor, Staff) and to is not State.SUBMITTED:
        acting.refuse_own(session, actor=actor, people=(prereview.owner_id, prereview.acting_id))
    check_move(before, to)
    prereview.state = to
    if to is not State.IN_REVIEW:
        prereview.claimed_by = prereview.claimed_until = None
    prereview.updated_at = now
    session.flush()
    _write(session, prereview, before, actor, now, note)
    if happened is not None:
        publish(session, happened(prereview.id, prereview.owner_id, prereview.item_id, prereview.hall_id))


def _write(
    session: Session, prereview: PreReview, before: State | None, actor: Actor, now: datetime, note: str
) -> None:
    session.add(
        PreReviewEvent(
            prereview_id=prereview.id,
            from_state=before,
            to_state=prereview.state,
            round=prereview.round,
            at=now,
            actor=actor.audit_id,
            acted_by=acted_by(actor),
            note=note,
        )
    )
    audit.record(
        session,
        actor=actor,
        action="prereview.move" if before else "prereview.start",
        object_type=MATTER,
        object_id=prereview.id,
        before={"state": before} if before else None,
        after={"state": prereview.state},
        number=prereview.number,
        to_state=str(prereview.state),
    )


def tell(
    session: Session, prereview: PreReview, *, until: datetime | None = None, where: str = "", note: str = ""
) -> None:
    """Send the message of the present state to the right-holder and who acts (3.17, DG-2), once per round.

    `until` is the first moment that is too late; people read the day before it.
    """
    fields = {"matter": prereview.item_name, "number": prereview.number, "where": where, "note": note}
    if until is not None:
        fields["when"] = clock.local(until - timedelta(seconds=1)).date().isoformat()
    sensitive = catalogue.item_version(session, prereview.version_id).sensitive
    for receiver in acting.receivers(session, owner_id=prereview.owner_id, acting_id=prereview.acting_id):
        announce(
            session,
            to=receiver,
            template=_TEMPLATES[State(prereview.state)],
            event_id=f"prereview:{prereview.id}:{prereview.state.lower()}:{prereview.round}",
            fields={name: value for name, value in fields.items() if value},
            matter_type=MATTER,
            matter_id=prereview.id,
            sensitive=sensitive,
        )


def find(
    session: Session,
    prereview: PreReview,
    kind: FindingKind,
    actor: Actor,
    *,
    reason: str | None = None,
    material_no: int = 0,
) -> None:
    """Write down something supervision counts (S23); the same finding again changes nothing."""
    made = session.scalar(
        insert(PreReviewFinding)
        .values(
            id=ids.uuid7(),
            prereview_id=prereview.id,
            kind=kind,
            round=prereview.round,
            material_no=material_no,
            reason=reason,
            at=clock.now(),
            by=actor.audit_id,
        )
        .on_conflict_do_nothing()
        .returning(PreReviewFinding.id)
    )
    if made is not None:
        audit.record(
            session,
            actor=actor,
            action="prereview.finding",
            object_type=MATTER,
            object_id=prereview.id,
            kind=kind.value,
            material_no=material_no,
        )


def erase(session: Session, prereview: PreReview, now: datetime) -> None:
    """Forget what the citizen filled in and uploaded; number, times and history stay (P-6)."""
    materials = [material.id for material in prereview.materials]
    session.execute(delete(PreReviewFile).where(PreReviewFile.material_id.in_(materials)))
    session.execute(update(PreReviewMaterial).where(PreReviewMaterial.id.in_(materials)).values(comment=None))
    session.execute(delete(PreReviewNote).where(PreReviewNote.prereview_id == prereview.id))
    files.release(session, matter_type=MATTER, matter_id=prereview.id)
    prereview.answers = {}
    prereview.reject_reason = None
    prereview.erased_at = now
    session.flush()
