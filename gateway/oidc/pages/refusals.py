"""What the pages say when it can't go on: always a page for people, with what to do next, never JSON and never our insides."""

from __future__ import annotations

import logging

from flask import Response, request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from auth.oidc.interactions import queries
from auth.oidc.interactions.errors import InteractionOver
from core import errors
from core.db import transaction
from core.errors import InternalError, Problem, RateLimited, SourceUnavailable, StateConflict
from core.ports import PartnerUnavailable
from gateway.oidc.pages import look as looks
from gateway.oidc.pages.frame import FormStale, Site, blueprint, department_of, render
from gateway.oidc.pages.texts import text

log = logging.getLogger("gateway.oidc.pages")

_AWAY = (PartnerUnavailable, PoolTimeout, DBAPIError)


@blueprint.errorhandler(Exception)
def refusal(fault: Exception) -> Response:
    """The page of any refusal."""
    problem = _problem(fault)
    if isinstance(problem, InteractionOver):
        return _over()
    kinds = {FormStale: "stale", StateConflict: "stale", SourceUnavailable: "slow", RateLimited: "often"}
    kind = next((name for known, name in kinds.items() if isinstance(problem, known)), "trouble")
    return _page(kind, problem)


def _problem(fault: Exception) -> Problem:
    if isinstance(fault, Problem):
        return fault
    if isinstance(fault, _AWAY):
        # The exception's text holds the statement's parameters, which are personal data.
        log.error("a page could not be made: %s", type(fault).__name__)
        return SourceUnavailable()
    if isinstance(fault, HTTPException) and (fault.code or 500) < 500:
        return errors.PayloadTooLarge() if fault.code == 413 else errors.MalformedRequest()
    log.error("unhandled %s", type(fault).__name__, exc_info=fault)
    return InternalError()


def _page(kind: str, problem: Problem) -> Response:
    look = looks.remembered()
    sentence = problem.sentence(look.language)
    words = text(look.language, "slow.text", sentence=sentence) if kind == "slow" else sentence
    # Where a form was sent from lies right above the address it was sent to, or is the same.
    again = "/".join(request.path.split("/")[:4])
    answer = render(
        "message.html",
        look,
        status=problem.status,
        heading=text(look.language, f"{kind}.title"),
        text=words,
        again=again if again.startswith("/oidc/sign-") else None,
    )
    answer.headers.update(problem.headers)
    return answer


def _over() -> Response:
    """Unknown, expired, answered and another browser's look the same, but for the name of the site the address belongs to."""
    look = looks.remembered()
    site, home = None, None
    try:
        with transaction() as session:
            asked = queries.view(session, (request.view_args or {}).get("handle", ""))
            named = asked.name_en if look.language == "en" else asked.name_zh
            site, home = Site(named, department_of(session, asked)), asked.home
    except InteractionOver:
        log.info("an unknown sign-in was asked for")
    return render("over.html", look, status=410, site=site, home=home)
