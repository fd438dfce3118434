"""Ending bindings of WeChat accounts. The session is given; nothing here commits."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.accounts.models import WeChatBinding
from auth.accounts.queries import openid_lookup
from auth.accounts.rules import EndReason
from core import audit, clock
from core.actors import Actor


def holder_of(session: Session, openid: str) -> UUID | None:
    """The subject whose WeChat account this is now, or None."""
    return session.scalar(
        select(WeChatBinding.subject_id).where(
            WeChatBinding.openid_lookup == openid_lookup(openid), WeChatBinding.ended_at.is_(None)
        )
    )


def release(
    session: Session, *, actor: Actor, subject_id: UUID, reason: EndReason, only: UUID | None = None
) -> list[str]:
    """End the live WeChat accounts of a subject, or the one of the binding `only`; which they were (openid)."""
    query = select(WeChatBinding).where(WeChatBinding.subject_id == subject_id, WeChatBinding.ended_at.is_(None))
    if only is not None:
        query = query.where(WeChatBinding.id == only)
    rows = session.scalars(query.order_by(WeChatBinding.id).with_for_update()).all()
    for row in rows:
        row.ended_at, row.end_reason = clock.now(), reason
    session.flush()
    audit.record(
        session,
        actor=actor,
        action="account.release_wechat",
        object_type="subject",
        object_id=subject_id,
        reason=reason.value,
    )
    return [row.openid for row in rows]
