"""The person's own pre-reviews."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.personal_data.ports import OpenMatter
from casework.prereview import queries
from casework.prereview.models import PreReview
from casework.prereview.rules import TEXTS, State

# What somebody is working on, or waits for the person; a passed one ends with the account.
_OPEN = (State.SUBMITTED, State.IN_REVIEW, State.NEEDS_CHANGE)


def export(session: Session, subject_id: UUID) -> Mapping[str, Any]:
    """Every pre-review with what was filled in, the papers' names and the verdicts. Clerks aren't named."""
    rows = session.scalars(
        select(PreReview).where(PreReview.owner_id == subject_id).order_by(PreReview.id).options(queries.WITH_PAPERS)
    )
    return {
        "prereviews": [
            {
                "number": row.number,
                "item": row.item_name,
                "state": row.state,
                "answers": row.answers,
                "created_at": row.created_at,
                "submitted_at": row.submitted_at,
                "answered_at": row.answered_at,
                "reject_reason": row.reject_reason,
                "papers": [
                    {
                        "name": paper.name,
                        "provided": paper.provision,
                        "verdict": paper.verdict,
                        "comment": paper.comment,
                        "files": [file.file_id for file in paper.files],
                    }
                    for paper in row.listed
                ],
            }
            for row in rows
        ]
    }


def open_matters(session: Session, subject_id: UUID) -> Sequence[OpenMatter]:
    """Pre-reviews that are under way."""
    rows = session.execute(
        select(PreReview.number, PreReview.item_name, PreReview.state)
        .where(PreReview.owner_id == subject_id, PreReview.state.in_(_OPEN))
        .order_by(PreReview.id)
    )
    return [OpenMatter("PREREVIEW", row.number, row.item_name, TEXTS[State(row.state)]) for row in rows]
