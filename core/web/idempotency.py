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
from sqlalchemy import Integer, LargeBinary, Table, Text, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import clock
from core.db import Base, Encrypted, join, transaction
from core.errors import IdempotencyKeyMissing, IdempotencyKeyReused
from core.statements import Statement

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


_TABLE = cast(Table, IdempotencyKey.__table__)
_ITS = (_TABLE.c.owner == bindparam("its_owner"), _TABLE.c.key == bindparam("its_key"))
_CLAIM = Statement(
    insert(_TABLE).on_conflict_do_nothing().returning(_TABLE.c.key), columns=("owner", "key", "digest", "created_at")
)
_FIRST = Statement(select(_TABLE.c.digest, _TABLE.c.status, _TABLE.c.body).where(*_ITS))
_ANSWER = Statement(
    update(_TABLE)
    .where(*_ITS)
    .values(
        status=bindparam("its_status", type_=_TABLE.c.status.type), body=bindparam("its_body", type_=_TABLE.c.body.type)
    )
)


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
            _ANSWER.rows(
                session,
                its_owner=owner,
                its_key=key,
                its_status=response.status_code,
                its_body=response.get_data(as_text=True),
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
    if _CLAIM.rows(session, owner=owner, key=key, digest=digest, created_at=clock.wall()):
        return None
    ((first_digest, status, body),) = _FIRST.rows(session, its_owner=owner, its_key=key)
    if bytes(first_digest) != digest:
        raise IdempotencyKeyReused()
    response = make_response(body or "", status or 200)
    response.content_type = "application/json"
    response.headers["Idempotent-Replay"] = "true"
    return response
