"""What becomes of an authorization request as it arrives. The session is given; nothing here commits."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from auth.oidc.arrivals.errors import AddressUnknown, ClientUnknown
from auth.oidc.browser import service as browsers
from auth.oidc.clients import queries as clients
from auth.oidc.clients.queries import Client
from auth.oidc.interactions import rules
from auth.oidc.interactions import service as interactions
from auth.oidc.interactions.rules import AuthRequest, Params, Prompt, Reason, Refused
from auth.oidc.interactions.service import Finish
from auth.oidc.keys import service as keys

PAGES = "/oidc/sign-in/"


@dataclass(frozen=True, slots=True)
class Arrival:
    """Where the browser goes, and the cookie it gets if it came without."""

    location: str = field(repr=False)
    cookie: str | None = field(default=None, repr=False)


def arrive(session: Session, *, params: Params, cookie: str | None, accepts: str, now: datetime) -> Arrival:
    """Answer an authorization request. `accepts`: the browser's language, "zh" or "en".

    Raises `ClientUnknown` and `AddressUnknown`, for which the person gets a page; everything else the client is told by redirect.
    """
    client = clients.find(session, rules.one(params, "client_id") or "")
    if client is None:
        raise ClientUnknown()
    address = rules.redirect_uri(params, client)
    if address is None:
        raise AddressUnknown()
    try:
        request = rules.parse(params, client, address=address, accepts=accepts)
        return _admit(session, client, request, cookie, now)
    except Refused as refusal:
        return Arrival(_refusal(address, rules.one(params, "state"), refusal))


def _admit(session: Session, client: Client, request: AuthRequest, cookie: str | None, now: datetime) -> Arrival:
    browser = browsers.known(session, cookie=cookie, now=now)
    if browser is None and Prompt.NONE in request.prompts:
        raise Refused(Reason.LOGIN_REQUIRED, "nobody is signed in")
    made = None
    if browser is None:
        opened = browsers.open_browser(session, now=now)
        browser, made = opened.browser, opened.cookie
    handle = interactions.begin(session, client=client, request=request, browser=browser, now=now)
    if Prompt.NONE in request.prompts:
        return Arrival(interactions.without_asking(session, interaction=handle, browser=browser, now=now))
    if browser.live is not None:
        step = interactions.next_step(session, interaction=handle, browser=browser, now=now)
        if isinstance(step, Finish):
            return Arrival(step.redirect_to)
    return Arrival(PAGES + handle, made)


def _refusal(address: str, state: str | None, refusal: Refused) -> str:
    told = {"error": refusal.reason.value, "error_description": refusal.detail, "state": state, "iss": keys.issuer()}
    return rules.with_params(address, told)
