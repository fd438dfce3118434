"""Choosing a way, the phone and its code, and the account to go on with."""

from __future__ import annotations

import re

from flask import Response, request

from auth.accounts import queries as people
from auth.accounts.ports import WeChatPhone
from auth.factors import rules, service
from auth.factors.errors import CodeWrong
from auth.factors.rules import CodePurpose, CodeUse
from auth.oidc.browser import service as browsers
from auth.oidc.interactions import service as interactions
from auth.oidc.interactions.service import AskConsent, SignIn, StepUp
from core import clock
from core.db import transaction
from core.identifiers import IdentifierError, normalise_phone
from core.identifiers.folding import compact
from core.limits import hit
from core.masking import mask_name, mask_phone
from core.web import access
from core.web.request_context import request_address
from gateway.oidc.pages import look as looks
from gateway.oidc.pages.again import once
from gateway.oidc.pages.frame import ANYBODY, Visit, blueprint, page, sign_in, wanted
from gateway.oidc.pages.texts import TEXTS

_CODE = re.compile(r"[0-9]{6}")
BY_PHONE = ("otp", "sms")


@blueprint.get("/sign-in/<handle>")
@access.public(ANYBODY)
@page(SignIn, StepUp, AskConsent)
def start(visit: Visit) -> Response:
    """Lead to the page of the present step."""
    if isinstance(visit.step, StepUp):
        return visit.go("/document" if visit.step.have < 2 else "/proof")
    if isinstance(visit.step, AskConsent):
        return visit.go("/consent")
    if adding_phone(visit):
        return visit.go("/phone")
    return visit.go("/account" if wanted(visit, SignIn).choose and not visit.desk.other_account else "/ways")


def adding_phone(visit: Visit) -> bool:
    """Whether somebody is signed in who has no phone yet: an Alipay account alone is level 0 (3.7)."""
    return visit.browser.live is not None and visit.browser.live.level < 1


@blueprint.get("/sign-in/<handle>/ways")
@access.public(ANYBODY)
@page(SignIn)
def ways(visit: Visit) -> Response:
    """Show the ways to sign in."""
    return visit.page("ways.html", alipay_closed=visit.text("ways.alipay.wechat") if looks.inside_wechat() else None)


# Phone and code ------------------------------------------------------------------------------------------------------


@blueprint.get("/sign-in/<handle>/phone")
@access.public(ANYBODY)
@page(SignIn)
def phone(visit: Visit) -> Response:
    """Ask for the phone number."""
    return visit.page("phone.html", adding=adding_phone(visit), expected=visit.desk.phone or _hinted(visit))


def _hinted(visit: Visit) -> str:
    """The number that the site expects, if what it wrote is one."""
    try:
        return normalise_phone(wanted(visit, SignIn).hint or "").national
    except IdentifierError:
        return ""


@blueprint.post("/sign-in/<handle>/phone", endpoint="send_code")
@access.public(ANYBODY)
@page(SignIn, form="phone", field="phone")
def send_code(visit: Visit) -> Response:
    """Send a code to the phone."""
    _send(visit, normalise_phone(request.form.get("phone", "")).e164)
    return visit.go("/code")


@blueprint.post("/sign-in/<handle>/code/again")
@access.public(ANYBODY)
@page(SignIn, form="code")
def send_another(visit: Visit) -> Response:
    """Send another code to the same phone."""
    if not visit.desk.phone:
        return visit.go("/phone")
    _send(visit, visit.desk.phone)
    visit.desk.resent = True
    return visit.go("/code")


def _use(visit: Visit) -> CodeUse:
    """What a code asked for on this page does: good for this one sign-in, or for binding the phone in it."""
    purpose = CodePurpose.BIND_PHONE if adding_phone(visit) else CodePurpose.SIGN_IN
    return rules.on_page(purpose, visit.interaction.id)


def _send(visit: Visit, number: str) -> None:
    hit(rules.CODES_PER_ADDRESS, request_address() or "-")
    with transaction() as session:
        service.send_code(session, phone=number, use=_use(visit))
    visit.desk.phone, visit.desk.wrong, visit.desk.resent = number, 0, False


