"""WeChat's mini-program interface: login, access token, phone number and subscribe messages.

Codes come from the control endpoints, as a phone would get them from `wx.login` and `getPhoneNumber`.
"""

from __future__ import annotations

import base64
import json
import secrets
import time
from typing import Any

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from sandbox import wechat_templates
from sandbox.world import BadControl, control_body, need, world

blueprint = Blueprint("wechat", __name__, url_prefix="/wechat")
control = Blueprint("wechat_control", __name__, url_prefix="/_sandbox/wechat")

CODE_SECONDS = 300
TOKEN_SECONDS = 7200
# A stable token is renewed when this little is left, and the old one lives on for as long.
OVERLAP_SECONDS = 300
FORCE_PAUSE_SECONDS = 30
FORCES_PER_DAY = 20

_MESSAGES = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40013: "invalid appid",
    40029: "invalid code",
    40037: "invalid template_id",
    40125: "invalid appsecret",
    40163: "code been used",
    40226: "high risk user, code blocked",
    41001: "access_token missing",
    41002: "appid missing",
    41004: "appsecret missing",
    41008: "missing code",
    42001: "access_token expired",
    43101: "user refuse to accept the msg",
    44002: "empty post data",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit mustslower retry next minute",
    47001: "data format error",
    47003: "argument invalid!",
}


class Refusal(Exception):
    """An errcode to answer with."""

    def __init__(self, errcode: int, detail: str = "") -> None:
        super().__init__(errcode)
        self.errcode = errcode
        self.detail = detail


def _answer(**fields: Any) -> Response:
    return Response(json.dumps(fields, ensure_ascii=False, separators=(",", ":")), mimetype="application/json")


@blueprint.errorhandler(Refusal)
def _refuse(refusal: Refusal) -> Response:
    return business_error(refusal.errcode, refusal.detail)


def business_error(value: object, detail: str = "") -> Response:
    """WeChat's failure: HTTP 200 with an errcode and, at the end of errmsg, a request id. `value` is the errcode."""
    errcode = int(str(value))
    rid = f"{int(time.time()):x}-{secrets.token_hex(4)}-{secrets.token_hex(4)}"
    text = " ".join(part for part in (_MESSAGES.get(errcode, "error"), detail) if part)
    return _answer(errcode=errcode, errmsg=f"{text} rid: {rid}")


def _check_app(app_id: object, secret: object) -> None:
    ours = world().credentials.product["wechat"]
    if not app_id:
        raise Refusal(41002)
    if app_id != ours["app_id"]:
        raise Refusal(40013)
    if not secret:
        raise Refusal(41004)
    if secret != ours["app_secret"]:
        raise Refusal(40125)


def _body() -> dict[str, Any]:
    if not request.data:
        raise Refusal(44002)
    try:
        body = json.loads(request.data)
    except ValueError:
        raise Refusal(47001) from None
    if not isinstance(body, dict):
        raise Refusal(47001)
    return body


def _use_code(code: object, kind: str, *, used: int) -> str:
    """Spend a code: the persona's key. `used` is the errcode of a second use. Raises `Refusal`."""
    now = time.time()
    with world().store.transaction() as db:
        row = db.execute("SELECT * FROM wechat_code WHERE code = ? AND kind = ?", (code, kind)).fetchone()
        if row is None or now - row["made_at"] > CODE_SECONDS:
            raise Refusal(40029)
        if row["used_at"] is not None:
            raise Refusal(used)
        db.execute("UPDATE wechat_code SET used_at = ? WHERE code = ?", (now, code))
        return str(row["persona"])


