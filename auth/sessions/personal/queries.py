"""The person's own sign-in history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.sessions.devices.models import SignInReport
from auth.sessions.devices.rules import device_words
from auth.sessions.models import LoginEvent


def export(session: Session, subject_id: UUID) -> Mapping[str, Any]:
    """Every sign-in that is still kept, and those the person disowned."""
    lines = session.scalars(select(LoginEvent).where(LoginEvent.subject_id == subject_id).order_by(LoginEvent.id))
    reports = session.scalars(select(SignInReport).where(SignInReport.subject_id == subject_id))
    return {
        "sign_ins": [
            {
                "at": line.at,
                "method": line.method,
                "channel": line.channel,
                "result": line.result,
                "address": line.address,
                "device": device_words(line.device, line.channel),
            }
            for line in lines
        ],
        "disowned": [{"reported_at": row.reported_at, "signed_in_at": row.signed_in_at} for row in reports],
    }
