"""The inbox: messages of the signed-in person."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma

from core.db import transaction
from core.web import access
from core.web.blueprint import Blueprint
from core.web.paging import Page, PageIn, page_out
from core.web.schemas import Moment
from notifications.messages import queries, service
from notifications.messages.queries import Letter
from notifications.preferences import service as preferences

blp = Blueprint("inbox", __name__, url_prefix="/api/v1/inbox", description="消息 / Inbox")


class MessageMatterOut(ma.Schema):
    """What a message is about."""

    type = ma.fields.String(required=True)
    id = ma.fields.UUID(required=True)


class MessageOut(ma.Schema):
    """One message."""

    id = ma.fields.UUID(required=True)
    template = ma.fields.String(required=True, metadata={"description": "Stable code of the kind of message"})
    title = ma.fields.String(required=True)
    text = ma.fields.String(required=True)
    important = ma.fields.Boolean(required=True)
    matter = ma.fields.Nested(MessageMatterOut, required=True, allow_none=True)
    created_at = Moment(required=True)
    read_at = Moment(required=True, allow_none=True)


class UnreadOut(ma.Schema):
    """How many messages are unread."""

    unread = ma.fields.Integer(required=True)


class SubscriptionAnswerIn(ma.Schema):
    """What the person answered for one group of WeChat messages."""

    group = ma.fields.String(required=True, validate=ma.validate.Regexp(r"\A[A-Z_]{1,40}\Z"))
    accepted = ma.fields.Boolean(required=True, truthy={True}, falsy={False})


class SubscriptionsIn(ma.Schema):
    """What `wx.requestSubscribeMessage` answered."""

    answers = ma.fields.List(ma.fields.Nested(SubscriptionAnswerIn), required=True, validate=ma.validate.Length(1, 10))


@blp.get("")
@access.citizen()
@blp.arguments(PageIn, location="query")
@blp.response(200, page_out(MessageOut))
def inbox(args: dict[str, Any]) -> Page[Letter]:
    """List my messages, newest first."""
    with transaction() as session:
        return queries.inbox(session, access.citizen_actor().subject_id, args)


@blp.get("/unread-count")
@access.citizen()
@blp.response(200, UnreadOut)
def unread_count() -> dict[str, int]:
    """Count my unread messages."""
    with transaction() as session:
        return {"unread": queries.unread_count(session, access.citizen_actor().subject_id)}


@blp.post("/<uuid:message_id>/read")
@access.citizen()
@blp.response(200, MessageOut)
def read(message_id: UUID) -> Letter:
    """Mark one of my messages as read."""
    with transaction() as session:
        return service.mark_read(session, actor=access.citizen_actor(), message_id=message_id)


@blp.post("/subscriptions")
@access.citizen()
@blp.arguments(SubscriptionsIn)
@blp.response(204)
def subscriptions(data: dict[str, Any]) -> None:
    """Record which WeChat messages I allowed."""
    answers = {answer["group"]: answer["accepted"] for answer in data["answers"]}
    with transaction() as session:
        preferences.answer(session, actor=access.citizen_actor(), answers=answers)
