"""The phone's side of signing a computer in by a QR code: look at who asks, then confirm or refuse."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import current_app

from auth.factors.scan import rules, service
from auth.factors.scan.service import Asking
from auth.sessions.devices.rules import device_words, place_words
from core.web import access
from core.web.blueprint import Blueprint
from core.web.request_context import language, request_address
from core.web.schemas import Moment, Text

blp = Blueprint(
    "scan_sign_in", __name__, url_prefix="/api/v1/scan-sign-ins", description="扫码登录 / Sign-in by QR code"
)


class ScannedIn(ma.Schema):
    """What the phone's camera read: the whole text of the QR code."""

    scanned = Text(500, required=True)


class AskingOut(ma.Schema):
    """Who asks to be signed in. Show all of it, and warn when `same_network` is false: the computer is somewhere else."""

    site = ma.fields.Method("_site", required=True)
    device = ma.fields.Method("_device", required=True, metadata={"description": "What the browser says of itself"})
    place = ma.fields.Method("_place", required=True, metadata={"description": "By the kind of its network address"})
    same_network = ma.fields.Boolean(required=True)
    asked_at = Moment(required=True)
    expires_in = ma.fields.Integer(required=True, metadata={"description": "Seconds"})

    def _site(self, asking: Asking) -> str:
        return asking.site_en if language() == "en" else asking.site_zh

    def _device(self, asking: Asking) -> str:
        return device_words(asking.device, "H5", english=language() == "en")

    def _place(self, asking: Asking) -> str:
        return place_words(asking.address, english=language() == "en")


@blp.post("/look-up")
@access.citizen(level=1, limit=rules.LOOK_UPS_PER_PERSON)
@blp.arguments(ScannedIn)
@blp.response(200, AskingOut)
def look_up(data: dict[str, Any]) -> Asking:
    """Look at which site asks to be signed in, on which device and from where."""
    own = current_app.config["PUBLIC_URL"]
    return service.look_up(actor=access.citizen_actor(), own=own, address=request_address(), **data)


@blp.post("/confirm")
@access.citizen(level=1, limit=rules.LOOK_UPS_PER_PERSON)
@blp.arguments(ScannedIn)
@blp.response(204)
def confirm(data: dict[str, Any]) -> None:
    """Sign that computer in as me."""
    service.answer(actor=access.citizen_actor(), own=current_app.config["PUBLIC_URL"], confirm=True, **data)


@blp.post("/refuse")
@access.citizen(level=1, limit=rules.LOOK_UPS_PER_PERSON)
@blp.arguments(ScannedIn)
@blp.response(204)
def refuse(data: dict[str, Any]) -> None:
    """Refuse: that computer is not mine."""
    service.answer(actor=access.citizen_actor(), own=current_app.config["PUBLIC_URL"], confirm=False, **data)
