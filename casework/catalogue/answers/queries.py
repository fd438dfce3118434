"""Kept answers: serialised once, sent many times."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections import OrderedDict
from datetime import datetime
from typing import ClassVar, NamedTuple

from sqlalchemy import Connection, Engine, select
from sqlalchemy.orm import Session

from casework.catalogue.models import CatalogueRevision
from core import clock, db
from core.errors import InvalidInput
from core.web import paging

LOOK_SECONDS = 0.5
KEEP_SECONDS = 300.0
"""Longest life of an answer: what it is made of but the revision doesn't count (the calendar) is at most this late."""
MAX_BYTES = 16 * 1024 * 1024

_POSITION = re.compile(r"[0-9]{1,9}")
_KEY = re.compile(r"[A-Z0-9-]{1,64}")


class Answer(NamedTuple):
    """What is sent: the body, and the tag that a client asks again with."""

    body: bytes
    etag: str


class Revision(NamedTuple):
    """Of the catalogue. The time of the change is part of it: two databases (a restored one, say) may count alike."""

    number: int
    changed_at: datetime


class _Kept(NamedTuple):
    revision: Revision
    made_at: float
    answer: Answer


class _State:
    lock = threading.Lock()
    source: Engine | Connection | None = None
    revision: Revision | None = None
    looked_at = 0.0
    answers: ClassVar[OrderedDict[str, _Kept]] = OrderedDict()
    size = 0


def kept(key: str) -> Answer | None:
    """The answer kept under `key`, if that can be told without asking the database.

    `key` holds everything the answer depends on but the business day: its address, query and language.
    """
    source = db.engine()
    with _State.lock:
        if _State.source is not source or time.monotonic() - _State.looked_at >= LOOK_SECONDS:
            return None
        return _valid(f"{clock.today()} {key}", _State.revision)


def keep(key: str, revision: Revision, body: bytes) -> Answer:
    """Keep `body`, made after `revision` was read, under `key` and the business day, until the revision changes."""
    answer = Answer(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')
    _keep(f"{clock.today()} {key}", _Kept(revision, time.monotonic(), answer))
    return answer


def _valid(key: str, revision: Revision | None) -> Answer | None:
    """Under the lock."""
    found = _State.answers.get(key)
    if found is None or found.revision != revision or time.monotonic() - found.made_at >= KEEP_SECONDS:
        return None
    _State.answers.move_to_end(key)
    return found.answer


def revision(session: Session) -> Revision:
    """The revision of now, looked up twice a second at most."""
    source = session.get_bind()
    with _State.lock:
        fresh = _State.source is source and time.monotonic() - _State.looked_at < LOOK_SECONDS
        if fresh and _State.revision is not None:
            return _State.revision
    looked_at = time.monotonic()
    row = session.execute(select(CatalogueRevision.revision, CatalogueRevision.changed_at)).one()
    found = Revision(row.revision, row.changed_at)
    with _State.lock:
        _State.source, _State.revision, _State.looked_at = source, found, looked_at
    return found


def _keep(key: str, made: _Kept) -> None:
    with _State.lock:
        before = _State.answers.pop(key, None)
        _State.size += len(made.answer.body) - (len(before.answer.body) if before else 0)
        _State.answers[key] = made
        while _State.size > MAX_BYTES:
            _, oldest = _State.answers.popitem(last=False)
            _State.size -= len(oldest.answer.body)


def position(cursor: str) -> tuple[int, str]:
    """A number and a key out of the cursor of a list that is ordered by them. Raises `InvalidInput` for a made-up one."""
    number, _, key = paging.decode(cursor).partition(" ")
    if not _POSITION.fullmatch(number) or not _KEY.fullmatch(key):
        raise InvalidInput(fields={"cursor": ["不是有效的翻页标记 / not a valid cursor"]})
    return int(number), key
