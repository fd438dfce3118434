"""Agreeing to what the site gets to see, saying no to all of it, and signing out of every site."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, redirect, request

from auth.accounts import queries as people
from auth.accounts.queries import Person
from auth.oidc.browser import service as browsers
from auth.oidc.browser.service import Browser
from auth.oidc.consents.rules import Field
from auth.oidc.grants.rules import LEVEL_FOR_NAME
from auth.oidc.interactions import service
from auth.oidc.interactions.rules import Reason
from auth.oidc.interactions.service import AskConsent, SignIn, StepUp
from auth.oidc.logout import queries as sign_outs
from auth.oidc.logout import service as logout
from auth.sessions.queries import Live
from core import clock
from core.db import transaction
from core.errors import StateConflict
from core.masking import mask_document, mask_name, mask_phone
from core.web import access
from gateway.oidc import cookies
from gateway.oidc.pages import look as looks
from gateway.oidc.pages.frame import (
    ANYBODY,
    Visit,
    blueprint,
    check_key,
    form_key,
    page,
    render,
    sources,
    wanted,
)
from gateway.oidc.pages.step_up import live_of
from gateway.oidc.pages.texts import KINDS, text


@dataclass(frozen=True, slots=True)
class Shown:
    """One field as the page shows it, its value masked (P-7); "" for a value the site won't get or that needs none."""

    name: str
    label: str
    value: str


@blueprint.get("/sign-in/<handle>/consent")
@access.public(ANYBODY)
@page(AskConsent)
def ask(visit: Visit) -> Response:
    """Show exactly which fields the site would see."""
    live = live_of(visit)
    with transaction() as session:
        person = people.person(session, live.subject_id)
    fields = [_shown(visit, field, person, live) for field in wanted(visit, AskConsent).fields]
    return visit.page("consent.html", fields=fields)


def _shown(visit: Visit, field: Field, person: Person, live: Live) -> Shown:
    english = visit.look.language == "en"
    value = ""
    if field is Field.LEVEL:
        value = visit.text("consent.level", level=live.level)
    elif field is Field.PHONE and person.phone:
        value = mask_phone(person.phone)
    elif live.level >= LEVEL_FOR_NAME:
        value = _masked(field, person, english=english)
    return Shown(field.value, field.en if english else field.zh, value)


def _masked(field: Field, person: Person, *, english: bool) -> str:
    if field is Field.NAME and person.name:
        return mask_name(person.name)
    if field is Field.DOCUMENT_NUMBER and person.document_number:
        return mask_document(person.document_number)
    if field is Field.DOCUMENT_TYPE and person.document_type:
        return KINDS.get(person.document_type.value, "") if english else person.document_type.label
    if field is Field.BIRTH_DATE and person.birth_date:
        return f"{person.birth_date.year}-**-**"
    return ""


@blueprint.post("/sign-in/<handle>/consent", endpoint="answer_consent")
@access.public(ANYBODY)
@page(AskConsent)
def answer(visit: Visit) -> Response:
    """Let the site see exactly the fields that were shown, or refuse."""
    if request.form.get("answer") != "yes":
        return _refuse(visit)
    agreed = {field.value for field in wanted(visit, AskConsent).fields}
    if set(request.form.getlist("field")) != agreed:
        raise StateConflict()
    with transaction() as session:
        service.consent(
            session,
            interaction=visit.interaction.id,
            browser=visit.browser,
            fields=[Field(name) for name in request.form.getlist("field")],
        )
    return visit.go()


@blueprint.post("/sign-in/<handle>/refuse")
@access.public(ANYBODY)
@page(SignIn, StepUp, AskConsent)
def refuse(visit: Visit) -> Response:
    """Give up the sign-in and go back to the site."""
    return _refuse(visit)


def _refuse(visit: Visit) -> Response:
    unmet = isinstance(visit.step, StepUp) and visit.step.essential
    reason = Reason.UNMET_AUTHENTICATION_REQUIREMENTS if unmet else Reason.ACCESS_DENIED
    with transaction() as session:
        address = service.refuse(session, interaction=visit.interaction.id, browser=visit.browser, reason=reason)
    return _to(address)


# Signing out ---------------------------------------------------------------------------------------------------------


@blueprint.get("/sign-out/<handle>")
@access.public("a person who may sign out; the question belongs to the browser that was asked")
def ask_sign_out(handle: str) -> Response:
    """Ask whether to sign out of all sites."""
    with transaction() as session:
        asked = sign_outs.view(session, handle)
        browser = browsers.known(session, cookie=cookies.browser_cookie(), now=clock.wall())
    look = looks.present(asked.language)
    looks.remember(look)
    name = asked.name_en if look.language == "en" else asked.name_zh
    return render(
        "sign_out.html",
        look,
        leave_to=sources([asked.redirect_to] if asked.redirect_to else []),
        action=f"/oidc/sign-out/{handle}",
        from_site=name,
        key_of_form=None if browser is None else form_key(browser, handle),
    )


@blueprint.post("/sign-out/<handle>", endpoint="answer_sign_out")
@access.public("a person who signs out; the question belongs to the browser that was asked")
def answer_sign_out(handle: str) -> Response:
    """Sign out of all sites, or stay."""
    with transaction() as session:
        browser = browsers.known(session, cookie=cookies.browser_cookie(), now=clock.wall())
        if browser is None:
            # Pressed a second time: nobody is signed in any more.
            return _message("sign_out.done")
        looks.remember(looks.present(sign_outs.view(session, handle).language))
    check_key(browser, handle)
    if request.form.get("answer") != "yes":
        return _message("sign_out.stayed")
    return _signed_out(handle, browser)


@blueprint.get("/signed-out")
@access.public("a person whose site named no address to go back to lands here")
def signed_out() -> Response:
    """Say that it is done."""
    return _message("sign_out.done")


def _signed_out(handle: str, browser: Browser) -> Response:
    with transaction() as session:
        done = logout.confirm(session, sign_out=handle, browser=browser, now=clock.wall())
    gone = _to(done.redirect_to) if done.redirect_to else _message("sign_out.done")
    cookies.forget(gone)
    return gone


def _message(key: str) -> Response:
    look = looks.remembered()
    return render(
        "message.html",
        look,
        heading=text(look.language, key),
        text=text(look.language, "sign_out.done.text"),
        again=None,
    )


def _to(address: str) -> Response:
    gone: Response = redirect(address, 303, Response)  # type: ignore[assignment]
    gone.headers["Cache-Control"] = "no-store"
    return gone