@blueprint.get("/sns/jscode2session")
def code_to_session() -> ResponseReturnValue:
    """Exchange a login code for openid, unionid and a session key that is new at every login."""
    _check_app(request.args.get("appid"), request.args.get("secret"))
    if request.args.get("grant_type") != "authorization_code":
        raise Refusal(40002)
    code = request.args.get("js_code")
    if not code:
        raise Refusal(41008)
    person = world().people.get(_use_code(code, "login", used=40163))
    if person.wechat == "blocked":
        raise Refusal(40226)
    known = world().store.one("SELECT session_key FROM wechat_session WHERE code = ?", code)
    session_key = known["session_key"] if known else base64.b64encode(secrets.token_bytes(16)).decode()
    return _answer(session_key=session_key, openid=person.openid, unionid=person.unionid)


@blueprint.post("/cgi-bin/stable_token")
def stable_token() -> ResponseReturnValue:
    """The same token while it is valid; a new one when five minutes are left or the refresh is forced."""
    body = _body()
    if body.get("grant_type") != "client_credential":
        raise Refusal(40002)
    _check_app(body.get("appid"), body.get("secret"))
    now = time.time()
    forced = body.get("force_refresh") is True
    with world().store.transaction() as db:
        current = db.execute("SELECT * FROM wechat_token WHERE current = 1").fetchone()
        if forced and current is not None:
            since = db.execute("SELECT made_at FROM wechat_token WHERE forced = 1 AND made_at > ?", (now - 86400,))
            times = sorted(row["made_at"] for row in since)
            if len(times) >= FORCES_PER_DAY:
                raise Refusal(45009)
            forced = not times or now - times[-1] >= FORCE_PAUSE_SECONDS
        if current is not None and not forced and current["expires_at"] - now > OVERLAP_SECONDS:
            return _answer(access_token=current["token"], expires_in=int(current["expires_at"] - now))
        if forced:
            # A forced refresh is how a leaked token is withdrawn: the old one ends at once.
            db.execute("UPDATE wechat_token SET current = 0, expires_at = MIN(expires_at, ?)", (now,))
        else:
            db.execute("UPDATE wechat_token SET current = 0")
        token = f"{secrets.randbelow(90) + 10}_{secrets.token_urlsafe(96)}"
        db.execute("INSERT INTO wechat_token VALUES (?, ?, ?, ?, 1)", (token, now, now + TOKEN_SECONDS, forced))
    return _answer(access_token=token, expires_in=TOKEN_SECONDS)


def _check_token() -> None:
    token = request.args.get("access_token")
    if not token:
        raise Refusal(41001)
    row = world().store.one("SELECT expires_at FROM wechat_token WHERE token = ?", token)
    if row is None:
        raise Refusal(40001)
    if row["expires_at"] <= time.time():
        raise Refusal(42001)


@blueprint.post("/wxa/business/getuserphonenumber")
def user_phone_number() -> ResponseReturnValue:
    """Exchange a phone code for the number. countryCode is a number, as in the documented sample."""
    _check_token()
    code = _body().get("code")
    if not code:
        raise Refusal(41008)
    person = world().people.get(_use_code(code, "phone", used=40029))
    return _answer(
        errcode=0,
        errmsg="ok",
        phone_info={
            "phoneNumber": person.phone,
            "purePhoneNumber": person.phone,
            "countryCode": 86,
            "watermark": {"timestamp": int(time.time()), "appid": world().credentials.product["wechat"]["app_id"]},
        },
    )


@blueprint.post("/cgi-bin/message/subscribe/send")
def subscribe_send() -> ResponseReturnValue:
    """Send a subscribe message, if the user allowed one more of this template."""
    _check_token()
    body = _body()
    person = world().people.by_openid(str(body.get("touser")))
    if person is None:
        raise Refusal(40003)
    template_id = str(body.get("template_id"))
    template = wechat_templates.find(world().credentials, template_id)
    if template is None:
        raise Refusal(40037)
    fault = wechat_templates.fault_in(template, body.get("data"))
    if fault:
        raise Refusal(47003, fault)
    values = {key: entry["value"] for key, entry in body["data"].items()}
    message_id = secrets.randbelow(10**18) + 10**18
    with world().store.transaction() as db:
        spent = db.execute(
            "UPDATE wechat_consent SET remaining = remaining - 1 WHERE openid = ? AND template_id = ? AND remaining > 0",
            (person.openid, template_id),
        )
        if spent.rowcount == 0:
            raise Refusal(43101)
        db.execute(
            "INSERT INTO message (at, channel, openid, persona, template, fields, text, reference)"
            " VALUES (?, 'wechat', ?, ?, ?, ?, ?, ?)",
            (time.time(), person.openid, person.key, template.key, json.dumps(body, ensure_ascii=False),
             wechat_templates.text_of(template, values), str(message_id)),
        )  # fmt: skip
    return _answer(errcode=0, errmsg="ok", msgid=message_id)


