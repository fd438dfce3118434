"""Partner callbacks as they arrived: the raw body is stored before anything else looks at it, once per partner event.

The body holds personal data and is encrypted. `event_key` is the partner's own event id (or a digest of the body): a
second arrival finds the first one's row, so repeats change nothing (2.7, CR-14, PY-8).
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Integer, Text, UniqueConstraint, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import clock
from core.db import Base, Encrypted, UuidKey

BODY_CONTEXT = "partner_callback.body"


class PartnerCallback(UuidKey, Base):
    """One callback. `state`: RECEIVED, REFUSED (signature, replay, unknown), DONE, FAILED (needs a person)."""

    __tablename__ = "partner_callback"
    __table_args__ = (UniqueConstraint("partner", "event_key"),)

    partner: Mapped[str] = mapped_column(Text)
    event_key: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Encrypted(BODY_CONTEXT))
    content_type: Mapped[str] = mapped_column(Text)
    received_at: Mapped[datetime] = mapped_column(index=True)
    last_received_at: Mapped[datetime]
    arrivals: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)


@dataclass(frozen=True, slots=True)
class Stored:
    """Where a callback is kept, whether this was its first arrival, and its state before this arrival."""

    id: UUID
    first: bool
    state: str


def digest_key(body: bytes) -> str:
    """An event key for partners that send no event id: the body's SHA-256."""
    return "sha256:" + hashlib.sha256(body).hexdigest()


def store(session: Session, *, partner: str, event_key: str, body: bytes, content_type: str) -> Stored:
    """Keep the raw body. The first arrival makes a row; later ones count up."""
    now = clock.now()
    statement = (
        insert(PartnerCallback)
        .values(
            partner=partner,
            event_key=event_key[:200],
            body=base64.b64encode(body).decode(),
            content_type=content_type[:100],
            received_at=now,
            last_received_at=now,
            arrivals=1,
            state="RECEIVED",
            note="",
        )
        .on_conflict_do_update(
            constraint="uq_partner_callback_partner_event_key",
            set_={"arrivals": PartnerCallback.arrivals + 1, "last_received_at": now},
        )
        .returning(PartnerCallback.id, PartnerCallback.arrivals, PartnerCallback.state)
    )
    row = session.execute(statement).one()
    return Stored(row.id, row.arrivals == 1, row.state)


def get(session: Session, callback_id: UUID) -> tuple[str, bytes]:
    """Partner and raw body of a stored callback, its row locked (for the job that works on it)."""
    row = session.execute(
        select(PartnerCallback).where(PartnerCallback.id == callback_id).with_for_update()
    ).scalar_one()
    return row.partner, base64.b64decode(row.body)


def finish(session: Session, callback_id: UUID, state: str, note: str = "") -> None:
    """Record what became of a callback; `note` is ours (a code or a few words), never the partner's text."""
    row = session.get_one(PartnerCallback, callback_id)
    row.state, row.note = state, note[:200]
