"""Message push (PROTOCOLS 1.6): the port notifications.preferences.ports.WeChatPushes.

JSON or XML; plain, compatible or secure. Of a compatible body, which carries both, only the sealed part counts. In plain
mode WeChat signs time and nonce and not the body, so each nonce is good for one body only: use secure mode.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import struct
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import xmltodict  # type: ignore[import-untyped]  # it has no types
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from redis.exceptions import RedisError

from core import cache, clock
from core.crypto import constant_time_equal
from core.ports import PartnerUnavailable
from core.settings import WeChatSettings
from notifications.preferences.ports import Push, PushRefused

# 2.7: a callback's time is within five minutes where the partner sends one.
FRESH_FOR = timedelta(minutes=5)

_PAD = 32
_RANDOM = 16
_REJECT = "reject"
# The lists of what a person answered, under the names of both formats.
_LISTS = {
    "subscribe_msg_popup_event": "SubscribeMsgPopupEvent",
    "subscribe_msg_change_event": "SubscribeMsgChangeEvent",
}


def signature(*parts: str) -> str:
    """WeChat's signature of the parts in whatever order: hex SHA-1 of them sorted and joined."""
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def unseal(aes_key: str, sealed: str) -> tuple[bytes, str]:
    """The message in `Encrypt`, and the app id behind it. Raises `PushRefused`."""
    try:
        key, data = base64.b64decode(aes_key + "="), base64.b64decode(sealed, validate=True)
    except (binascii.Error, ValueError):
        raise PushRefused("ENCODING") from None
    if not data or len(data) % _PAD:
        raise PushRefused("LENGTH")
    decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:_RANDOM])).decryptor()
    plain = decryptor.update(data) + decryptor.finalize()
    pad = plain[-1]
    if not 1 <= pad <= _PAD or plain[-pad:] != bytes([pad]) * pad:
        raise PushRefused("PADDING")
    content = plain[_RANDOM:-pad]
    if len(content) < struct.calcsize("!I"):
        raise PushRefused("LENGTH")
    (length,) = struct.unpack("!I", content[:4])
    message, app_id = content[4 : 4 + length], content[4 + length :]
    if len(message) != length:
        raise PushRefused("LENGTH")
    return message, app_id.decode("ascii", "replace")


class WeChatPushReader:
    """Verifies and reads pushes with the Token and EncodingAESKey entered at WeChat."""

    def __init__(self, settings: WeChatSettings) -> None:
        self._settings = settings
        self._groups = {template_id: group for group, template_id in settings.template_ids.items()}

    def echo(self, query: Mapping[str, str]) -> str:
        """The `echostr`; this check is never sealed. Raises `PushRefused`."""
        self._check(query, "signature")
        return query.get("echostr", "")

    def read(self, query: Mapping[str, str], body: bytes) -> Push:
        """A push, verified and opened. Raises `PushRefused`, and `PartnerUnavailable` while a nonce can't be noted."""
        if query.get("encrypt_type") == "aes":
            sealed = str(_parsed(body).get("Encrypt", ""))
            self._check(query, "msg_signature", sealed)
            message, app_id = unseal(self._settings.push_aes_key, sealed)
            if not constant_time_equal(app_id, self._settings.app_id):
                raise PushRefused("WRONG_APP")
        else:
            self._check(query, "signature")
            message = body
            _once(query.get("nonce", ""), query.get("timestamp", ""), body)
        return self._push(_parsed(message), message)

    def _check(self, query: Mapping[str, str], name: str, *more: str) -> None:
        stamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
        expected = signature(self._settings.push_token, stamp, nonce, *more)
        if not constant_time_equal(query.get(name, ""), expected):
            raise PushRefused("SIGNATURE_INVALID")
        try:
            age = abs(clock.wall().timestamp() - int(stamp))
        except ValueError:
            raise PushRefused("STALE") from None
        if age > FRESH_FOR.total_seconds():
            raise PushRefused("STALE")

    def _push(self, message: Mapping[str, Any], text: bytes) -> Push:
        event = str(message.get("Event", ""))
        refused = []
        for answered in _answers(message, event):
            group = self._groups.get(str(answered.get("TemplateId", "")))
            if group is not None and answered.get("SubscribeStatusString") == _REJECT:
                refused.append(group)
        return Push(str(message.get("FromUserName", "")), event, tuple(dict.fromkeys(refused)), text)


def _once(nonce: str, stamp: str, body: bytes) -> None:
    """A plain push's nonce belongs to the first body it came with. Raises `PushRefused`, `PartnerUnavailable`."""
    key = f"wechat:push:{hashlib.sha256(f'{stamp}/{nonce}'.encode()).hexdigest()}"
    digest = hashlib.sha256(body).hexdigest()
    try:
        if cache.client().set(key, digest, nx=True, ex=int(2 * FRESH_FOR.total_seconds())):
            return
        known = cache.client().get(key)
    except RedisError:
        raise PartnerUnavailable("wechat: no nonce can be noted") from None
    if known != digest:
        raise PushRefused("REPLAYED")


def _answers(message: Mapping[str, Any], event: str) -> list[Mapping[str, Any]]:
    """What the person answered: nested in XML, flat in JSON, an object when it is one, a list when it is more."""
    name = _LISTS.get(event)
    if name is None:
        return []
    nested = message.get(name)
    found = nested.get("List") if isinstance(nested, dict) else message.get("List")
    entries = found if isinstance(found, list) else [found]
    return [entry for entry in entries if isinstance(entry, dict)]


def _parsed(body: bytes) -> dict[str, Any]:
    """The message as fields, from JSON or XML. Raises `PushRefused`."""
    try:
        if body.lstrip()[:1] == b"{":
            found = json.loads(body)
        else:
            # Entities are refused by xmltodict itself, a document type by us: no push has either.
            if b"<!" in body.replace(b"<![CDATA[", b""):
                raise PushRefused("MALFORMED")
            found = xmltodict.parse(body, disable_entities=True).get("xml")
    except PushRefused:
        raise
    except Exception:  # whatever the parsers make of a stranger's bytes
        raise PushRefused("MALFORMED") from None
    if not isinstance(found, dict):
        raise PushRefused("MALFORMED")
    return found
