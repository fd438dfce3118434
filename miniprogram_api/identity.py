"""Proving who one is: name and number, the network ID."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import marshmallow as ma

from auth.identity import service
from auth.identity.network import service as network
from auth.identity.network.rules import Grade
from auth.identity.rules import Purpose
from auth.identity.service import Outcome
from auth.identity.ways import rules
from auth.redirects import service as redirects
from auth.redirects.rules import with_parameters
from core.db import transaction
from core.web import access
from core.web.blueprint import Blueprint
from core.web.schemas import Code, Moment, Text
from miniprogram_api.login import FreshOut

blp = Blueprint("identity", __name__, url_prefix="/api/v1/identity", description="实名认证 / Identity")


class NameAndNumberIn(ma.Schema):
    """Name and number as they stand on the document. Types by GA/T 2000.156."""

    name = Text(200, required=True)
    document_type = ma.fields.String(required=True, validate=ma.validate.OneOf(rules.ONLINE_DOCUMENTS))
    document_number = Text(60, required=True)


class IdentityOut(ma.Schema):
    """MATCH, or REVIEW: a person at the source looks at it, the level stays, ask again from `look_again_at` on."""

    result = ma.fields.String(required=True, validate=ma.validate.OneOf(("MATCH", "REVIEW")))
    level = ma.fields.Integer(required=True)
    look_again_at = Moment(required=True, allow_none=True)
    token = ma.fields.Nested(FreshOut, required=True, metadata={"description": "An access token at this level"})


class NetworkBeginIn(ma.Schema):
    """How strong a check, and of whom: without a document, of the one proven before. A fresh proof needs PIN.

    `return_to`: where the network ID app sends the browser back to, with `id` and `token` in the query; ours or allowed.
    """

    grade = Code(Grade, required=True)
    purpose = Code(Purpose, load_default=None)
    name = Text(200, load_default=None)
    document_type = ma.fields.String(load_default=None, validate=ma.validate.OneOf(rules.NETWORK_DOCUMENTS))
    document_number = Text(60, load_default=None)
    return_to = Text(1_000, required=True)


class NetworkBeginOut(ma.Schema):
    """A check that waits in the network ID app, which `url` opens; it hands a token back to this device."""

    id = ma.fields.UUID(required=True)
    url = ma.fields.String(required=True)
    expires_at = Moment(required=True)


class NetworkResultIn(ma.Schema):
    """The token that the network ID app handed to this device."""

    id = ma.fields.UUID(required=True)
    token = Text(200, required=True)


@blp.post("/name-and-number")
@access.citizen(level=1)
@blp.arguments(NameAndNumberIn)
@blp.response(200, IdentityOut)
def name_and_number(data: dict[str, Any]) -> Outcome:
    """Prove who I am by name and document number."""
    actor = access.citizen_actor()
    answer = service.ask(actor=actor, **data)
    with transaction() as session:
        outcome = service.record_answer(session, actor=actor, answer=answer)
    return outcome.insist()


@blp.post("/network")
@access.citizen(level=1)
@blp.arguments(NetworkBeginIn)
@blp.response(200, NetworkBeginOut)
def begin_network_check(data: dict[str, Any]) -> dict[str, UUID | str | datetime]:
    """Begin a check with the network ID app."""
    return_to = redirects.check_return(data.pop("return_to"))
    with transaction() as session:
        wanted = network.start(session, actor=access.citizen_actor(), **data)
    challenge = network.call(wanted, return_url=with_parameters(return_to, {"id": str(wanted.id)}))
    with transaction() as session:
        network.note_challenge(session, check_id=wanted.id, challenge=challenge)
    return {"id": wanted.id, "url": challenge.url, "expires_at": challenge.expires_at}


@blp.post("/network/result")
@access.citizen(level=1)
@blp.arguments(NetworkResultIn)
@blp.response(200, IdentityOut)
def finish_network_check(data: dict[str, Any]) -> Outcome:
    """Fetch what a check with the network ID app came to."""
    actor, check_id = access.citizen_actor(), data["id"]
    with transaction() as session:
        wanted = network.pending(session, actor=actor, check_id=check_id)
    found = network.fetch(wanted, token=data["token"])
    with transaction() as session:
        outcome = network.finish(session, actor=actor, check_id=check_id, found=found)
    return outcome.insist()