@blueprint.get("/sign-in/<handle>/code")
@access.public(ANYBODY)
@page(SignIn)
def code(visit: Visit) -> Response:
    """Ask for the code."""
    if not visit.desk.phone:
        return visit.go("/phone")
    return visit.page("code.html", phone=mask_phone(visit.desk.phone), resent=visit.desk.resent)


@blueprint.post("/sign-in/<handle>/code", endpoint="check_code")
@access.public(ANYBODY)
@once
@page(SignIn, form="code", field="code")
def check_code(visit: Visit) -> Response:
    """Sign in with the code."""
    number, typed = visit.desk.phone, compact(request.form.get("code", ""))
    if not number:
        return visit.fault("phone", *TEXTS["code.no_phone"])
    if not _CODE.fullmatch(typed):
        return visit.fault("code", *TEXTS["code.shape"], field="code")
    hit(rules.TRIES_PER_ADDRESS, request_address() or "-")
    proven = service.check_code(phone=number, code=typed, use=_use(visit))
    return _add_phone(visit, number, proven=proven) if adding_phone(visit) else _by_phone(visit, number, proven=proven)


def _by_phone(visit: Visit, number: str, *, proven: bool) -> Response:
    with transaction() as session:
        outcome = service.sign_in_by_phone(session, phone=number, proven=proven, origin=visit.origin)
        opened = None if outcome.tokens is None else sign_in(session, visit, outcome.tokens.session_id, BY_PHONE)
    if isinstance(outcome.refusal, CodeWrong):
        return _wrong(visit)
    outcome.insist()
    return visit.go(opened=opened)


def _add_phone(visit: Visit, number: str, *, proven: bool) -> Response:
    assert visit.browser.live is not None  # noqa: S101  # adding_phone
    if not proven:
        return _wrong(visit)
    with transaction() as session:
        service.add_phone(session, actor=visit.browser.live.actor, phone=WeChatPhone(number))
        for method in BY_PHONE:
            browsers.add_method(session, browser=visit.browser, method=method)
        interactions.signed_in(session, interaction=visit.interaction.id, browser=visit.browser, now=clock.wall())
    return visit.go()


def _wrong(visit: Visit) -> Response:
    """How many tries are left is counted from here, for every phone alike: it tells nothing about who has it."""
    visit.desk.wrong += 1
    left = rules.POLICY.tries - visit.desk.wrong
    if left < 1:
        return visit.fault("code", *TEXTS["code.void"], field="code")
    zh, en = TEXTS["code.wrong" if left > 1 else "code.wrong.last"]
    return visit.fault("code", zh.format(left=left), en.format(left=left), field="code")


# Which account -------------------------------------------------------------------------------------------------------


@blueprint.get("/sign-in/<handle>/account")
@access.public(ANYBODY)
@page(SignIn)
def account(visit: Visit) -> Response:
    """Ask whether to go on as whoever is signed in."""
    live = visit.browser.live
    if live is None or not wanted(visit, SignIn).choose:
        return visit.go("/ways")
    with transaction() as session:
        found = people.person(session, live.subject_id)
    # Below level 2 the session may be that of a phone's new owner (ID-4).
    name = mask_name(found.name) if found.name and live.level >= 2 else ""
    person = " ".join(part for part in (name, mask_phone(found.phone) if found.phone else "") if part)
    return visit.page("account.html", person=person or visit.text("account.nameless"))


@blueprint.post("/sign-in/<handle>/account", endpoint="choose_account")
@access.public(ANYBODY)
@page(SignIn)
def choose_account(visit: Visit) -> Response:
    """Go on as whoever is signed in, or sign somebody else in."""
    visit.desk.other_account = request.form.get("use") != "current"
    if visit.desk.other_account or not wanted(visit, SignIn).choose:
        return visit.go("/ways")
    with transaction() as session:
        interactions.signed_in(session, interaction=visit.interaction.id, browser=visit.browser, now=clock.wall())
    return visit.go()
