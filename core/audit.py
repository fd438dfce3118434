"""The audit log (2.7): who, when, from where, what object, before and after digest, result; append-only, hash-chained.

`record` writes in the business transaction, so what happened and its audit row are one commit. Chaining every row at
once would make all writers queue for the last hash, so rows are chained a moment later, in order, by `seal`: only rows
whose transactions can no longer be overtaken are sealed. `verify` recomputes the chain. The database refuses UPDATE of
a sealed row and any DELETE (migration 0001).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import BigInteger, Identity, Index, LargeBinary, Table, Text, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import clock, security
from core.actors import Actor
from core.db import Base
from core.statements import Statement
from core.web.request_context import request_address, request_id

_SEAL_LOCK = 0x6175646974  # "audit" in ASCII
BATCH = 1_000
_GENESIS = b"\0" * 32


class AuditEntry(Base):
    """One thing somebody did. `digest_before/after` are keyed digests of the object, never the object."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_unsealed", "seq", postgresql_where=text("hash IS NULL")),
        Index("ix_audit_entry_anomaly", "seq", postgresql_where=text("result = 'anomaly'")),
    )

    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(Text)
    on_behalf_of: Mapped[str | None] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    object_type: Mapped[str] = mapped_column(Text)
    object_id: Mapped[str] = mapped_column(Text, index=True)
    result: Mapped[str] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(Text)
    address: Mapped[str | None] = mapped_column(Text)
    digest_before: Mapped[bytes | None] = mapped_column(LargeBinary)
    digest_after: Mapped[bytes | None] = mapped_column(LargeBinary)
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    xid: Mapped[int] = mapped_column(BigInteger, server_default=text("(pg_current_xact_id()::text::bigint)"))
    hash: Mapped[bytes | None] = mapped_column(LargeBinary)


_WRITE = Statement(
    insert(cast(Table, AuditEntry.__table__)),
    columns=(
        "at", "actor", "on_behalf_of", "action", "object_type", "object_id", "result", "request_id", "address",
        "digest_before", "digest_after", "facts",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What `verify` found: rows checked, rows not sealed yet, and the first broken row or None."""

    checked: int
    unsealed: int
    broken_at: int | None


def record(
    session: Session,
    *,
    actor: Actor,
    action: str,
    object_type: str,
    object_id: object,
    result: str = "ok",
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    **facts: str | int | bool | None,
) -> None:
    """Write an audit row in `session`'s transaction. `before`/`after` are digested; `facts` are stored and must hold no personal data."""
    principal = getattr(actor, "on_behalf_of", None)
    _WRITE.rows(
        session,
        at=clock.now(),
        actor=actor.audit_id,
        on_behalf_of=str(principal) if principal else None,
        action=action,
        object_type=object_type,
        object_id=str(object_id),
        result=result,
        request_id=request_id(),
        address=request_address(),
        digest_before=_digest(before),
        digest_after=_digest(after),
        facts=facts,
    )


def _digest(state: object) -> bytes | None:
    if state is None:
        return None
    return security.lookup("audit", json.dumps(state, sort_keys=True, ensure_ascii=False, default=str))


def _chained(previous: bytes, entry: AuditEntry) -> bytes:
    content = json.dumps(
        [
            entry.seq,
            entry.at.timestamp(),
            entry.actor,
            entry.on_behalf_of,
            entry.action,
            entry.object_type,
            entry.object_id,
            entry.result,
            entry.request_id,
            entry.address,
            entry.digest_before.hex() if entry.digest_before else None,
            entry.digest_after.hex() if entry.digest_after else None,
            entry.facts,
        ],
        sort_keys=True,
        ensure_ascii=False,
    )
    return hashlib.sha256(previous + content.encode()).digest()


def seal(session: Session) -> int:
    """Chain the next rows; returns how many. One sealer at a time; call again while it returns a full batch (1,000).

    A row is ready when its transaction is older than every transaction still running: then no smaller `seq` of an
    uncommitted row can appear behind the chain's end.
    """
    session.execute(select(func.pg_advisory_xact_lock(_SEAL_LOCK)))
    horizon = session.scalar(select(text("pg_snapshot_xmin(pg_current_snapshot())::text::bigint")))
    blocked = session.scalar(
        select(func.min(AuditEntry.seq)).where(AuditEntry.hash.is_(None), AuditEntry.xid >= horizon)
    )
    ready = select(AuditEntry).where(AuditEntry.hash.is_(None)).order_by(AuditEntry.seq).limit(BATCH)
    if blocked is not None:
        ready = ready.where(AuditEntry.seq < blocked)
    entries = list(session.scalars(ready))
    if not entries:
        return 0
    previous = session.scalar(
        select(AuditEntry.hash).where(AuditEntry.hash.is_not(None)).order_by(AuditEntry.seq.desc()).limit(1)
    )
    link = previous or _GENESIS
    hashes = []
    for entry in entries:
        link = _chained(link, entry)
        hashes.append({"seq": entry.seq, "hash": link})
        session.expunge(entry)
    session.execute(update(AuditEntry), hashes)
    return len(hashes)


def verify(session: Session) -> ChainReport:
    """Recompute the whole chain from the first row."""
    link, checked, unsealed, last = _GENESIS, 0, 0, -1
    while True:
        query = select(AuditEntry).where(AuditEntry.seq > last).order_by(AuditEntry.seq).limit(BATCH)
        entries = session.scalars(query).all()
        for entry in entries:
            last = entry.seq
            if entry.hash is None:
                unsealed += 1
                continue
            link = _chained(link, entry)
            if unsealed or entry.hash != link:
                return ChainReport(checked, unsealed, entry.seq)
            checked += 1
        session.expunge_all()
        if len(entries) < BATCH:
            return ChainReport(checked, unsealed, None)
