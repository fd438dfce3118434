"""Numbers for people (DOMAIN 2.3): case, pre-review, appointment, bill and shipment numbers.

Each kind has its own prefix so that look-alikes can't be mixed. The running number comes from a database sequence
(no lock, gaps allowed, some at a time) and is scrambled with a key per day, so that one number doesn't tell its neighbours (3.4).
"""

from __future__ import annotations

import threading
from datetime import date
from enum import Enum
from typing import ClassVar

from sqlalchemy import Connection, Engine, Sequence, func, select
from sqlalchemy.orm import Session

from core import ids, security
from core.db import Base
from core.statements import Statement

_PER_DAY = 1_000_000


class Kind(Enum):
    """Prefix and sequence of each kind of number."""

    CASE = "NB"
    PREREVIEW = "YS"
    APPOINTMENT = "YY"
    BILL = "JK"
    REFUND = "TK"
    SHIPMENT = "KD"


SEQUENCES = {
    kind: Sequence(
        f"number_{kind.name.lower()}_seq",
        minvalue=0,
        maxvalue=_PER_DAY - 1,
        start=0,
        cycle=True,
        metadata=Base.metadata,
    )
    for kind in Kind
}


_BLOCK = 20
"""So many running numbers are drawn at a time; those that a process didn't use when it ends are gaps."""
_DRAW = {
    kind: Statement(select(sequence.next_value()).select_from(func.generate_series(1, _BLOCK)))
    for kind, sequence in SEQUENCES.items()
}


class _Drawn:
    """Running numbers of this process, of the database they were drawn from."""

    lock = threading.Lock()
    source: Engine | Connection | None = None
    numbers: ClassVar[dict[Kind, list[int]]] = {}


def issue(session: Session, kind: Kind, day: date) -> str:
    """The next number of `kind` for `day`: prefix, YYMMDD, six digits, check digit — 15 characters."""
    scrambled = ids.scramble_sequence(_running(session, kind), day, security.number_key())
    return ids.numbered(kind.value, day, scrambled)


def _running(session: Session, kind: Kind) -> int:
    source = session.get_bind()
    with _Drawn.lock:
        if _Drawn.source is not source:
            _Drawn.source, _Drawn.numbers = source, {}
        drawn = _Drawn.numbers.setdefault(kind, [])
        if drawn:
            return drawn.pop()
    # Not under the lock: nobody waits for another's question to the database.
    first, *others = (number for (number,) in _DRAW[kind].rows(session))
    with _Drawn.lock:
        if _Drawn.source is source:
            _Drawn.numbers[kind] += others
    return int(first)
