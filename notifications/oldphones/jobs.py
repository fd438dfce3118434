"""Telling old phones."""

from __future__ import annotations

from uuid import UUID

from core import jobs
from core.db import transaction
from notifications.oldphones import service


@jobs.task(service.JOB, queue="messages")
def tell_old_phone(binding_id: str) -> None:
    """Tell the phone of an ended binding that it was replaced."""
    with transaction() as session:
        phone = service.old_phone(session, UUID(binding_id))
    if phone is not None:
        service.send(phone, UUID(binding_id))
