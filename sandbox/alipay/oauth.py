"""Alipay's authorisation page, the tokens it leads to, and the real-name comparison (certverify) over it.

A person clicks through the page as any persona: agree, or refuse, which leads back without a code. Codes are used once.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from sandbox.alipay.trades import BusinessError
from sandbox.personas import Persona, UnknownPersona
from sandbox.world import BadControl, control_body, need, world

blueprint = Blueprint("alipay_oauth", __name__, url_prefix="/alipay/oauth2")
control = Blueprint("alipay_oauth_control", __name__, url_prefix="/_sandbox/alipay")

TOKEN_METHOD = "alipay.system.oauth.token"  # noqa: S105  # a method's name
SCOPES = ("auth_base", "auth_user", "id_verify")
CODE_SECONDS = 180
TOKEN_SECONDS = 1_296_000
VERIFY_SECONDS = 7_200
# Which ids an account's owner shows to us: as an application made lately, one made long ago, or one on its way over.
ID_KINDS = ("open_id", "user_id", "both")
_SETTING = "alipay_ids"


class BadCode(Exception):
    """A code or token that is refused."""

    def __init__(self, code: str, sub_code: str, sub_msg: str) -> None:
        super().__init__(sub_code)
        self.code = code
        self.sub_code = sub_code
        self.sub_msg = sub_msg


class BadPage(Exception):
    """An authorisation page that can't be shown; the text says why."""


def open_id(person: Persona) -> str:
    """What identifies a persona to our application alone."""
    app_id = world().credentials.product["alipay"]["app_id"]
    digest = hashlib.sha256(f"{app_id}/{person.alipay_user_id}".encode()).hexdigest()
    return f"0{digest[:3]}nb-{digest[3:30]}"


# The page ------------------------------------------------------------------------------------------------------------


def _asked(params: Mapping[str, str]) -> dict[str, str]:
    """The page's parameters, checked. Raises `BadPage`."""
    asked = {name: params.get(name, "") for name in ("app_id", "scope", "redirect_uri", "state", "cert_verify_id")}
    if asked["app_id"] != world().credentials.product["alipay"]["app_id"]:
        raise BadPage("app_id")
    if asked["scope"] not in SCOPES:
        raise BadPage("scope")
    parts = urlsplit(asked["redirect_uri"])
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise BadPage("redirect_uri")
    if asked["scope"] == "id_verify" and _verification(asked["cert_verify_id"]) is None:
        raise BadPage("cert_verify_id")
    return asked


def _verification(verify_id: str) -> Any:
    row = world().store.one("SELECT * FROM alipay_verification WHERE verify_id = ?", verify_id)
    return row if row is not None and time.time() - row["made_at"] <= VERIFY_SECONDS else None


@blueprint.get("/publicAppAuthorize.htm")
def show() -> ResponseReturnValue:
    """Show who asks for what, and the buttons to agree and to refuse."""
    try:
        asked = _asked(request.args)
    except BadPage as fault:
        return render_template("authorise_error.html", what=str(fault)), 400
    return render_template("authorise.html", asked=asked, people=world().people.all)


@blueprint.post("/publicAppAuthorize.htm")
def act() -> ResponseReturnValue:
    """Agree or refuse, then send the browser back to the application."""
    try:
        asked = _asked(request.args)
        person = None
        if request.form.get("act") == "agree":
            person = world().people.get(request.form.get("persona", ""))
    except (BadPage, UnknownPersona) as fault:
        return render_template("authorise_error.html", what=str(fault)), 400
    return redirect(_back(asked, person))


def _back(asked: Mapping[str, str], person: Persona | None) -> str:
    """Where the browser goes: with a code of `person`, or without one."""
    answer = {"app_id": asked["app_id"], "source": "alipay_wallet", "scope": asked["scope"], "state": asked["state"]}
    if person is not None:
        answer["auth_code"] = _issue(asked, person)
    if asked["cert_verify_id"]:
        answer["cert_verify_id"] = asked["cert_verify_id"]
    parts = urlsplit(asked["redirect_uri"])
    query = parse_qsl(parts.query, keep_blank_values=True) + list(answer.items())
    return str(urlunsplit(parts._replace(query=urlencode(query))))


def _issue(asked: Mapping[str, str], person: Persona) -> str:
    code = secrets.token_hex(16)
    with world().store.transaction() as db:
        db.execute(
            "INSERT INTO alipay_code VALUES (?, ?, ?, ?, ?, NULL)",
            (code, asked["scope"], person.key, asked["cert_verify_id"] or None, time.time()),
        )
    return code


