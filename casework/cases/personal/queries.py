"""The person's own cases; they are kept by archive duty, whoever closes an account (P-4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from auth.personal_data.ports import OpenMatter
from casework.cases.models import ServiceCase
from casework.cases.rules import FINAL, LABELS, State


def export(session: Session, subject_id: UUID) -> Mapping[str, Any]:
    """Every case with what was filled in, its decision with the reason, and its way. Officers aren't named."""
    rows = session.scalars(
        select(ServiceCase)
        .where(ServiceCase.owner_id == subject_id)
        .order_by(ServiceCase.id)
        .options(selectinload(ServiceCase.transitions))
    )
    return {
        "cases": [
            {
                "number": row.number,
                "item": row.item_name,
                "department": row.department_name,
                "applicant": row.applicant_name,
                "document_type": row.applicant_document_type,
                "document": row.applicant_document,
                "channel": row.channel,
                "answers": row.answers,
                "state": row.state,
                "received_at": row.received_at,
                "accepted_at": row.accepted_at,
                "due_on": row.due_on,
                "decided_at": row.decided_at,
                "refusal_reason": row.refusal_reason,
                "refusal_clause": row.refusal_clause,
                "result": row.result_name,
                "result_number": row.result_number,
                "delivered_at": row.delivered_at,
                "timeline": [
                    {"at": step.at, "state": step.to_state, "note": step.public_note} for step in row.transitions
                ],
            }
            for row in rows
        ]
    }


def open_matters(session: Session, subject_id: UUID) -> Sequence[OpenMatter]:
    """Cases that are not at their end."""
    rows = session.execute(
        select(ServiceCase.number, ServiceCase.item_name, ServiceCase.state)
        .where(ServiceCase.owner_id == subject_id, ServiceCase.state.not_in(FINAL))
        .order_by(ServiceCase.id)
    )
    return [OpenMatter("CASE", row.number, row.item_name, LABELS[State(row.state)]) for row in rows]
