"""Going on to another department's page, signed in: `sp` is the client, `goto` the address (ID-7, ID-8)."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from auth.oidc.consents.rules import Field
from auth.tickets import service
from auth.tickets.service import Issued
from core import clock
from core.db import transaction
from core.limits import Limit
from core.web import access
from core.web.blueprint import Blueprint
from core.web.schemas import Moment, Text

blp = Blueprint("sso_tickets", __name__, url_prefix="/api/v1/sso-tickets", description="单点登录 / Single sign-on")

TICKETS = Limit("sso-tickets", 60, 60)


class SsoTicketIn(ma.Schema):
    """The client, one of its addresses, and the fields that the person has just agreed to show it."""

    sp = Text(64, required=True)
    goto = Text(1000, required=True)
    agreed = ma.fields.List(ma.fields.Enum(Field, by_value=True), load_default=[], validate=ma.validate.Length(max=10))


class SsoTicketOut(ma.Schema):
    """The address to open at once; the ticket in it is good once, until `expires_at`."""

    address = ma.fields.String(required=True)
    expires_at = Moment(required=True)


@blp.post("")
@access.citizen(level=1, limit=TICKETS)
@blp.arguments(SsoTicketIn)
@blp.response(200, SsoTicketOut)
def ticket(data: dict[str, Any]) -> Issued:
    """Get a ticket for one of a client's addresses."""
    with transaction() as session:
        return service.issue(
            session,
            actor=access.citizen_actor(),
            client_id=data["sp"],
            goto=data["goto"],
            agreed=data["agreed"],
            now=clock.wall(),
        )
