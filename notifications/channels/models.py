"""The table of deliveries."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UuidKey
from notifications.channels.rules import Channel, DeliveryState


def _one_of(column: str, values: type[Channel] | type[DeliveryState]) -> str:
    return f"{column} IN ({', '.join(repr(value.value) for value in values)})"


class Delivery(UuidKey, Base):
    """A message on its way through one channel. Never two for one message and channel, so nobody is told twice.

    `attempt` counts the partner's definite "not now": a repetition of an unanswered request keeps the number, by which
    the SMS platform recognises it. `reference` is the partner's id, `reason` our word for what went wrong.
    """

    __tablename__ = "message_delivery"
    __table_args__ = (
        UniqueConstraint("message_id", "channel"),
        CheckConstraint(_one_of("channel", Channel), name="channel_known"),
        CheckConstraint(_one_of("state", DeliveryState), name="state_known"),
        Index("ix_message_delivery_reference", "reference"),
    )

    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"))
    channel: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    attempt: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime]
    first_asked_at: Mapped[datetime | None]
    asked_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    reference: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