def _mint(kind: str) -> str:
    person = world().people.get(need(control_body(), "persona"))
    code = ("0" if kind == "login" else "") + secrets.token_urlsafe(24)
    with world().store.transaction() as db:
        db.execute("INSERT INTO wechat_code VALUES (?, ?, ?, ?, NULL)", (code, kind, person.key, time.time()))
    return code


@control.post("/login-code")
def login_code() -> ResponseReturnValue:
    """A code as `wx.login` gives it to the phone of a persona."""
    return {"code": _mint("login")}


@control.post("/phone-code")
def phone_code() -> ResponseReturnValue:
    """A code as the button of `getPhoneNumber` gives it to the phone of a persona."""
    return {"code": _mint("phone")}


@control.post("/sealed-phone")
def sealed_phone() -> ResponseReturnValue:
    """A login code, and the phone of a persona sealed with that sign-in's session key, as older versions get it.

    `age` (seconds), `app_id`, `country_code`, `number` make the blob say something else than it should.
    """
    body = control_body()
    person = world().people.get(need(body, "persona"))
    code, key, iv = _mint("login"), secrets.token_bytes(16), secrets.token_bytes(16)
    number = str(body.get("number", person.phone))
    told = {
        "phoneNumber": number,
        "purePhoneNumber": number,
        # Text in this form, a number in the other, as the documents show them.
        "countryCode": str(body.get("country_code", "86")),
        "watermark": {
            "timestamp": int(time.time() - float(body.get("age", 0))),
            "appid": body.get("app_id", world().credentials.product["wechat"]["app_id"]),
        },
    }
    with world().store.transaction() as db:
        db.execute("INSERT INTO wechat_session VALUES (?, ?)", (code, base64.b64encode(key).decode()))
    padder = padding.PKCS7(128).padder()
    plain = padder.update(json.dumps(told, ensure_ascii=False).encode()) + padder.finalize()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    sealed = encryptor.update(plain) + encryptor.finalize()
    return {"code": code, "encryptedData": base64.b64encode(sealed).decode(), "iv": base64.b64encode(iv).decode()}


@control.post("/consent")
def consent() -> ResponseReturnValue:
    """Let a persona allow `times` more messages (default 1) of a template (key or id; default all)."""
    body = control_body()
    person = world().people.get(need(body, "persona"))
    ids: dict[str, str] = world().credentials.product["wechat"]["template_ids"]
    wanted = body.get("template")
    chosen = [value for key, value in ids.items() if wanted in (None, key, value)]
    if not chosen:
        raise BadControl(f"no template {wanted!r}; known: {', '.join(ids)}")
    with world().store.transaction() as db:
        for template_id in chosen:
            db.execute(
                "INSERT INTO wechat_consent VALUES (?1, ?2, ?3)"
                " ON CONFLICT DO UPDATE SET remaining = MAX(0, remaining + ?3)",
                (person.openid, template_id, int(body.get("times", 1))),
            )
    rows = world().store.all("SELECT template_id, remaining FROM wechat_consent WHERE openid = ?", person.openid)
    return {
        "remaining": {
            key: row["remaining"] for row in rows for key, value in ids.items() if value == row["template_id"]
        }
    }
