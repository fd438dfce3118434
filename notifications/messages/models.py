"""The table of messages."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Encrypted, UuidKey


class Message(UuidKey, Base):
    """A message as it was written for its receiver, in the receiver's language. Never changed but for `read_at`.

    `fields` is the JSON of the Chinese fields, from which short messages and subscribe messages are made.
    """

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("event_id", "receiver_id"),
        Index("ix_message_receiver_id", "receiver_id", "id"),
        Index("ix_message_unread", "receiver_id", postgresql_where=text("read_at IS NULL")),
        Index("ix_message_matter", "matter_type", "matter_id"),
    )

    receiver_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"))
    event_id: Mapped[str] = mapped_column(Text)
    template: Mapped[str] = mapped_column(Text)
    matter_type: Mapped[str] = mapped_column(Text)
    matter_id: Mapped[UUID | None]
    title: Mapped[str] = mapped_column(Encrypted("message.title"))
    body: Mapped[str] = mapped_column(Encrypted("message.body"))
    fields: Mapped[str] = mapped_column(Encrypted("message.fields"))
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
