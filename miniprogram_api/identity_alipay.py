"""Proving who one is by one's own Alipay: level 3, or a fresh proof for one act."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import request

from auth.identity.alipay import service
from auth.identity.rules import Purpose
from auth.identity.service import Outcome
from auth.redirects.rules import POLICY
from core.db import transaction
from core.web import access
from core.web.blueprint import Blueprint
from core.web.schemas import Text
from miniprogram_api.identity import IdentityOut
from miniprogram_api.login_alipay import AlipayTripOut, seconds

blp = Blueprint(
    "identity_alipay", __name__, url_prefix="/api/v1/identity/alipay", description="支付宝实名认证 / Alipay identity"
)


class AlipayIn(ma.Schema):
    """Name and resident ID number as on the card; from level 2 on they may be left out.

    `purpose`: the one act that a fresh proof is for (level 4).
    """

    name = Text(200, load_default=None, allow_none=True)
    document_number = Text(60, load_default=None, allow_none=True)
    purpose = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.OneOf([*Purpose]))
    return_to = ma.fields.String(required=True, validate=ma.validate.Length(1, 1_000))


class AlipayResultIn(ma.Schema):
    """What the browser came back with; without `auth_code` the person did not agree."""

    state = ma.fields.String(required=True, validate=ma.validate.Length(1, 200))
    auth_code = Text(200, load_default=None, allow_none=True)


@blp.post("")
@access.citizen(level=1)
@blp.arguments(AlipayIn)
@blp.response(200, AlipayTripOut)
def start(data: dict[str, Any]) -> dict[str, Any]:
    """Begin to prove who I am by my own Alipay."""
    actor = access.citizen_actor()
    with transaction() as session:
        asked = service.question(session, actor=actor, device=request.user_agent.string, **data)
    verify_id = service.prepare(asked)
    with transaction() as session:
        url, state = service.begin(session, actor=actor, asked=asked, verify_id=verify_id)
    return {"url": url, "state": state, "expires_in": seconds(POLICY.valid)}


@blp.post("/result")
@access.citizen(level=1)
@blp.arguments(AlipayResultIn)
@blp.response(200, IdentityOut)
def finish(data: dict[str, Any]) -> Outcome:
    """Finish it with what the browser brought back from Alipay."""
    actor = access.citizen_actor()
    with transaction() as session:
        back = service.returned(session, actor=actor, **data)
    answer = service.ask(back)
    with transaction() as session:
        outcome = service.record(session, actor=actor, answer=answer)
    return outcome.insist()
