"""The clerk's reads, always within the clerk's hall; drafts are never seen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select, tuple_
from sqlalchemy.orm import Session

from casework.prereview import queries, rules
from casework.prereview.models import FindingKind, PreReview, PreReviewFile, PreReviewFinding, PreReviewVerdict
from casework.prereview.rules import Reason, Verdict
from core.actors import Staff
from core.errors import InvalidInput, NotFound
from core.web.paging import Page, decode, encode


def queue(session: Session, actor: Staff, args: Mapping[str, Any]) -> Page[PreReview]:
    """The pre-reviews of the clerk's hall, longest waiting first (PR-3); `args`: paging, state, zone, item_id."""
    query = _of_hall(select(PreReview), actor)
    for column, wanted in (
        (PreReview.state, args.get("state")),
        (PreReview.zone_code, args.get("zone")),
        (PreReview.item_id, args.get("item_id")),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    place = tuple_(PreReview.submitted_at, PreReview.id)
    if args.get("cursor"):
        query = query.where(place > _position(args["cursor"]))
    limit = int(args["limit"])
    rows = list(session.scalars(query.order_by(PreReview.submitted_at, PreReview.id).limit(limit + 1)))
    shown = rows[:limit]
    more = len(rows) > limit
    return Page(shown, encode(f"{shown[-1].submitted_at},{shown[-1].id}") if more else None)


def _position(cursor: str) -> tuple[datetime, UUID]:
    try:
        moment, _, last = decode(cursor).partition(",")
        return datetime.fromisoformat(moment), UUID(last)
    except ValueError as fault:
        raise InvalidInput(fields={"cursor": ["不是有效的翻页标记 / not a valid cursor"]}) from fault


def of_hall(session: Session, prereview_id: UUID, actor: Staff, *, lock: bool = False) -> PreReview:
    """A pre-review of the clerk's hall with its papers. Raises `NotFound` for one of another hall, a draft or a missing one."""
    return queries.one(session, _of_hall(select(PreReview).where(PreReview.id == prereview_id), actor), lock=lock)


def whole(session: Session, prereview_id: UUID, actor: Staff) -> PreReview:
    """The same with history and internal notes. Raises `NotFound`."""
    query = _of_hall(select(PreReview).where(PreReview.id == prereview_id), actor)
    return queries.one(session, query.options(*queries.WITH_HISTORY))


def _of_hall(query: Select[PreReview], actor: Staff) -> Select[PreReview]:
    return query.where(PreReview.hall_id == actor.hall_id, PreReview.state.not_in(rules.HIDDEN))


def paper(prereview: PreReview, file_id: UUID) -> PreReviewFile:
    """A file of the pre-review, of any version. Raises `NotFound`."""
    for material in prereview.materials:
        for file in material.all_files:
            if file.file_id == file_id:
                return file
    raise NotFound()


def verdict_before(session: Session, material_id: UUID, round: int) -> tuple[Verdict, Reason | None] | None:
    """The last verdict on a material in an earlier round than `round`, or None (PR-5)."""
    found = session.execute(
        select(PreReviewVerdict.verdict, PreReviewVerdict.reason_code)
        .where(PreReviewVerdict.material_id == material_id, PreReviewVerdict.round < round)
        .order_by(PreReviewVerdict.id.desc())
        .limit(1)
    ).one_or_none()
    return None if found is None else (Verdict(found[0]), Reason(found[1]) if found[1] else None)


def second_defect_allowed(session: Session, prereview: PreReview, no: int) -> bool:
    """Whether a supervisor has let a late defect on this material pass in this round (PR-5)."""
    return (
        session.scalar(
            select(PreReviewFinding.id).where(
                PreReviewFinding.prereview_id == prereview.id,
                PreReviewFinding.kind == FindingKind.SECOND_DEFECT,
                PreReviewFinding.round == prereview.round,
                PreReviewFinding.material_no == no,
            )
        )
        is not None
    )
