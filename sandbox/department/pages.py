"""宁波不动产登记网（演示）: a page that says who it was told the visitor is, and signs in and out."""

from __future__ import annotations

import json
import secrets
import time
from datetime import datetime
from typing import Any

import requests
from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from joserfc.jwk import ECKey

from sandbox.department.client import LEVELS, Asked, Client, Person, SignInFailed
from sandbox.world import BEIJING, BadControl, control_body, need, world

blueprint = Blueprint("department", __name__, url_prefix="/department")
control = Blueprint("department_control", __name__, url_prefix="/_sandbox/department")

_COOKIE = "department"
_SETTING = "department"
_REQUEST_SECONDS = 900
_WORDS = {
    "access_denied": "您没有同意，所以没有登录。",
    "unmet_authentication_requirements": "这项业务需要高级实名（level3），您还没有完成，所以没有登录。",
    "unreachable": "宁波政务暂时没有回应，请稍后再试。",
    "state": "这次登录已经过期，或不是在本浏览器开始的，请重新登录。",
    "invalid_ticket": "从 App 打开的链接只能用一次，请回到 App 重新打开。",
}
_LEVELS = {"level1": "注册用户", "level2": "初级实名", "level3": "高级实名"}
_NAMES = {
    "sub": "本网站看到的用户代号",
    "acr": "登录时的实名等级",
    "amr": "登录方式",
    "auth_time": "登录时间",
    "name": "姓名",
    "document_type": "证件类型",
    "document_number": "证件号码",
    "birthdate": "出生日期",
    "identity_level": "当前实名等级",
}
_METHODS = {"otp": "验证码", "sms": "短信", "mca": "手机扫码", "alipay": "支付宝"}
_DOCUMENTS = {"111": "居民身份证"}
_SHOWN = ("sub", "acr", "amr", "auth_time")


@control.post("/configure")
def configure() -> ResponseReturnValue:
    """Say at which provider the site signs people in, and under which address the site itself is reached."""
    body = control_body()
    world().store.set_setting(_SETTING, {name: str(need(body, name)) for name in ("issuer", "base")})
    return {}


@blueprint.before_request
def _own_address() -> ResponseReturnValue | None:
    """Lead to the registered address: under another name of this machine, the cookie would not come back."""
    base = _configured()["base"]
    if request.method == "GET" and f"{request.host_url}department" != base:
        return redirect(base + request.full_path.removeprefix("/department").rstrip("?"))
    return None


@blueprint.get("/")
def show() -> ResponseReturnValue:
    """Show the visitor what the site knows."""
    row = world().store.one("SELECT * FROM department_session WHERE visitor = ?", request.cookies.get(_COOKIE, ""))
    return _page(None if row is None else json.loads(row["person"]))


@blueprint.get("/sign-in")
def sign_in() -> ResponseReturnValue:
    """Send the visitor to sign in; also what the app opens (OpenID Connect Core, 4: with `iss`, never for another one)."""
    client = _client()
    if request.args.get("iss", client.issuer) != client.issuer:
        return _page(None, "iss"), 400
    address, asked = client.begin(3 if request.args.get("level") == "3" else 1)
    visitor = request.cookies.get(_COOKIE) or secrets.token_urlsafe(32)
    now = time.time()
    with world().store.transaction() as db:
        db.execute("DELETE FROM department_request WHERE at < ?", (now - _REQUEST_SECONDS,))
        db.execute(
            "INSERT INTO department_request VALUES (?, ?, ?, ?, ?)",
            (asked.state, visitor, asked.nonce, asked.verifier, now),
        )
    return _with_cookie(redirect(address, 303), visitor)


@blueprint.get("/callback")
def callback() -> ResponseReturnValue:
    """The visitor comes back: only the browser that began may finish, and only once."""
    state, visitor = request.args.get("state", ""), request.cookies.get(_COOKIE, "")
    with world().store.transaction() as db:
        row = db.execute(
            "DELETE FROM department_request WHERE state = ? AND visitor = ? AND at >= ? RETURNING *",
            (state, visitor, time.time() - _REQUEST_SECONDS),
        ).fetchone()
    if row is None:
        return _page(None, "state"), 400
    return _welcome(_client().finish(Asked(state, row["nonce"], row["verifier"]), request.args))


