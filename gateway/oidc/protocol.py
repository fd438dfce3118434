"""OpenID Connect on the wire: addresses, cookies and status codes. What is decided is decided in `auth.oidc`."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, jsonify, redirect, render_template_string, request
from werkzeug.wrappers import Response as BaseResponse

from auth.oidc.arrivals import service as arrivals
from auth.oidc.browser import service as browsers
from auth.oidc.endpoints import rules, service
from auth.oidc.endpoints.rules import Answer, Asked
from auth.oidc.keys import service as keys
from auth.oidc.logout import service as logout
from auth.oidc.logout.service import Ask
from core import clock
from core.db import transaction
from core.errors import Problem
from core.limits import Limit, hit
from core.web import access
from core.web.caching import cacheable
from core.web.request_context import language, request_address, request_id
from gateway import errors
from gateway.oidc import cookies
from gateway.oidc.pages import look as looks

blueprint = Blueprint("oidc", __name__)

# A hall's or a company's network is one address for hundreds of people, and a department's server one for all of its [D].
_PEOPLE = Limit("oidc.authorize", 600, 60)
_SERVERS = Limit("oidc.endpoints", 6_000, 60)
_FAILED = Limit("oidc.client_failed", 30, 60)
_KEYS_KEPT_SECONDS = 3_600
_PAGE = (Path(__file__).resolve().parent.parent / "templates" / "protocol_error.html").read_text(encoding="utf-8")
_PAGE_POLICY = "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_SIGN_OUT_PAGES = "/oidc/sign-out/"
_SIGNED_OUT = "/oidc/signed-out"
_FOR_PEOPLE = frozenset({rules.AUTHORIZE, rules.LOGOUT})
_ANY_ORIGIN = {"Access-Control-Allow-Origin": "*"}
_PREFLIGHT = {
    **_ANY_ORIGIN,
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Max-Age": "3600",
}


def register(app: Flask) -> None:
    """Answer the protocol's addresses."""
    app.register_blueprint(blueprint)


@blueprint.get("/.well-known/openid-configuration")
@blueprint.get("/.well-known/oauth-authorization-server")
@access.public("every client reads where everything is")
@cacheable(_KEYS_KEPT_SECONDS)
def discovery() -> Response:
    """Describe the provider."""
    return _open_to_all(jsonify(rules.metadata(keys.issuer())))


@blueprint.get(rules.JWKS)
@access.public("every client checks signatures with these keys")
@cacheable(_KEYS_KEPT_SECONDS)
def jwks() -> Response:
    """Publish the signing keys."""
    with transaction() as session:
        return _open_to_all(jsonify(keys.key_set(session)))


@blueprint.route(rules.AUTHORIZE, methods=["GET", "POST"])
@access.public("a department's site sends a person's browser here to sign in", limit=_PEOPLE)
def authorize() -> BaseResponse:
    """Take an authorization request."""
    if request.method == "POST":
        return _asked_again_by_get()
    params, cookie = request.args.to_dict(flat=False), cookies.browser_cookie()
    with transaction() as session:
        arrival = arrivals.arrive(session, params=params, cookie=cookie, accepts=language(), now=clock.wall())
    answer = redirect(arrival.location, 303)
    looks.carry(answer)
    if arrival.cookie is not None:
        cookies.remember(answer, arrival.cookie)
    return answer


@blueprint.post(rules.TOKEN, provide_automatic_options=False)
@access.public("clients prove who they are in the request", limit=_SERVERS)
def token() -> Response:
    """Exchange a code or a refresh token."""
    with transaction() as session:
        answer = service.token(session, _asked(), now=clock.wall())
    return _answered(answer)


@blueprint.post(rules.REVOKE, provide_automatic_options=False)
@access.public("clients prove who they are in the request", limit=_SERVERS)
def revoke() -> Response:
    """Revoke a token."""
    with transaction() as session:
        answer = service.revoke(session, _asked(), now=clock.wall())
    return _answered(answer)


@blueprint.post(rules.INTROSPECT)
@access.public("clients prove who they are in the request", limit=_SERVERS)
def introspect() -> Response:
    """Say what a token is good for."""
    with transaction() as session:
        answer = service.introspect(session, _asked(), now=clock.wall())
    return _answered(answer)


