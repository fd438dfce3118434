"""The sandbox's Flask application: the simulators, the control endpoints, and the faults in front of them."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from pathlib import Path

from flask import Flask, Response, g, request
from flask.json.provider import DefaultJSONProvider
from flask.typing import ResponseReturnValue

from sandbox import (
    aliyun_sms,
    credentials,
    household_registry,
    identity_authority,
    kuaidi100,
    market_registry,
    network_identity,
    tencent_sms,
    wechat,
    wechat_push,
)
from sandbox.alipay import cashier, gateway, notices, oauth
from sandbox.alipay import control as alipay_control
from sandbox.callbacks import Callbacks
from sandbox.control import blueprint as control
from sandbox.control import page
from sandbox.department import pages as department
from sandbox.faults import PARTNERS, REQUEST_KINDS, BadFault, Faults
from sandbox.personas import People, UnknownPersona
from sandbox.store import Store
from sandbox.world import BadControl, World, world

DEFAULT_TIMEOUT_SECONDS = 30.0
DEFAULT_ERROR_STATUS = 503
_GARBAGE = b"<html>\xff\xfe502 Bad Gateway {\x00"
_HIDDEN_FIELDS = (
    "secret",
    "access_token",
    "sign",
    "Signature",
    "key",
    "session_key",
    "salt",
    "js_code",
    "code",
    "auth_token",
    "encryptedData",
)

# How each partner words a failure of its own, for the fault `error` with a code of the partner.
_BUSINESS_ERRORS: dict[str, Callable[[object], Response]] = {
    "wechat": wechat.business_error,
    "alipay": gateway.business_error,
    "identity-authority": identity_authority.business_error,
    "network-identity": network_identity.business_error,
    "market-registry": market_registry.business_error,
    "household-registry": household_registry.business_error,
    "aliyun-sms": aliyun_sms.business_error,
    "tencent-sms": tencent_sms.business_error,
    "kuaidi100": kuaidi100.business_error,
}


def create_app(state: Path, *, hurry: float) -> Flask:
    """The application on the state folder `state`; platforms' retry delays are divided by `hurry`."""
    app = Flask(__name__)
    app.json = _Json(app)
    store = Store(state / "state.sqlite3")
    faults = Faults(store)
    made = World(store, credentials.load(state), People(), Callbacks(store, faults, hurry), faults)
    made.callbacks.on_tick.append(lambda: notices.settle_late(made))
    app.extensions["sandbox"] = made
    for blueprint in (
        wechat.blueprint, wechat.control, wechat_push.control, gateway.blueprint, cashier.blueprint, alipay_control.blueprint,
        oauth.blueprint, oauth.control,
        market_registry.blueprint, market_registry.control, household_registry.blueprint,
        identity_authority.blueprint, identity_authority.control, network_identity.blueprint, network_identity.control,
        aliyun_sms.blueprint, aliyun_sms.control, tencent_sms.blueprint, tencent_sms.control,
        *kuaidi100.blueprints, department.blueprint, department.control, control, page,
    ):  # fmt: skip
        app.register_blueprint(blueprint)
    app.before_request(_strike_before)
    app.after_request(_strike_after)
    app.register_error_handler(BadControl, _bad_control)
    app.register_error_handler(BadFault, _bad_control)
    app.register_error_handler(UnknownPersona, _bad_control)
    return app


class _Json(DefaultJSONProvider):
    """Control answers as a person reads them: real characters, fields in the order they were made."""

    ensure_ascii = False
    sort_keys = False


def _bad_control(fault: Exception) -> ResponseReturnValue:
    return {"error": str(fault)}, 400


def _partner() -> str | None:
    first = request.path.split("/")[1]
    return first if first in PARTNERS else None


def _operation() -> str:
    """What is called, beyond the path: Alipay's and 快递100's method, Aliyun's action."""
    return request.values.get("method") or request.values.get("Action") or ""


def _hang_up() -> Response:
    """End the connection without an answer."""
    request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return Response(status=500)


def _strike_before() -> Response | None:
    """Let the waiting faults strike that come before the simulator, and note those that come after."""
    partner = _partner()
    if partner is None:
        return None
    # Kept before any form is parsed: WeChat reads JSON whatever the content type says.
    request.get_data()
    struck = world().faults.take(partner, REQUEST_KINDS, f"{request.path} {_operation()}")
    g.faults = [kind for kind, _ in struck]
    for kind, value in struck:
        if kind == "latency":
            time.sleep(float(value or 1))
        elif kind == "timeout":
            time.sleep(float(value or DEFAULT_TIMEOUT_SECONDS))
            return _hang_up()
        elif kind == "error":
            return _error(partner, value)
        elif kind == "garbage":
            return Response(_GARBAGE, mimetype="text/html")
        elif kind == "wrong_signature":
            g.wrong_signature = True
    return None


def _error(partner: str, value: object) -> Response:
    status = value if value is not None else DEFAULT_ERROR_STATUS
    if isinstance(status, int) and 400 <= status <= 599:
        return Response("simulated outage", status, mimetype="text/plain")
    return _BUSINESS_ERRORS[partner](status)


def _strike_after(answer: Response) -> Response:
    """Note the call, and swallow the answer if that fault strikes."""
    partner = _partner()
    if partner is None:
        return answer
    fields = {
        key: "***" if key in _HIDDEN_FIELDS else value[:500] for key, value in request.values.items() if key != "param"
    }
    if "param" in request.form:
        fields["param"] = _without_secrets(request.form["param"])
    if request.is_json:
        fields["json"] = _without_secrets(request.get_data(as_text=True))
    kinds = g.get("faults", [])
    with world().store.transaction() as db:
        db.execute(
            "INSERT INTO call (at, partner, method, path, operation, fields, status, fault)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (time.time(), partner, request.method, request.path, _operation(),
             json.dumps(fields, ensure_ascii=False), answer.status_code, ",".join(kinds) or None),
        )  # fmt: skip
    return _hang_up() if "drop_response_after_effect" in kinds else answer


def _without_secrets(text: str) -> str:
    """A JSON object as text, its secrets hidden one level down too; other text as it is."""
    try:
        found = json.loads(text)
    except ValueError:
        return text[:500]
    if not isinstance(found, dict):
        return text[:500]
    for part in (found, *(value for value in found.values() if isinstance(value, dict))):
        part.update({key: "***" for key in part if key in _HIDDEN_FIELDS})
    return json.dumps(found, ensure_ascii=False)[:2000]
