"""The table of consents to WeChat messages."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class SubscribeConsent(Base):
    """What we know of a person's consent to one group of WeChat messages.

    `remaining`: messages allowed and not sent yet. `refused_at`: the person, or WeChat for him, said no; cleared by the
    next yes. A missing row means that we don't know.
    """

    __tablename__ = "subscribe_consent"
    __table_args__ = (CheckConstraint("remaining >= 0", name="remaining_not_negative"),)

    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"), primary_key=True)
    template_group: Mapped[str] = mapped_column(Text, primary_key=True)
    remaining: Mapped[int] = mapped_column(Integer)
    refused_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]
