"""The ticket bridge on the wire: a client's server exchanges a ticket for what it may know (ID-7)."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, jsonify, request
from sqlalchemy.orm import Session

from auth.oidc.endpoints import service as endpoints
from auth.oidc.endpoints.rules import Answer, Asked
from auth.tickets import service
from core import clock
from core.db import transaction
from core.errors import Problem
from core.limits import Limit, hit
from core.web import access
from core.web.request_context import request_address
from gateway import errors

blueprint = Blueprint("tickets", __name__)

PATH = "/oidc/tickets/exchange"

_SERVERS = Limit("tickets.exchange", 6_000, 60)
_FAILED = Limit("tickets.client_failed", 30, 60)
_REFUSED = Answer(400, {"error": "invalid_ticket"}, [("Cache-Control", "no-store")])


def register(app: Flask) -> None:
    """Answer the bridge's address."""
    app.register_blueprint(blueprint)


@blueprint.post(PATH)
@access.public("clients prove who they are in the request", limit=_SERVERS)
def exchange() -> Response:
    """Exchange a one-time ticket; every ticket that isn't good gets the same answer."""
    asked = Asked(
        request.path,
        {name.lower(): value for name, value in request.headers.items()},
        request.form.to_dict(flat=False),
    )
    with transaction() as session:
        answer = _answer(session, asked)
    if answer.status == 401:
        hit(_FAILED, request_address() or "-")
    response = jsonify(answer.body)
    response.status_code = answer.status
    response.headers.update(dict(answer.headers))
    return response


def _answer(session: Session, asked: Asked) -> Answer:
    now = clock.wall()
    client = endpoints.client_of(session, asked, now=now)
    if isinstance(client, Answer):
        return client
    shown = asked.form.get("ticket", [])
    if len(shown) != 1:
        return Answer(400, {"error": "invalid_request"}, _REFUSED.headers)
    exchanged = service.exchange(session, client=client, ticket=shown[0], now=now)
    return _REFUSED if exchanged is None else Answer(200, exchanged.body, _REFUSED.headers)


@blueprint.errorhandler(Problem)
def _problem(problem: Problem) -> Response:
    return errors.answer(problem)
