"""Reads of requests: the person's own, and those that wait for a registrar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.personal_data.corrections.models import CorrectionRequest
from auth.personal_data.corrections.rules import LABELS, UNANSWERED, State
from auth.personal_data.ports import OpenMatter
from core.web.paging import Page, by_id


def page_of_person(session: Session, subject_id: UUID, args: Mapping[str, Any]) -> Page[CorrectionRequest]:
    """The person's requests, the newest first."""
    query = select(CorrectionRequest).where(CorrectionRequest.subject_id == subject_id)
    return by_id(session, query, CorrectionRequest.id, args)


def queue(session: Session, args: Mapping[str, Any]) -> Page[CorrectionRequest]:
    """What waits for an answer, the oldest first."""
    query = select(CorrectionRequest).where(CorrectionRequest.state.in_(UNANSWERED))
    return by_id(session, query, CorrectionRequest.id, args, newest_first=False)


def export(session: Session, subject_id: UUID) -> Mapping[str, Any]:
    """The person's own requests with their answers; who answered isn't named."""
    rows = session.scalars(
        select(CorrectionRequest).where(CorrectionRequest.subject_id == subject_id).order_by(CorrectionRequest.id)
    )
    return {
        "requests": [
            {
                "kind": row.kind,
                "matter": row.matter_number,
                "wish": row.wish,
                "state": row.state,
                "created_at": row.created_at,
                "answer": row.answer,
                "closed_at": row.closed_at,
            }
            for row in rows
        ]
    }


def open_matters(session: Session, subject_id: UUID) -> Sequence[OpenMatter]:
    """Requests that nobody has answered yet."""
    rows = session.scalars(
        select(CorrectionRequest)
        .where(CorrectionRequest.subject_id == subject_id, CorrectionRequest.state.in_(UNANSWERED))
        .order_by(CorrectionRequest.id)
    )
    return [OpenMatter("CORRECTION", str(row.id), row.kind, LABELS[State(row.state)]) for row in rows]
