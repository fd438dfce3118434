"""What is known of the request being served: its id, where it came from, which language to answer in.

Outside a request (worker, command line) a job may set a request id of its own, so that its log lines and audit rows
can be followed.
"""

from __future__ import annotations

import functools
import re
import secrets
from contextvars import ContextVar
from wsgiref.types import WSGIEnvironment

from flask import has_request_context, request
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

_job_request_id: ContextVar[str | None] = ContextVar("job_request_id", default=None)
_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_ENVIRON_KEY = "ningbo.request_id"
_LANGUAGES = ("zh-CN", "zh", "en")


def identify(environ: WSGIEnvironment) -> str:
    """The id of the request of `environ`: the caller's X-Request-Id if it is well formed, else ours."""
    found: str | None = environ.get(_ENVIRON_KEY)
    if found is None:
        given = environ.get("HTTP_X_REQUEST_ID", "")
        found = given if _GIVEN_ID.fullmatch(given) else secrets.token_hex(12)
        environ[_ENVIRON_KEY] = found
    return found


def request_id() -> str | None:
    """The id of this request, or of this job, or None."""
    return identify(request.environ) if has_request_context() else _job_request_id.get()


def set_job_request_id(value: str | None) -> None:
    """Give the running job an id for its log lines."""
    _job_request_id.set(value)


def request_address() -> str | None:
    """The caller's network address (behind trusted proxies: see TRUSTED_PROXIES), or None outside a request."""
    return request.remote_addr if has_request_context() else None


def language() -> str:
    """`"en"` if the caller prefers English, else `"zh"`."""
    if not has_request_context():
        return "zh"
    return _preferred(request.headers.get("Accept-Language", ""))


@functools.lru_cache(maxsize=1_000)
def _preferred(accepted: str) -> str:
    best = parse_accept_header(accepted, LanguageAccept).best_match(_LANGUAGES)
    return "en" if best == "en" else "zh"
