"""The signed-in person's own account: identity, devices, sign-in history, consents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import marshmallow as ma

from auth.consent import queries as consents
from auth.consent import service as consent
from auth.consent.queries import Standing
from auth.consent.rules import ConsentKind
from auth.identity import queries as identity
from auth.identity.queries import Account
from auth.sessions import queries, service
from auth.sessions.devices import service as devices_service
from auth.sessions.devices.rules import device_words, place_words
from auth.sessions.devices.service import Disowned
from auth.sessions.queries import Device
from core.actors import Action
from core.db import transaction
from core.web import access
from core.web.blueprint import Blueprint
from core.web.paging import Page, PageIn, page_out
from core.web.request_context import language
from core.web.schemas import Moment, Text

blp = Blueprint("account", __name__, url_prefix="/api/v1/account", description="我的账号 / Account")


class EvidenceOut(ma.Schema):
    """One piece of evidence that counts, or waits for a review."""

    type = ma.fields.String(required=True)
    result = ma.fields.String(required=True, metadata={"description": "PASS or REVIEW"})
    at = Moment(required=True)
    expires_at = Moment(required=True, allow_none=True)
    look_again_at = Moment(required=True, allow_none=True)


class WayOut(ma.Schema):
    """A way to the next level; `reason` says why one is not open here."""

    way = ma.fields.String(required=True)
    reaches = ma.fields.Integer(required=True)
    label = ma.fields.String(required=True)
    call = ma.fields.String(required=True, allow_none=True)
    open = ma.fields.Boolean(required=True)
    reason = ma.fields.String(required=True, allow_none=True)


class AccountOut(ma.Schema):
    """Who one is here. Personal values are masked; below level 2 name and document are left out."""

    level = ma.fields.Integer(required=True)
    name = ma.fields.String(required=True, allow_none=True)
    phone = ma.fields.String(required=True, allow_none=True)
    document_type = ma.fields.String(required=True, allow_none=True)
    document_label = ma.fields.String(required=True, allow_none=True)
    document_number = ma.fields.String(required=True, allow_none=True)
    evidence = ma.fields.List(ma.fields.Nested(EvidenceOut), required=True)
    ways = ma.fields.List(ma.fields.Nested(WayOut), required=True)


class _WhereOut(ma.Schema):
    """A device and a place in words; `device` is what the client says of itself."""

    id = ma.fields.UUID(required=True)
    channel = ma.fields.String(required=True)
    device = ma.fields.String(required=True, allow_none=True)
    device_name = ma.fields.Function(
        lambda row: device_words(row.device, row.channel, english=language() == "en"), required=True
    )
    place = ma.fields.Function(lambda row: place_words(row.address, english=language() == "en"), required=True)


class DeviceOut(_WhereOut):
    """A signed-in device."""

    created_at = Moment(required=True)
    last_seen_at = Moment(required=True)
    expires_at = Moment(required=True)
    current = ma.fields.Boolean(required=True)


class DevicesOut(ma.Schema):
    """All signed-in devices."""

    items = ma.fields.List(ma.fields.Nested(DeviceOut), required=True)


class LoginEventOut(_WhereOut):
    """One line of the sign-in history."""

    at = Moment(required=True)
    method = ma.fields.String(required=True)
    result = ma.fields.String(required=True)
    address = ma.fields.String(required=True, allow_none=True)


class DisownedOut(ma.Schema):
    """What followed. Every device is signed out, this one too; until then no other phone or WeChat account can be bound."""

    report_id = ma.fields.UUID(required=True)
    sessions_ended = ma.fields.Integer(required=True)
    rebinding_frozen_until = Moment(required=True)


class EndedOut(ma.Schema):
    """How many devices were signed out."""

    ended = ma.fields.Integer(required=True)


class ConsentIn(ma.Schema):
    """The text that was shown and agreed to."""

    kind = ma.fields.Enum(ConsentKind, by_value=True, required=True)
    text_version = Text(40, required=True)


class ConsentOut(ma.Schema):
    """A kind of consent: the text in force, and what this person agreed to."""

    kind = ma.fields.String(required=True)
    text_version = ma.fields.String(required=True)
    given_version = ma.fields.String(required=True, allow_none=True)
    given_at = Moment(required=True, allow_none=True)


class ConsentsOut(ma.Schema):
    """Every kind of consent."""

    items = ma.fields.List(ma.fields.Nested(ConsentOut), required=True)


@blp.get("")
@access.citizen(level=0)
@blp.response(200, AccountOut)
def account() -> Account:
    """Show my account and the ways to the next level."""
    with transaction() as session:
        return identity.account(session, access.citizen_actor(), language=language())


@blp.get("/sessions")
@access.citizen(level=0)
@blp.response(200, DevicesOut)
def devices() -> dict[str, Sequence[Device]]:
    """List my signed-in devices."""
    with transaction() as session:
        return {"items": queries.sessions(session, access.citizen_actor())}


@blp.delete("/sessions/<uuid:session_id>")
@access.citizen(level=0)
@blp.response(204)
def end_session(session_id: UUID) -> None:
    """Sign one of my devices out."""
    with transaction() as session:
        service.end_session(session, actor=access.citizen_actor(), session_id=session_id)


@blp.delete("/sessions")
@access.citizen(level=0)
@blp.response(200, EndedOut)
def end_other_sessions() -> dict[str, int]:
    """Sign all my other devices out."""
    with transaction() as session:
        return {"ended": service.end_others(session, actor=access.citizen_actor())}


@blp.get("/sign-ins")
@access.citizen(level=1)
@blp.arguments(PageIn, location="query")
@blp.response(200, page_out(LoginEventOut))
def sign_ins(args: dict[str, Any]) -> Page[Any]:
    """List my sign-ins, the newest first."""
    with transaction() as session:
        return queries.sign_ins(session, access.citizen_actor(), args)


@blp.post("/sign-ins/<uuid:sign_in_id>/not-me")
@access.citizen(level=1)
@blp.response(200, DisownedOut)
def not_me(sign_in_id: UUID) -> Disowned:
    """Say that a sign-in wasn't mine: everything is signed out."""
    with transaction() as session:
        return devices_service.disown(session, actor=access.citizen_actor(), login_event_id=sign_in_id)


@blp.get("/consents")
@access.citizen(level=1)
@blp.response(200, ConsentsOut)
def my_consents() -> dict[str, Sequence[Standing]]:
    """List what I have consented to."""
    with transaction() as session:
        actor = access.citizen_actor()
        return {"items": consents.standing(session, actor.owner_id, session_id=actor.session_id)}


@blp.post("/consents")
@access.citizen(level=1, acts=Action.SUBMIT)
@blp.arguments(ConsentIn)
@blp.response(200, ConsentsOut)
def give_consent(data: dict[str, Any]) -> dict[str, Sequence[Standing]]:
    """Consent to a text."""
    with transaction() as session:
        return {"items": consent.give(session, actor=access.citizen_actor(), **data)}


@blp.delete("/consents/<kind>")
@access.citizen(level=1, acts=Action.SUBMIT)
@blp.response(204)
def withdraw_consent(kind: str) -> None:
    """Withdraw a consent."""
    with transaction() as session:
        consent.withdraw(session, actor=access.citizen_actor(), kind=kind)
