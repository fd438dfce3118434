"""Reads of messages: the person's own inbox, and what a channel needs to send one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from core.web import paging
from notifications.messages.models import Message
from notifications.templates.queries import template
from notifications.templates.rules import Template


@dataclass(frozen=True, slots=True)
class Matter:
    """What a message is about: a bill, a case, a booking."""

    type: str
    id: UUID


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as its receiver reads it."""

    id: UUID
    template: str
    title: str = field(repr=False)
    text: str = field(repr=False)
    important: bool
    matter: Matter | None
    created_at: datetime
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message as a channel needs it. `superseded`: a later message on the same matter has made it pointless."""

    id: UUID
    receiver_id: UUID
    template: Template
    fields: Mapping[str, str] = field(repr=False)
    read: bool
    superseded: bool


def inbox(session: Session, receiver_id: UUID, args: Mapping[str, Any]) -> paging.Page[Letter]:
    """One page of a person's messages, newest first; `args` is a loaded `PageIn`."""
    page = paging.by_id(session, select(Message).where(Message.receiver_id == receiver_id), Message.id, args)
    return paging.Page([letter(message) for message in page.items], page.next_cursor)


def unread_count(session: Session, receiver_id: UUID) -> int:
    """How many messages this person hasn't opened."""
    query = select(func.count()).where(Message.receiver_id == receiver_id, Message.read_at.is_(None))
    return session.scalars(query).one()


def letter(message: Message) -> Letter:
    """What the receiver sees of a message."""
    return Letter(
        id=message.id,
        template=message.template,
        title=message.title,
        text=message.body,
        important=template(message.template).important,
        matter=Matter(message.matter_type, message.matter_id) if message.matter_id else None,
        created_at=message.created_at,
        read_at=message.read_at,
    )


def outgoing(session: Session, message_id: UUID) -> Outgoing | None:
    """The message to send, or None when it is gone (its receiver was merged with another who had it already)."""
    message = session.get(Message, message_id)
    if message is None:
        return None
    entry = template(message.template)
    return Outgoing(
        id=message.id,
        receiver_id=message.receiver_id,
        template=entry,
        fields=json.loads(message.fields),
        read=message.read_at is not None,
        superseded=bool(entry.superseded_by) and _is_superseded(session, message, entry),
    )


def _is_superseded(session: Session, message: Message, entry: Template) -> bool:
    if message.matter_id is None:
        return False
    later = exists().where(
        Message.receiver_id == message.receiver_id,
        Message.matter_type == message.matter_type,
        Message.matter_id == message.matter_id,
        Message.template.in_(entry.superseded_by),
        Message.id > message.id,
    )
    return bool(session.scalar(select(later)))
