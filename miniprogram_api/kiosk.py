"""Signing in at a kiosk: the card in the reader, the request signed by the machine (S46)."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import request

from auth.kiosks import rules, service
from auth.kiosks.service import Card, Signed
from auth.sessions.service import Tokens
from core import clock
from core.db import transaction
from core.identifiers import DocumentType
from core.limits import Limit
from core.web import access
from core.web.blueprint import Blueprint
from core.web.request_context import language, request_address
from core.web.schemas import Text
from miniprogram_api.login import TokensOut

blp = Blueprint("kiosk", __name__, url_prefix="/api/v1/kiosk", description="自助终端 / Kiosks")

ASKED = Limit("kiosk-requests", 60, 60)


class KioskHeadersIn(ma.Schema):
    """How the kiosk signed: Ed25519 over method, path, time, nonce and SHA-256 of the body, a line each."""

    class Meta:
        """Other headers are none of this schema's business."""

        unknown = ma.EXCLUDE

    kiosk = Text(64, required=True, data_key="X-Kiosk")
    time = Text(12, required=True, data_key="X-Kiosk-Time", metadata={"description": "Seconds since 1970"})
    nonce = Text(64, required=True, data_key="X-Kiosk-Nonce")
    signature = Text(100, required=True, data_key="X-Kiosk-Signature", metadata={"description": "Base64"})


class CardIn(ma.Schema):
    """What the reader read from the chip."""

    name = Text(100, required=True)
    document_type = ma.fields.String(required=True, validate=ma.validate.OneOf([one.value for one in DocumentType]))
    document_number = Text(40, required=True)
    valid_until = ma.fields.Date(load_default=None, allow_none=True)


@blp.post("/sign-in")
@access.public("the kiosk's signature and the card in its reader are the credentials", limit=ASKED)
@blp.arguments(KioskHeadersIn, location="headers")
@blp.arguments(CardIn)
@blp.response(200, TokensOut)
def sign_in(headers: dict[str, str], data: dict[str, Any]) -> Tokens:
    """Sign in with the card in a kiosk's reader, for two idle minutes."""
    signed = rules.message(
        method=request.method,
        path=request.path,
        time=headers["time"],
        nonce=headers["nonce"],
        body=request.get_data(cache=True),
    )
    with transaction() as session:
        kiosk = service.prove(session, Signed(**headers, signed=signed), clock.wall())
        outcome = service.sign_in(
            session, kiosk=kiosk, card=Card(**data), address=request_address(), language=language()
        )
    return outcome.insist()
