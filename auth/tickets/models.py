"""Tables of the bridge: which clients may use it, and the tickets."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UuidKey


class TicketBridge(Base):
    """A client that may exchange tickets, and the addresses that a person with one may be sent to."""

    __tablename__ = "ticket_bridge"

    client_key: Mapped[UUID] = mapped_column(ForeignKey("oidc_client.id"), primary_key=True)
    addresses: Mapped[list[str]] = mapped_column(ARRAY(Text))
    active: Mapped[bool]
    changed_at: Mapped[datetime]


class SsoTicket(UuidKey, Base):
    """One ticket; only its hash. `sign_on_id`: what came of it. `reused_at`: it was shown again."""

    __tablename__ = "sso_ticket"

    token_hash: Mapped[bytes] = mapped_column(unique=True)
    client_key: Mapped[UUID] = mapped_column(ForeignKey("oidc_client.id"))
    session_id: Mapped[UUID] = mapped_column(ForeignKey("citizen_session.id", ondelete="CASCADE"), index=True)
    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"))
    goto: Mapped[str] = mapped_column(Text)
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]
    reused_at: Mapped[datetime | None]
    sign_on_id: Mapped[UUID | None]
