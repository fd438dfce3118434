"""Reads of the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.audit import AuditEntry
from core.errors import InvalidInput
from core.web.paging import Page, decode, encode


def page(session: Session, args: Mapping[str, Any]) -> Page[AuditEntry]:
    """A page of the log, the newest first; with `object_id`, of what was done to that object; of anomalies. Raises `InvalidInput`."""
    query = select(AuditEntry).order_by(AuditEntry.seq.desc()).limit(args["limit"] + 1)
    if args.get("object_id"):
        query = query.where(AuditEntry.object_id == args["object_id"])
    if args.get("anomalies"):
        # Written out, so that the partial index serves it.
        query = query.where(text("result = 'anomaly'"))
    if args.get("cursor"):
        position = decode(args["cursor"])
        if not position.isdecimal() or len(position) > 18:  # what a bigint holds
            raise InvalidInput(fields={"cursor": ["不是有效的翻页标记 / not a valid cursor"]})
        query = query.where(AuditEntry.seq < int(position))
    rows = list(session.scalars(query))
    more, rows = len(rows) > args["limit"], rows[: args["limit"]]
    return Page(rows, encode(str(rows[-1].seq)) if more else None)