# The gateway's methods -----------------------------------------------------------------------------------------------


def token(params: Mapping[str, str]) -> dict[str, Any]:
    """`alipay.system.oauth.token`: its parameters stand beside the common ones. Raises `BadCode`."""
    if params.get("grant_type") != "authorization_code":
        raise BadCode("40002", "isv.grant-type-invalid", "grant_type参数不正确")
    now = time.time()
    with world().store.transaction() as db:
        row = db.execute("SELECT * FROM alipay_code WHERE code = ?", (params.get("code", ""),)).fetchone()
        if row is None or row["used_at"] is not None or now - row["made_at"] > CODE_SECONDS:
            raise BadCode("40002", "isv.code-invalid", "授权码code无效")
        db.execute("UPDATE alipay_code SET used_at = ? WHERE code = ?", (now, row["code"]))
        person = world().people.get(row["persona"])
        made = {"access_token": f"authbseB{secrets.token_hex(16)}", "refresh_token": f"authbseB{secrets.token_hex(16)}"}
        db.execute(
            "INSERT INTO alipay_token VALUES (?, ?, ?, ?, ?)",
            (made["access_token"], row["scope"], person.key, row["verify_id"], now),
        )
    kinds = world().store.setting(_SETTING, "open_id")
    ids = {"user_id": person.alipay_user_id, "open_id": open_id(person)}
    return {
        **made,
        "expires_in": TOKEN_SECONDS,
        "re_expires_in": 2 * TOKEN_SECONDS,
        "auth_start": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now + 8 * 3600)),
        **{name: value for name, value in ids.items() if kinds in (name, "both")},
    }


def preconsult(_params: Mapping[str, str], content: Mapping[str, Any]) -> dict[str, Any]:
    """Note whom the application means: the verify_id."""
    name, number = content.get("user_name"), content.get("cert_no")
    if not isinstance(name, str) or not isinstance(number, str) or content.get("cert_type") != "IDENTITY_CARD":
        raise BusinessError("INVALID_PARAMETER")
    verify_id = secrets.token_hex(16)
    with world().store.transaction() as db:
        db.execute("INSERT INTO alipay_verification VALUES (?, ?, ?, ?)", (verify_id, name, number, time.time()))
    return {"verify_id": verify_id}


def consult(params: Mapping[str, str], content: Mapping[str, Any]) -> dict[str, Any]:
    """Whether the account behind auth_token is whom the verify_id means. A token is good for its own question only."""
    verify_id = str(content.get("verify_id") or "")
    row = world().store.one("SELECT * FROM alipay_token WHERE token = ?", params.get("auth_token", ""))
    if row is None or row["scope"] != "id_verify":
        raise BadCode("20001", "aop.invalid-auth-token", "无效的访问令牌")
    asked = _verification(verify_id)
    if asked is None or row["verify_id"] != verify_id:
        raise BusinessError("CERT_VERIFY_ID_INVALID")
    person = world().people.get(row["persona"])
    differ = [
        field
        for field, said, known in (
            ("user_name", asked["name"], person.name),
            ("cert_no", asked["cert_no"], person.document_number),
        )
        if said != known
    ]
    if not differ and person.document_type == "111":
        return {"passed": "T"}
    fields = ",".join(f'"{field}"' for field in differ or ["cert_type"])
    return {"passed": "F", "fail_reason": "用户信息不匹配", "fail_params": f"[{fields}]"}


# Control -------------------------------------------------------------------------------------------------------------


@control.post("/authorise")
def authorise() -> ResponseReturnValue:
    """Do what a persona does on the page `url`: agree, or with `refuse` true not; where the browser goes then."""
    body = control_body()
    try:
        asked = _asked(dict(parse_qsl(urlsplit(str(need(body, "url"))).query)))
    except BadPage as fault:
        raise BadControl(f"the page refuses its {fault}") from None
    person = None if body.get("refuse") else world().people.get(need(body, "persona"))
    return {"redirect": _back(asked, person)}


@control.post("/configure")
def configure() -> ResponseReturnValue:
    """Which ids tokens come with: `ids` open_id (as applications made lately), user_id, or both."""
    ids = str(need(control_body(), "ids"))
    if ids not in ID_KINDS:
        raise BadControl(f"ids must be one of {', '.join(ID_KINDS)}")
    world().store.set_setting(_SETTING, ids)
    return {"ids": ids}
