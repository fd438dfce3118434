"""Whether an act is confirmed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from auth.staff.confirmations.models import StaffConfirmation


def stands(session: Session, *, session_id: UUID, act: str, now: datetime) -> bool:
    """Whether the session has a confirmation for `act` that is fresh at the true time `now`."""
    found = exists().where(
        StaffConfirmation.session_id == session_id, StaffConfirmation.act == act, StaffConfirmation.expires_at > now
    )
    return bool(session.scalar(select(found)))
