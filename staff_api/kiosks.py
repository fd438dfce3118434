"""Kiosks of the halls and their keys."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma

from auth.kiosks import queries, service
from auth.kiosks.models import Kiosk
from auth.staff.confirmations.rules import Act
from auth.staff.roles import SYSTEM_ADMIN
from casework.places import queries as places
from core.db import transaction
from core.web import access
from core.web.blueprint import Blueprint
from core.web.idempotency import run_once
from core.web.paging import Page, PageIn, page_out
from core.web.schemas import Moment, Text

blp = Blueprint("staff_kiosks", __name__, url_prefix="/staff/v1/kiosks", description="自助终端 / Kiosks (staff)")


class KioskIn(ma.Schema):
    """A kiosk with its public key (PEM, Ed25519)."""

    code = ma.fields.String(required=True, validate=ma.validate.Regexp(r"\A[A-Z0-9][A-Z0-9-]{2,31}\Z"))
    name = Text(100, required=True)
    hall_id = ma.fields.UUID(required=True)
    public_key = Text(500, lines=True, required=True)


class KioskStateIn(ma.Schema):
    """Whether the kiosk may work."""

    active = ma.fields.Boolean(required=True)


class KioskOut(ma.Schema):
    """A kiosk."""

    id = ma.fields.UUID(required=True)
    code = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    hall_id = ma.fields.UUID(required=True)
    active = ma.fields.Boolean(required=True)
    registered_at = Moment(required=True)
    last_seen_at = Moment(required=True, allow_none=True)


@blp.get("")
@access.staff(SYSTEM_ADMIN)
@blp.arguments(PageIn, location="query")
@blp.response(200, page_out(KioskOut))
def kiosks(args: dict[str, Any]) -> Page[Kiosk]:
    """List the kiosks, the newest first."""
    with transaction() as session:
        return queries.page(session, args)


@blp.post("")
@access.staff(SYSTEM_ADMIN, confirm=Act.KEYS)
@run_once
@blp.arguments(KioskIn)
@blp.response(201, KioskOut)
def register(data: dict[str, Any]) -> Kiosk:
    """Register a kiosk."""
    with transaction() as session:
        places.hall(session, data["hall_id"])
        return service.register(session, actor=access.staff_actor(), **data)


@blp.patch("/<uuid:kiosk_id>")
@access.staff(SYSTEM_ADMIN, confirm=Act.KEYS)
@blp.arguments(KioskStateIn)
@blp.response(200, KioskOut)
def set_active(data: dict[str, Any], kiosk_id: UUID) -> Kiosk:
    """Shut a kiosk out, or let it back in."""
    with transaction() as session:
        return service.set_active(session, actor=access.staff_actor(), kiosk_id=kiosk_id, active=data["active"])
