"""Every failure becomes `application/problem+json` (RFC 9457), here and nowhere else."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from flask import Flask, Response
from psycopg import errors as pg
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from core import errors
from core.ports import PartnerUnavailable
from core.web import faults
from core.web.request_context import language, request_id

log = logging.getLogger("gateway.errors")

_BY_STATUS: dict[int, type[errors.Problem]] = {
    400: errors.MalformedRequest,
    401: errors.NotAuthenticated,
    403: errors.Forbidden,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    406: errors.NotAcceptable,
    413: errors.PayloadTooLarge,
    415: errors.UnsupportedMediaType,
    422: errors.InvalidInput,
    429: errors.RateLimited,
    503: errors.SourceUnavailable,
}
# The other side won or is slow: nothing was changed, the caller may try again.
_BUSY = (pg.LockNotAvailable, pg.DeadlockDetected, pg.QueryCanceled, pg.SerializationFailure)


def answer(problem: errors.Problem) -> Response:
    """The HTTP answer of a problem."""
    body: dict[str, Any] = {
        "type": f"/docs/errors#{problem.code}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.sentence(language()),
        "request_id": request_id() or "",
        **problem.extra,
    }
    if problem.fields:
        body["errors"] = {name: list(faults) for name, faults in problem.fields.items()}
    response = Response(orjson.dumps(body, default=str), status=problem.status, content_type="application/problem+json")
    response.headers.update(problem.headers)
    response.headers["Cache-Control"] = "no-store"
    return response


def _from_http(fault: HTTPException) -> Response | HTTPException:
    """Werkzeug's and webargs' own refusals (unknown address, broken JSON, schema faults)."""
    status = fault.code or 500
    if fault.response is not None or status < 400:
        return fault
    kind = _BY_STATUS.get(status)
    if kind is None:
        kind = errors.MalformedRequest if status < 500 else errors.InternalError
    data = getattr(fault, "data", None) or {}
    headers = {"Allow": ", ".join(sorted(fault.valid_methods))} if getattr(fault, "valid_methods", None) else {}  # type: ignore[attr-defined]
    return answer(kind(fields=_flat(data.get("messages", {})), headers=headers, retry_after=60))


def _flat(messages: Mapping[str, Any]) -> dict[str, list[str]]:
    """Marshmallow's nested messages as {"materials.0.note": ["…"]}; the location (json, query) is left out."""
    return {path: told for location in messages.values() for path, told in faults.flat("", location)}


def _from_database(fault: DBAPIError) -> Response:
    if isinstance(fault.orig, _BUSY):
        log.warning("database busy: %s", type(fault.orig).__name__)
        return answer(errors.StateConflict())
    if fault.connection_invalidated or isinstance(fault, OperationalError):
        log.error("database unavailable: %s", type(fault.orig).__name__)
        return answer(errors.SourceUnavailable(headers={"Retry-After": "5"}))
    # The exception's text holds the statement's parameters, which are personal data.
    log.error("database fault: %s at %s", type(fault.orig).__name__, _constraint(fault))
    return answer(errors.InternalError())


def _constraint(fault: DBAPIError) -> str:
    diagnosis = getattr(fault.orig, "diag", None)
    return str(getattr(diagnosis, "constraint_name", None) or getattr(diagnosis, "sqlstate", ""))


def _from_bug(fault: Exception) -> Response:
    log.error("unhandled %s", type(fault).__name__, exc_info=fault)
    return answer(errors.InternalError())


def register(app: Flask) -> None:
    """Install the handlers."""
    app.register_error_handler(errors.Problem, answer)
    app.register_error_handler(HTTPException, _from_http)
    app.register_error_handler(DBAPIError, _from_database)
    app.register_error_handler(
        PoolTimeout, lambda _fault: answer(errors.SourceUnavailable(headers={"Retry-After": "2"}))
    )
    app.register_error_handler(
        PartnerUnavailable, lambda _fault: answer(errors.SourceUnavailable(headers={"Retry-After": "5"}))
    )
    app.register_error_handler(Exception, _from_bug)
