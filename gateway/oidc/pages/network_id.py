"""The national network ID (网证), as one of the ways to level 3: over to its app and back."""

from __future__ import annotations

from uuid import UUID

from flask import Response, current_app, redirect, request

from auth.accounts import queries as people
from auth.identity.network import service
from auth.identity.network.errors import NetworkCheckUnknown
from auth.identity.network.rules import Grade
from auth.identity.ports import CheckResult
from auth.oidc.browser import service as browsers
from auth.oidc.interactions.service import StepUp
from core.db import transaction
from core.masking import mask_name
from core.web import access
from gateway.oidc.pages.frame import ANYBODY, Visit, blueprint, page, wanted
from gateway.oidc.pages.step_up import live_of

BY_NETWORK_ID = "network-id"


@blueprint.get("/sign-in/<handle>/network-id", endpoint="network_id")
@access.public(ANYBODY)
@page(StepUp)
def explain(visit: Visit) -> Response:
    """Say what will happen in the network ID app."""
    if wanted(visit, StepUp).have < 2:
        return visit.go("/document")
    with transaction() as session:
        found = people.person(session, live_of(visit).subject_id)
    return visit.page("network-id.html", person=mask_name(found.name) if found.name else "")


@blueprint.post("/sign-in/<handle>/network-id", endpoint="start_network_id")
@access.public(ANYBODY)
@page(StepUp, form="network-id")
def start(visit: Visit) -> Response:
    """Send the browser to the app, about the person proven before."""
    with transaction() as session:
        check = service.start(session, actor=live_of(visit).actor, grade=Grade.HIGH)
    back = f"{current_app.config['PUBLIC_URL']}{visit.here}/network-id/back?id={check.id}"
    challenge = service.call(check, return_url=back)
    with transaction() as session:
        service.note_challenge(session, check_id=check.id, challenge=challenge)
    answer: Response = redirect(challenge.url, 303, Response)  # type: ignore[assignment]
    return answer


@blueprint.get("/sign-in/<handle>/network-id/back", endpoint="network_id_back")
@access.public("the network ID app sends the browser back here; the check belongs to the session that began it")
@page(StepUp, form="network-id")
def back(visit: Visit) -> Response:
    """Take down what the check came to."""
    actor = live_of(visit).actor
    check_id = _check_id(request.args.get("id", ""))
    with transaction() as session:
        check = service.pending(session, actor=actor, check_id=check_id)
    found = service.fetch(check, token=request.args.get("token", ""))
    with transaction() as session:
        outcome = service.finish(session, actor=actor, check_id=check_id, found=found)
        if outcome.refusal is None and outcome.result is CheckResult.MATCH:
            browsers.add_method(session, browser=visit.browser, method=BY_NETWORK_ID)
    outcome.insist()
    return visit.go("/review" if outcome.result is CheckResult.REVIEW else "")


def _check_id(raw: str) -> UUID:
    try:
        return UUID(raw)
    except ValueError:
        raise NetworkCheckUnknown() from None
