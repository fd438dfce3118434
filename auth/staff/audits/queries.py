"""Reads of the audit log."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, or_, select, text
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
    return _page(session, query, args)


def of_object(
    session: Session,
    object_id: str,
    actions: Collection[str],
    args: Mapping[str, Any],
    *,
    but: Mapping[str, Sequence[str]],
) -> Page[AuditEntry]:
    """A page of what succeeded of these actions on one object, the newest first, for the person it is about.

    `but`: left out are the entries in which a fact has one of these values. Raises `InvalidInput`.
    """
    query = select(AuditEntry).where(
        AuditEntry.object_id == object_id, AuditEntry.action.in_(actions), AuditEntry.result == "ok"
    )
    for fact, values in but.items():
        said = AuditEntry.facts[fact].astext
        query = query.where(or_(said.is_(None), said.not_in(values)))
    return _page(session, query.order_by(AuditEntry.seq.desc()).limit(args["limit"] + 1), args)


def _page(session: Session, query: Select[AuditEntry], args: Mapping[str, Any]) -> Page[AuditEntry]:
    if args.get("cursor"):
        position = decode(args["cursor"])
        if not position.isdecimal() or len(position) > 18:  # what a bigint holds
            raise InvalidInput(fields={"cursor": ["不是有效的翻页标记 / not a valid cursor"]})
        query = query.where(AuditEntry.seq < int(position))
    rows = list(session.scalars(query))
    more, rows = len(rows) > args["limit"], rows[: args["limit"]]
    return Page(rows, encode(str(rows[-1].seq)) if more else None)
