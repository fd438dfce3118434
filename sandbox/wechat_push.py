"""WeChat's message push: makes, and if told where sends, what WeChat would push when a person answers or changes a setting."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from typing import Any
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from flask import Blueprint
from flask.typing import ResponseReturnValue

from sandbox.callbacks import post
from sandbox.world import BadControl, control_body, need, world

control = Blueprint("wechat_push_control", __name__, url_prefix="/_sandbox/wechat")

EVENTS = ("subscribe_msg_popup_event", "subscribe_msg_change_event", "subscribe_msg_sent_event", "debug_demo")
MODES = ("plain", "compatible", "secure")
FORMATS = ("json", "xml")
_NESTED = {
    "subscribe_msg_popup_event": "SubscribeMsgPopupEvent",
    "subscribe_msg_change_event": "SubscribeMsgChangeEvent",
    "subscribe_msg_sent_event": "SubscribeMsgSentEvent",
}
_BLOCK = 32


def _sha1(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def seal(aes_key: str, app_id: str, message: bytes) -> str:
    """`Encrypt` of a message: random, length, message, app id; padded to 32; AES-256-CBC with the key's head as iv."""
    key = base64.b64decode(aes_key + "=")
    plain = secrets.token_hex(8).encode() + len(message).to_bytes(4, "big") + message + app_id.encode()
    pad = _BLOCK - len(plain) % _BLOCK
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(plain + bytes([pad]) * pad) + encryptor.finalize()).decode()


def _xml(fields: dict[str, Any]) -> str:
    def element(name: str, value: object) -> str:
        if isinstance(value, list):
            return "".join(element(name, one) for one in value)
        inner = "".join(element(*pair) for pair in value.items()) if isinstance(value, dict) else escape(str(value))
        return f"<{name}>{inner}</{name}>"

    return element("xml", fields)


def _written(fields: dict[str, Any], form: str) -> bytes:
    return (_xml(fields) if form == "xml" else json.dumps(fields, ensure_ascii=False)).encode()


def _message(body: dict[str, Any], form: str) -> dict[str, Any]:
    person = world().people.get(need(body, "persona"))
    event = str(body.get("event", "subscribe_msg_change_event"))
    if event not in EVENTS:
        raise BadControl(f"event must be one of {', '.join(EVENTS)}")
    ids: dict[str, str] = world().credentials.product["wechat"]["template_ids"]
    keys = body.get("templates", list(ids)[:1])
    entries = [
        {"TemplateId": ids.get(key, key), "SubscribeStatusString": body.get("answer", "reject"), "PopupScene": "0"}
        for key in keys
    ]
    message: dict[str, Any] = {
        "ToUserName": "gh_sandbox",
        "FromUserName": person.openid,
        "CreateTime": str(int(time.time())),
        "MsgType": "event",
        "Event": event,
    }
    if event in _NESTED:
        several = {"List": entries[0] if len(entries) == 1 else entries}
        message |= {_NESTED[event]: several} if form == "xml" else several
    return message


@control.post("/push")
def push() -> ResponseReturnValue:
    """Make a push: `persona`, `event`, `answer`, `templates`, `format`, `mode`; `age` (seconds) and `app_id` falsify it.

    With `url` it is sent. The query, the body and, if sent, status and answer.
    """
    body = control_body()
    form, mode = str(body.get("format", "json")), str(body.get("mode", "secure"))
    if form not in FORMATS or mode not in MODES:
        raise BadControl(f"format is {' or '.join(FORMATS)}, mode {', '.join(MODES)}")
    ours = world().credentials.product["wechat"]
    fields = _message(body, form)
    stamp, nonce = str(int(time.time() - float(body.get("age", 0)))), str(secrets.randbelow(10**9))
    query = {"signature": _sha1(ours["push_token"], stamp, nonce), "timestamp": stamp, "nonce": nonce}
    written = _written(fields, form)
    if mode != "plain":
        sealed = seal(ours["push_aes_key"], str(body.get("app_id", ours["app_id"])), written)
        query |= {
            "openid": fields["FromUserName"],
            "encrypt_type": "aes",
            "msg_signature": _sha1(ours["push_token"], stamp, nonce, sealed),
        }
        around = fields if mode == "compatible" else {"ToUserName": fields["ToUserName"]}
        written = _written({**around, "Encrypt": sealed}, form)
    content_type = "text/xml" if form == "xml" else "application/json"
    made: dict[str, Any] = {"query": query, "body": written.decode(), "content_type": content_type}
    if body.get("url"):
        status, answer = post(f"{body['url']}?{urlencode(query)}", written, content_type)
        made |= {"status": status, "answer": answer.decode(errors="replace")}
    return made
