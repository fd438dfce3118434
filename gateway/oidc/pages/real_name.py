"""Alipay's real name, as one of the ways to level 3: away to its page and back (ID-8)."""

from __future__ import annotations

from flask import Response, redirect, request

from auth.accounts import queries as people
from auth.identity.alipay import service
from auth.oidc.browser import service as browsers
from auth.oidc.interactions.service import StepUp
from core.db import transaction
from core.masking import mask_name
from core.web import access
from gateway.oidc.pages.frame import ANYBODY, Visit, blueprint, page, wanted
from gateway.oidc.pages.step_up import live_of

BY_ALIPAY = "alipay"


@blueprint.get("/sign-in/<handle>/real-name")
@access.public(ANYBODY)
@page(StepUp)
def explain(visit: Visit) -> Response:
    """Say what will happen at Alipay."""
    if wanted(visit, StepUp).have < 2:
        return visit.go("/document")
    with transaction() as session:
        found = people.person(session, live_of(visit).subject_id)
    return visit.page("real-name.html", person=mask_name(found.name) if found.name else "")


@blueprint.post("/sign-in/<handle>/real-name", endpoint="start_real_name")
@access.public(ANYBODY)
@page(StepUp, form="real-name")
def start(visit: Visit) -> Response:
    """Send the browser to Alipay, about the person proven before."""
    actor = live_of(visit).actor
    with transaction() as session:
        asked = service.question(
            session, actor=actor, device=visit.origin.device, return_to=f"{visit.here}/real-name/back"
        )
    verify_id = service.prepare(asked)
    with transaction() as session:
        started = service.begin(session, actor=actor, asked=asked, verify_id=verify_id)
    answer: Response = redirect(started.url, 303, Response)  # type: ignore[assignment]
    return answer


@blueprint.get("/sign-in/<handle>/real-name/back", endpoint="real_name_back")
@access.public("Alipay sends the browser back here; the state belongs to the session that left")
@page(StepUp, form="real-name")
def back(visit: Visit) -> Response:
    """Take down what Alipay says."""
    actor = live_of(visit).actor
    with transaction() as session:
        returned = service.returned(
            session, actor=actor, state=request.args.get("state", ""), auth_code=request.args.get("auth_code")
        )
    answer = service.ask(returned)
    with transaction() as session:
        outcome = service.record(session, actor=actor, answer=answer)
        if outcome.refusal is None:
            browsers.add_method(session, browser=visit.browser, method=BY_ALIPAY)
    outcome.insist()
    return visit.go()
