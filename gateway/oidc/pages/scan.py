"""Signing in by scanning with the phone: the page shows the code, and looks every three seconds what became of it."""

from __future__ import annotations

import io
from uuid import UUID

import segno
from flask import Response, current_app
from markupsafe import Markup

from auth.factors.scan import rules, service
from auth.factors.scan.errors import ScanCodeInvalid
from auth.factors.scan.rules import State
from auth.oidc.interactions.service import SignIn
from auth.sessions.service import Tokens
from core.db import transaction
from core.errors import NotAuthenticated
from core.limits import hit
from core.web import access
from core.web.request_context import request_address
from gateway.oidc.pages import look as looks
from gateway.oidc.pages.frame import ANYBODY, Visit, blueprint, page, render, sign_in
from gateway.oidc.pages.texts import TEXTS

_LOOK_EVERY_SECONDS = 3
BY_SCAN = ("mca",)


@blueprint.post("/sign-in/<handle>/scan", endpoint="offer_scan")
@access.public(ANYBODY)
@page(SignIn, form="ways")
def offer(visit: Visit) -> Response:
    """Make a code to scan."""
    hit(rules.OFFERS_PER_ADDRESS, request_address() or "-")
    asked = visit.interaction
    made = service.offer(
        browser=visit.holder,
        site_zh=f"{visit.department} · {asked.name_zh}",
        site_en=f"{visit.department} · {asked.name_en}",
        device=visit.origin.device,
        address=visit.origin.address,
    )
    visit.desk.scan = made.code
    return visit.go("/scan")


@blueprint.get("/sign-in/<handle>/scan")
@access.public(ANYBODY)
@page(SignIn)
def show(visit: Visit) -> Response:
    """Show the code, or what became of it; go on once the phone has confirmed."""
    if not visit.desk.scan:
        return visit.fault("ways", *TEXTS["scan.start"])
    found = service.collect(browser=visit.holder, code=visit.desk.scan)
    if found.session_id is not None:
        visit.desk.scan = ""
        try:
            return _sign_in(visit, found.session_id)
        except NotAuthenticated:
            return visit.refused("ways", ScanCodeInvalid())
    waits = found.state in (State.WAITING, State.SEEN)
    return visit.page(
        "scan.html",
        state=found.state.value,
        picture=_picture(visit.desk.scan) if found.state is State.WAITING else "",
        refresh=_LOOK_EVERY_SECONDS if waits else None,
    )


def _sign_in(visit: Visit, confirmed_by: UUID) -> Response:
    with transaction() as session:
        made = service.sign_in(session, confirmed_by=confirmed_by, origin=visit.origin)
        opened = sign_in(session, visit, made.session_id, BY_SCAN) if isinstance(made, Tokens) else None
    return visit.go(opened=opened) if isinstance(made, Tokens) else visit.refused("ways", made)


def _picture(code: str) -> Markup:
    """The QR code as SVG, of rectangles only: no style, no script."""
    out = io.BytesIO()
    address = current_app.config["PUBLIC_URL"] + rules.PATH + code
    segno.make(address, error="m", micro=False).save(
        out, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=4, svgclass=None, lineclass=None
    )
    return Markup(out.getvalue().decode())  # noqa: S704  # made by the library from our own address


@blueprint.get("/scan/<code>")
@access.public("whoever scans the code with another app is told what to do")
def scanned(code: str) -> Response:  # noqa: ARG001  # nothing is looked up for a stranger
    """Tell somebody who scanned the code with another app what to do."""
    return render("scanned.html", looks.present())