@blueprint.get("/enter")
def enter() -> ResponseReturnValue:
    """Let in whom the app sent with a one-time ticket."""
    client = _client()
    return _welcome(client.enter(request.args.get("ticket", ""), f"{client.base}/enter"))


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the site's own session, then everywhere."""
    with world().store.transaction() as db:
        row = db.execute(
            "DELETE FROM department_session WHERE visitor = ? RETURNING id_token", (request.cookies.get(_COOKIE, ""),)
        ).fetchone()
    client = _client()
    if row is None:
        return redirect(f"{client.base}/", 303)
    return redirect(client.sign_out(row["id_token"], secrets.token_urlsafe(16)), 303)


@blueprint.post("/backchannel-logout")
def backchannel_logout() -> ResponseReturnValue:
    """The provider tells that a session is over: end ours. A token that isn't good is answered 400."""
    try:
        sid = _client().signed_out(request.form.get("logout_token", ""))
    except SignInFailed:
        return {"error": "invalid_request"}, 400
    with world().store.transaction() as db:
        db.execute("DELETE FROM department_session WHERE sid = ?", (sid,))
    return "", 200, {"Cache-Control": "no-store"}


@blueprint.errorhandler(SignInFailed)
def _failed(fault: SignInFailed) -> ResponseReturnValue:
    return _page(None, str(fault)), 400


@blueprint.errorhandler(requests.RequestException)
def _unreachable(_fault: requests.RequestException) -> ResponseReturnValue:
    return _page(None, "unreachable"), 502


def _configured() -> dict[str, str]:
    found = world().store.setting(_SETTING, None)
    if found is None:
        raise BadControl("the department's site is not connected yet: POST /_sandbox/department/configure")
    return {name: str(value) for name, value in found.items()}


def _client() -> Client:
    configured, credentials = _configured(), world().credentials
    known = credentials.product["department"]
    key = ECKey.import_key(credentials.platform["department_private_key"], {"kid": known["jwks"]["keys"][0]["kid"]})
    return Client(configured["issuer"], configured["base"], known["client_id"], key)


def _welcome(person: Person) -> Response:
    """Open a session of the site under a new cookie, so that one planted before is worth nothing."""
    visitor = secrets.token_urlsafe(32)
    kept = {name: person.claims[name] for name in _SHOWN if name in person.claims} | person.told
    with world().store.transaction() as db:
        db.execute("DELETE FROM department_session WHERE visitor = ?", (request.cookies.get(_COOKIE, ""),))
        db.execute(
            "INSERT INTO department_session VALUES (?, ?, ?, ?)",
            (visitor, person.sid, json.dumps(kept, ensure_ascii=False), person.id_token),
        )
    return _with_cookie(redirect(f"{_configured()['base']}/", 303), visitor)


def _with_cookie(answer: Any, visitor: str) -> Response:
    made = make_response(answer)
    made.set_cookie(_COOKIE, visitor, path="/department", httponly=True, samesite="Lax")
    return made


def _page(person: dict[str, Any] | None, fault: str | None = None) -> str:
    rows = [] if person is None else [(_NAMES.get(name, name), name, _words(name, person[name])) for name in person]
    return render_template(
        "department.html",
        rows=rows,
        level=0 if person is None else LEVELS.index(person["acr"]) + 1,
        fault=fault and _WORDS.get(fault, f"没有登录成功（{fault}），请重新登录。"),
    )


def _words(name: str, value: Any) -> str:
    """A claim as a visitor reads it."""
    if name == "auth_time":
        return datetime.fromtimestamp(float(value), BEIJING).strftime("%Y-%m-%d %H:%M:%S")
    if name == "acr":
        return f"{value} · {_LEVELS.get(value, '')}"
    if name == "amr":
        return "、".join(_METHODS.get(method, method) for method in value)
    if name == "document_type":
        return _DOCUMENTS.get(value, str(value))
    if name == "document_number":
        return f"{value[:4]}{'*' * (len(value) - 8)}{value[-4:]}"
    return str(value)
