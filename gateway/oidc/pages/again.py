"""A button pressed twice: the second press gets the answer of the first.

Signing in uses the code up and gives the browser another cookie, so the second press alone would find neither. It is
known by being the same to the letter: the same cookie, address and body, the right code among it. Whoever has merely
the old cookie, such as somebody who planted it, can't repeat that.
"""

from __future__ import annotations

import functools
import hashlib
import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Response, request
from redis.exceptions import RedisError

from core import cache, security
from core.crypto import DecryptionFailed
from gateway.oidc import cookies

V = TypeVar("V", bound=Callable[..., Response])

_CONTEXT = "oidc.again"
_KEPT_SECONDS = 30
_WAIT_SECONDS = 2.0
_LOOK_EVERY_SECONDS = 0.05
_BEING_MADE = "-"


def once(view: V) -> Callable[..., Response]:
    """Carry a sign-in out once; the same request within half a minute gets the same answer. Stands between access and `page`."""

    @functools.wraps(view)
    def carried_out(*args: Any, **more: Any) -> Response:
        key = f"oidc:again:{_digest()}"
        try:
            if not cache.client().set(key, _BEING_MADE, nx=True, ex=_KEPT_SECONDS):
                earlier = _earlier(key)
                if earlier is not None:
                    return earlier
        except RedisError:
            return view(*args, **more)
        answer: Response | None = None
        try:
            answer = view(*args, **more)
        finally:
            _keep(key, answer)
        return answer

    return carried_out


def _digest() -> str:
    said = (
        "\n".join((cookies.browser_cookie() or "", request.full_path)).encode() + b"\n" + request.get_data(cache=True)
    )
    return hashlib.sha256(said).hexdigest()


def _keep(key: str, answer: Response | None) -> None:
    """Only a sign-in is kept; what was refused may be tried again."""
    try:
        if answer is not None and cookies.gives(answer):
            kept = json.dumps([answer.headers["Location"], answer.headers.getlist("Set-Cookie")])
            cache.client().set(key, security.encrypt(kept, _CONTEXT).hex(), ex=_KEPT_SECONDS)
        else:
            cache.client().delete(key)
    except RedisError:
        return


def _earlier(key: str) -> Response | None:
    """The answer of the first press, once it is made; None when it was a refusal or takes too long."""
    until = time.monotonic() + _WAIT_SECONDS
    while (kept := cache.client().get(key)) == _BEING_MADE and time.monotonic() < until:
        time.sleep(_LOOK_EVERY_SECONDS)
    if not isinstance(kept, str) or kept == _BEING_MADE:
        return None
    try:
        location, given = json.loads(security.decrypt(bytes.fromhex(kept), _CONTEXT))
    except (ValueError, DecryptionFailed):
        return None
    answer = Response(status=303, headers={"Location": location, "Cache-Control": "no-store"})
    for cookie in given:
        answer.headers.add("Set-Cookie", cookie)
    return answer
