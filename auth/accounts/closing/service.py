"""Erasing a profile. The session is given; nothing here commits."""

from __future__ import annotations

import secrets
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from auth.accounts import rules
from auth.accounts.events import AccountClosed
from auth.accounts.models import AlipayBinding, PhoneBinding, Subject, SubjectDocument, SubjectName, WeChatBinding
from auth.accounts.rules import EndReason, SubjectState
from core import audit, clock, events
from core.actors import Actor
from core.errors import StateConflict

_HASH_BYTES = 32


def close(session: Session, *, actor: Actor, subject_id: UUID) -> None:
    """Nobody is this subject any more: phones, WeChat, Alipay, documents and names are gone.

    The row stays, since cases under archive duty refer to it. The same person signing in later is a new subject.
    Raises `StateConflict` unless the subject is active.
    """
    closed = session.scalar(
        update(Subject)
        .where(Subject.id == subject_id, Subject.state.in_(rules.sources(SubjectState.CLOSED)))
        .values(state=SubjectState.CLOSED, contact_phone=None)
        .returning(Subject.id)
    )
    if closed is None:
        raise StateConflict()
    now = clock.now()
    blank: dict[type[PhoneBinding | WeChatBinding | AlipayBinding], dict[str, object]] = {
        PhoneBinding: {"phone": "", "phone_lookup": None},
        WeChatBinding: {"openid": "", "openid_lookup": None, "unionid": None},
        AlipayBinding: {"open_id": None, "user_id": None, "open_id_lookup": None, "user_id_lookup": None},
    }
    for table, values in blank.items():
        session.execute(
            update(table)
            .where(table.subject_id == subject_id, table.ended_at.is_(None))
            .values(ended_at=now, end_reason=EndReason.CLOSED)
        )
        # A look-up hash of nothing in particular, one a row: the old one would still find the person.
        hashes = [name for name in values if name.endswith("_lookup")]
        for row_id in session.scalars(select(table.id).where(table.subject_id == subject_id)):
            noise = {name: secrets.token_bytes(_HASH_BYTES) for name in hashes}
            session.execute(update(table).where(table.id == row_id).values({**values, **noise}))
    for gone in (SubjectDocument, SubjectName):
        session.execute(delete(gone).where(gone.subject_id == subject_id))
    audit.record(session, actor=actor, action="account.close", object_type="subject", object_id=subject_id)
    events.publish(session, AccountClosed(subject_id))
