"""Another phone or WeChat account, and phones that changed hands."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from auth.factors import rules
from auth.factors import service as factors
from auth.rebinding import service
from auth.sessions.service import Fresh
from core.db import transaction
from core.limits import Limit, hit
from core.web import access
from core.web.blueprint import Blueprint
from core.web.request_context import request_address
from core.web.schemas import Text
from miniprogram_api.login import CodeIn, CodeSentOut, DeviceHeader, FreshOut, WeChatCodeIn, code_times

blp = Blueprint(
    "rebinding", __name__, url_prefix="/api/v1/account", description="换绑 / Another phone or WeChat account"
)

CHANGES_PER_PERSON = Limit("rebinding-person", 10, 3_600)


class PhoneIn(ma.Schema):
    """The new phone, and the code that `POST /api/v1/account/phone/code` sent to it."""

    phone = Text(40, required=True)
    code = ma.fields.String(required=True, validate=ma.validate.Regexp(r"\A[0-9]{6}\Z"))


@blp.post("/phone/code")
@access.citizen(level=0, limit=rules.CODES_PER_PERSON)
@blp.arguments(DeviceHeader, location="headers")
@blp.arguments(CodeIn)
@blp.response(202, CodeSentOut)
def send_code(header: dict[str, Any], data: dict[str, Any]) -> dict[str, int]:
    """Send a one-time code to a phone that I want to bind; it is good for that alone, on this device."""
    hit(rules.CODES_PER_ADDRESS, request_address() or "-")
    use = rules.binding_within(access.citizen_actor().session_id)
    with transaction() as session:
        factors.send_code(session, phone=data["phone"], use=use, device=header["device"])
    return code_times()


@blp.post("/phone")
@access.citizen(level=1, limit=CHANGES_PER_PERSON)
@blp.arguments(PhoneIn)
@blp.response(200, FreshOut)
def change_phone(data: dict[str, Any]) -> Fresh:
    """Change my phone; who has proven an identity makes a fresh proof for CHANGE_PHONE first."""
    actor = access.citizen_actor()
    proven = factors.check_code(**data, use=rules.binding_within(actor.session_id))
    with transaction() as session:
        return service.change_phone(session, actor=actor, phone=data["phone"], proven=proven)


@blp.post("/wechat")
@access.citizen(level=1, limit=CHANGES_PER_PERSON)
@blp.arguments(WeChatCodeIn)
@blp.response(200, FreshOut)
def change_wechat(data: dict[str, Any]) -> Fresh:
    """Change my WeChat account; who has proven an identity makes a fresh proof for CHANGE_WECHAT first."""
    identity = factors.ask_wechat(data["code"])
    with transaction() as session:
        return service.change_wechat(session, actor=access.citizen_actor(), identity_of=identity)


@blp.post("/phone/new-owner")
@access.citizen(level=1, limit=CHANGES_PER_PERSON)
@blp.response(200, FreshOut)
def declare_new_owner() -> Fresh:
    """Say that this phone number was another person's before and is mine now."""
    with transaction() as session:
        return service.declare_new_owner(session, actor=access.citizen_actor())
