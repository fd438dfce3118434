"""Logs: one JSON object a line, with the request id, and with personal data masked as a last line of defence.

Nothing here makes it right to log a name or a number: the masking (`core.masking.scrub`) catches what slipped through.
"""

from __future__ import annotations

import logging
import os
import sys
from datetime import UTC, datetime
from typing import Any
from wsgiref.types import WSGIEnvironment

import orjson
import structlog
from structlog.typing import EventDict

from core.masking import scrub
from core.web.request_context import identify, request_id

_STDERR = 2
_LONGEST_PLAIN_INTEGER = 9  # longer ones may be a phone or a document number
_STANDARD = {*logging.LogRecord("", 0, "", 0, "", (), None).__dict__, "message"}
_QUIET = (
    "urllib3",
    "alipay",
    "wechatpy",
    "procrastinate.jobs",
    "procrastinate.worker",
    "procrastinate.periodic",
    "werkzeug",
)


def _add_request_id(_logger: Any, _method: str, event: EventDict) -> EventDict:
    found = request_id()
    if found is not None:
        event.setdefault("request_id", found)
    return event


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, dict):
        return {key: _masked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(item) for item in value]
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, int) and len(str(value)) > _LONGEST_PLAIN_INTEGER:
        return scrub(str(value))
    return value if isinstance(value, int | float | bool | None) else scrub(str(value))


def _mask(_logger: Any, _method: str, event: EventDict) -> EventDict:
    return {key: _masked(value) for key, value in event.items()}


def _add_extra(_logger: Any, _method: str, event: EventDict) -> EventDict:
    record = event.get("_record")
    if isinstance(record, logging.LogRecord):
        event.update({key: value for key, value in record.__dict__.items() if key not in _STANDARD})
    return event


class _Requests:
    on = False


def request_answered(environ: WSGIEnvironment, *, method: str, route: str, status: int, seconds: float) -> None:
    """Write the line of a request: all of it is known to hold nothing personal, but for an id that the caller chose.

    Written past `logging`, in one system call: this is most of the log, and the general way costs as much as answering
    from memory does.
    """
    if not _Requests.on:
        return
    found = identify(environ)
    line = {
        "method": method,
        "route": route,
        "status": status,
        "ms": round(seconds * 1000, 1),
        "event": "request",
        "level": "info",
        "logger": "access",
        "timestamp": datetime.now(UTC),
        "request_id": scrub(found) if "HTTP_X_REQUEST_ID" in environ else found,
    }
    os.write(_STDERR, orjson.dumps(line, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE))


def configure(level: str = "INFO") -> None:
    """Send all logging of this process to standard error as JSON lines."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_request_id,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, _add_extra],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _mask,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    _Requests.on = root.isEnabledFor(logging.INFO)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
