"""What is known of the request being served: its id, where it came from, which language to answer in.

Outside a request (worker, command line) a job may set a request id of its own, so that its log lines and audit rows
can be followed.
"""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar

from flask import g, has_request_context, request

_job_request_id: ContextVar[str | None] = ContextVar("job_request_id", default=None)
_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def request_id() -> str | None:
    """The id of this request (the caller's X-Request-Id if it is well formed, else ours), or of this job, or None."""
    if not has_request_context():
        return _job_request_id.get()
    if "request_id" not in g:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if _GIVEN_ID.fullmatch(given) else secrets.token_hex(12)
    return str(g.request_id)


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
    return "en" if request.accept_languages.best_match(["zh-CN", "zh", "en"]) == "en" else "zh"
