"""What an answer tells its reader, and the state of the database in one line."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlalchemy import text
from werkzeug.test import TestResponse

from core import db
from tests.conftest import REFERENCE_TABLES

_OWN = {"date", "x-request-id", "server-timing", "content-length"}
_REQUEST_ID = re.compile(r'"(request_id|trace_id|instance)":\s*"[^"]*"')
# What a refused call may leave: its trace, the key it came with, and that the caller is awake.
_TRACES = {"audit_entry", "idempotency_key", "staff_session", "citizen_session", "access_anomaly"}

Told = tuple[int, str, tuple[tuple[str, str], ...]]


def told(answer: TestResponse, ids: Iterable[object]) -> Told:
    """Status, text and headers, without what differs by itself: the request's id, the date, the ids asked for."""
    body, headers = answer.get_data(as_text=True), []
    for value in ids:
        body = body.replace(str(value), "<id>")
    for name, value in answer.headers:
        if name.lower() not in _OWN and not name.lower().startswith(("ratelimit", "x-ratelimit")):
            for one in ids:
                value = value.replace(str(one), "<id>")  # noqa: PLW2901
            headers.append((name.lower(), value))
    return answer.status_code, _REQUEST_ID.sub("", body), tuple(sorted(headers))


def state() -> dict[str, str]:
    """A digest of every table that isn't reference data or a trace of the call itself."""
    skipped = _TRACES | (REFERENCE_TABLES - {"item_version"})
    names = sorted(name for name in db.Base.metadata.tables if name not in skipped)
    one = (
        "SELECT '{0}', (SELECT count(*) || md5(coalesce(string_agg(t::text, '' ORDER BY t::text), '')) FROM \"{0}\" t)"
    )
    with db.engine().connect() as connection:
        rows = connection.execute(text(" UNION ALL ".join(one.format(name) for name in names)))
        return {row[0]: row[1] for row in rows}
