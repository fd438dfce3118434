"""The headers that every answer has, put on where answers leave: a few tuples more, instead of a search for each one."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from core.web.request_context import identify

STARTED = "ningbo.started"
"""In the environ: when the request came in, by `time.perf_counter`."""

_ALWAYS = [
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
    ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
]
_UNLESS_SET = {
    "content-security-policy": ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    "cache-control": ("Cache-Control", "no-store"),
}


class EveryAnswer:
    """WSGI around `wsgi_app`: security headers, no-store unless the view says otherwise, the request's id."""

    def __init__(self, wsgi_app: WSGIApplication) -> None:
        self._wsgi_app = wsgi_app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, with the headers."""
        request_id = identify(environ)
        environ[STARTED] = time.perf_counter()

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            names = {name.lower() for name, _ in headers}
            headers += _ALWAYS
            headers += [header for name, header in _UNLESS_SET.items() if name not in names]
            headers.append(("X-Request-Id", request_id))
            return start_response(status, headers, *rest)

        return self._wsgi_app(environ, start)
