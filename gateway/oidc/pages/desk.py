"""What one sign-in leaves lying between two pages: the phone the code went to, what was typed, what was wrong with it.

It lies with the browser, sealed, in a cookie of this one request, for as long as the request lasts; nothing of it is
worth anything without the request's own browser cookie.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import Any

from flask import request
from werkzeug.wrappers import Response

from auth.oidc.interactions.rules import LASTS
from core import security
from core.crypto import DecryptionFailed

_COOKIE = "desk"
_CONTEXT = "oidc.desk"
_LONGEST = 3_500


@dataclass(slots=True)
class Fault:
    """What was wrong on the page `page`: at `field` ("" for none), in both languages."""

    page: str
    field: str
    zh: str
    en: str


@dataclass(slots=True)
class Desk:
    """The desk of one request. `wrong`: wrong codes since the last one was sent; `resent`: that one was not the first."""

    phone: str = ""
    wrong: int = 0
    resent: bool = False
    scan: str = ""
    other_account: bool = False
    fault: Fault | None = None
    typed: dict[str, str] = field(default_factory=dict)

    def clear(self) -> None:
        """A new try: what was wrong before no longer matters."""
        self.fault, self.typed = None, {}


def load() -> Desk:
    """The desk that came with this request; an empty one when there is none, or one that isn't ours."""
    try:
        sealed = base64.urlsafe_b64decode(request.cookies.get(_COOKIE, ""))
        found: dict[str, Any] = json.loads(security.decrypt(sealed, _CONTEXT)) if sealed else {}
        fault = found.pop("fault", None)
        return Desk(**found, fault=Fault(**fault) if fault else None)
    except (ValueError, TypeError, binascii.Error, DecryptionFailed):
        return Desk()


def save(response: Response, desk: Desk, *, path: str) -> None:
    """Leave `desk` with the browser, for the pages below `path` alone."""
    content = {
        "phone": desk.phone,
        "wrong": desk.wrong,
        "resent": desk.resent,
        "scan": desk.scan,
        "other_account": desk.other_account,
        "typed": desk.typed,
        "fault": None if desk.fault is None else {name: getattr(desk.fault, name) for name in Fault.__slots__},
    }
    sealed = base64.urlsafe_b64encode(security.encrypt(json.dumps(content, ensure_ascii=False), _CONTEXT)).decode()
    if len(sealed) > _LONGEST:
        desk.typed = {}
        save(response, desk, path=path)
        return
    seconds = int(LASTS.total_seconds())
    response.set_cookie(
        _COOKIE, sealed, max_age=seconds, path=path, httponly=True, samesite="Lax", secure=request.is_secure
    )