@blueprint.route(rules.USERINFO, methods=["GET", "POST"], provide_automatic_options=False)
@access.public("the access token in the request says whose data it is", limit=_SERVERS)
def userinfo() -> Response:
    """Tell a client what its person agreed to show."""
    shown = _bearer_tokens()
    if len(shown) != 1:
        return _bearer_refusal("invalid_request" if shown else None, 400 if shown else 401)
    with transaction() as session:
        claims = service.userinfo(session, shown[0], now=clock.wall())
    return _bearer_refusal("invalid_token", 401) if claims is None else _open_to_all(jsonify(claims))


@blueprint.route(rules.LOGOUT, methods=["GET", "POST"])
@access.public("a department's site sends a person's browser here to sign out", limit=_PEOPLE)
def sign_out() -> BaseResponse:
    """Sign the person out everywhere, or ask it first."""
    if request.method == "POST":
        return _asked_again_by_get()
    now = clock.wall()
    with transaction() as session:
        browser = browsers.known(session, cookie=cookies.browser_cookie(), now=now)
        outcome = logout.begin(session, asked=_asked_to_sign_out(), browser=browser, now=now)
    if isinstance(outcome, Ask):
        return redirect(_SIGN_OUT_PAGES + outcome.sign_out, 303)
    answer = redirect(outcome.redirect_to or _SIGNED_OUT, 303)
    cookies.forget(answer)
    return answer


@blueprint.route(rules.TOKEN, methods=["OPTIONS"])
@blueprint.route(rules.REVOKE, methods=["OPTIONS"])
@blueprint.route(rules.USERINFO, methods=["OPTIONS"])
@access.public("a browser asks before it calls from another site (CORS)")
def preflight() -> Response:
    """Let scripts of any site call: the cookie is never looked at here."""
    return Response(status=204, headers=_PREFLIGHT)


@blueprint.errorhandler(Problem)
def _refused(problem: Problem) -> Response:
    """A page where a person looks, else the problem as JSON."""
    if request.path not in _FOR_PEOPLE:
        return errors.answer(problem)
    sentence, tongue = problem.sentence(language()), language()
    page = render_template_string(
        _PAGE, sentence=sentence, language=tongue, code=problem.code, request_id=request_id() or ""
    )
    response = Response(page, status=problem.status, content_type="text/html; charset=utf-8", headers=problem.headers)
    response.headers.update({"Content-Security-Policy": _PAGE_POLICY, "Cache-Control": "no-store"})
    return response


def _asked_again_by_get() -> BaseResponse:
    """A form posted from another site comes without our cookie (SameSite=Lax); the same request by GET brings it along."""
    return redirect(f"{request.path}?{urlencode(request.form.to_dict(flat=False), doseq=True)}", 303)


def _asked() -> Asked:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Asked(request.path, headers, request.form.to_dict(flat=False))


def _asked_to_sign_out() -> logout.Asked:
    values = request.args
    wanted = (values.get("ui_locales") or "").lower().split()
    tongue = next((tag[:2] for tag in wanted if tag[:2] in {"zh", "en"}), language())
    names = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state")
    return logout.Asked(**{name: values.get(name) or None for name in names}, language=tongue)


def _answered(answer: Answer) -> Response:
    if answer.status == 401:
        hit(_FAILED, request_address() or "-")
    response = jsonify(answer.body)
    response.status_code = answer.status
    response.headers.update(dict(answer.headers))
    return _open_to_all(response)


def _bearer_tokens() -> list[str]:
    """Access tokens in the request: one in the header, or one in the body (RFC 6750, 2)."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    shown = [value.strip()] if scheme.lower() == "bearer" and value.strip() else []
    return shown + [value for value in request.form.getlist("access_token") if value]


def _bearer_refusal(error: str | None, status: int) -> Response:
    body: dict[str, Any] = {} if error is None else {"error": error}
    response = jsonify(body)
    response.status_code = status
    response.headers["WWW-Authenticate"] = "Bearer" if error is None else f'Bearer error="{error}"'
    return _open_to_all(response)


def _open_to_all(response: Response) -> Response:
    response.headers.update(_ANY_ORIGIN)
    if response.headers.get("WWW-Authenticate"):
        response.headers["Access-Control-Expose-Headers"] = "WWW-Authenticate"
    return response
