"""Idempotent requests: `@run_once` on every POST that takes a place, money or a number.

The key row is the first statement of the business transaction and the answer is its last, so either both exist or
neither. A second request with the key waits for the first one, then replays its answer; if the first was refused it
left nothing, and the second is judged afresh. Same key with another body, address or person acted for: 422.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar, cast

from flask import Response, g, make_response, request
from sqlalchemy import Integer, LargeBinary, Text, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import clock
from core.db import Base, Encrypted, join, transaction
from core.errors import IdempotencyKeyMissing, IdempotencyKeyReused

F = TypeVar("F", bound=Callable[..., Any])

_KEY = re.compile(r"[A-Za-z0-9._:-]{8,100}")


class IdempotencyKey(Base):
    """A request that was carried out, and its answer (encrypted: it may hold personal data). Kept 24 h."""

    __tablename__ = "idempotency_key"

    owner: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(index=True)
    status: Mapped[int | None] = mapped_column(Integer)
    body: Mapped[str | None] = mapped_column(Encrypted("idempotency_key.body"))


def run_once(view: F) -> F:
    """Carry the view out at most once per caller and Idempotency-Key. Stands below the access declaration."""

    @functools.wraps(view)
    def once(*args: Any, **kwargs: Any) -> Response:
        key = request.headers.get("Idempotency-Key", "")
        if not _KEY.fullmatch(key):
            raise IdempotencyKeyMissing()
        owner = g.actor.audit_id
        digest = _request_digest()
        with transaction() as session:
            replay = _claim(session, owner, key, digest)
            if replay is not None:
                return replay
            with join(session):
                response = make_response(view(*args, **kwargs))
            session.execute(
                IdempotencyKey.__table__.update()  # type: ignore[attr-defined]
                .where(IdempotencyKey.owner == owner, IdempotencyKey.key == key)
                .values(status=response.status_code, body=response.get_data(as_text=True))
            )
        return response

    once.__idempotent__ = True  # type: ignore[attr-defined]
    return cast(F, once)


def _request_digest() -> bytes:
    acting_for = request.headers.get("X-Act-For", "")
    address = f"{request.method}\n{request.full_path}\n{acting_for}\n"
    return hashlib.sha256(address.encode() + request.get_data(cache=True)).digest()


def _claim(session: Session, owner: str, key: str, digest: bytes) -> Response | None:
    """Insert the key; None if it is ours to carry out, else the first request's answer."""
    claimed = session.execute(
        insert(IdempotencyKey)
        .values(owner=owner, key=key, digest=digest, created_at=clock.wall())
        .on_conflict_do_nothing()
        .returning(IdempotencyKey.key)
    ).first()
    if claimed is not None:
        return None
    first = session.execute(
        select(IdempotencyKey).where(IdempotencyKey.owner == owner, IdempotencyKey.key == key)
    ).scalar_one()
    if first.digest != digest:
        raise IdempotencyKeyReused()
    response = make_response(first.body or "", first.status or 200)
    response.content_type = "application/json"
    response.headers["Idempotent-Replay"] = "true"
    return response
