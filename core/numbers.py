"""Numbers for people (DOMAIN 2.3): case, pre-review, appointment, bill and shipment numbers.

Each kind has its own prefix so that look-alikes can't be mixed. The running number comes from a database sequence
(no lock, gaps allowed) and is scrambled with a key per day, so that one number doesn't tell its neighbours (3.4).
"""

from __future__ import annotations

from datetime import date
from enum import Enum

from sqlalchemy import Sequence, select
from sqlalchemy.orm import Session

from core import ids, security
from core.db import Base

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


def issue(session: Session, kind: Kind, day: date) -> str:
    """The next number of `kind` for `day`: prefix, YYMMDD, six digits, check digit — 15 characters."""
    running = session.execute(select(SEQUENCES[kind].next_value())).scalar_one()
    scrambled = ids.scramble_sequence(running, day, security.number_key())
    return ids.numbered(kind.value, day, scrambled)
