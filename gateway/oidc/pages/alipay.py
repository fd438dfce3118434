"""Signing in with Alipay: away to its page and back (ID-8)."""

from __future__ import annotations

from flask import Response, redirect, request

from auth.factors.alipay import service
from auth.factors.alipay.errors import AlipayCancelled
from auth.oidc.interactions.service import SignIn
from core.db import transaction
from core.limits import Limit, hit
from core.web import access
from core.web.request_context import request_address
from gateway.oidc.pages.again import once
from gateway.oidc.pages.frame import ANYBODY, Visit, blueprint, page, sign_in

_STARTS_PER_ADDRESS = Limit("oidc-alipay-address", 60, 600)
BY_ALIPAY = ("alipay",)


@blueprint.post("/sign-in/<handle>/alipay", endpoint="start_alipay")
@access.public(ANYBODY)
@page(SignIn, form="ways")
def start(visit: Visit) -> Response:
    """Send the browser to Alipay."""
    hit(_STARTS_PER_ADDRESS, request_address() or "-")
    with transaction() as session:
        started = service.start(
            session, origin=visit.origin, return_to=f"{visit.here}/alipay/back", holder=visit.holder
        )
    answer: Response = redirect(started.url, 303, Response)  # type: ignore[assignment]
    return answer


@blueprint.get("/sign-in/<handle>/alipay/back", endpoint="alipay_back")
@access.public("Alipay sends the browser back here; the state belongs to the browser that left")
@once
@page(SignIn, form="ways")
def back(visit: Visit) -> Response:
    """Sign in by the Alipay account the browser comes back with."""
    with transaction() as session:
        service.finish(session, state=request.args.get("state", ""), holder=visit.holder)
    code = request.args.get("auth_code", "")
    if not code:
        raise AlipayCancelled()
    answer = service.ask(code)
    with transaction() as session:
        outcome = service.sign_in(session, answer=answer, origin=visit.origin)
        opened = None if outcome.tokens is None else sign_in(session, visit, outcome.tokens.session_id, BY_ALIPAY)
    outcome.insist()
    return visit.go(opened=opened)
