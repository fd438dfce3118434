"""Trips to a partner's page. The session is given; nothing here commits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from auth.redirects import rules
from auth.redirects.errors import RedirectExpired
from auth.redirects.models import RedirectTrip
from auth.redirects.ports import ReturnAddresses
from auth.redirects.rules import TripKind
from core import clock, ids, ports
from core.errors import InvalidInput, Replayed

_KEEP_OVER = timedelta(days=1)
_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Trip:
    """A trip whose browser is back: where it began, and what its feature had left behind."""

    channel: str
    return_to: str
    details: Mapping[str, str] = field(repr=False)


def check_return(return_to: str) -> str:
    """The whole address of `return_to`. Raises `InvalidInput` unless it is ours or allowed (ID-8)."""
    known = ports.get(ReturnAddresses)
    address = rules.allowed_return(return_to, own=known.own, allowed=known.allowed)
    if address is None:
        raise InvalidInput(fields={"return_to": ["不允许返回到此地址 / not an address to return to"]})
    return address


def begin(
    session: Session,
    *,
    kind: TripKind,
    holder: str,
    channel: str,
    return_to: str,
    details: Mapping[str, str] | None = None,
) -> str:
    """Note that a browser leaves; the state to send along. `holder`: a secret of the browser or device.

    Raises `InvalidInput` for an address that `return_to` may not be.
    """
    now, state = clock.wall(), ids.random_token(256)
    session.add(
        RedirectTrip(
            kind=kind,
            state_hash=_digest(state),
            holder_hash=_digest(holder),
            channel=channel,
            return_to=check_return(return_to),
            details=json.dumps(dict(details or {}), ensure_ascii=False),
            created_at=now,
            expires_at=now + rules.POLICY.valid,
        )
    )
    session.flush()
    return state


def onward(session: Session, *, state: str, answer: Mapping[str, str]) -> str:
    """Where the browser that comes back with `state` goes on to, with the partner's `answer`. Raises `RedirectExpired`."""
    return_to = session.scalar(
        select(RedirectTrip.return_to).where(
            RedirectTrip.state_hash == _digest(state), RedirectTrip.expires_at > clock.wall()
        )
    )
    if return_to is None:
        raise RedirectExpired()
    return rules.with_parameters(return_to, {"state": state, **answer})


def look(session: Session, *, state: str, kind: TripKind, holder: str) -> Trip:
    """The trip of `state`, which goes on. Raises `Replayed` when it has ended, `RedirectExpired` for any other fault.

    For what must be asked outside the transaction that ends the trip: if the partner is away, nothing is used up.
    """
    return _mine(session, state, kind, holder, lock=False)[0]


def take(session: Session, *, state: str, kind: TripKind, holder: str) -> Trip:
    """End the trip of `state`, once. Raises `Replayed` for a second time, `RedirectExpired` for any other fault."""
    trip, row = _mine(session, state, kind, holder, lock=True)
    row.used_at = clock.wall()
    session.flush()
    return trip


def _mine(session: Session, state: str, kind: TripKind, holder: str, *, lock: bool) -> tuple[Trip, RedirectTrip]:
    query = select(RedirectTrip).where(
        RedirectTrip.state_hash == _digest(state),
        RedirectTrip.kind == kind,
        RedirectTrip.holder_hash == _digest(holder),
        RedirectTrip.expires_at > clock.wall(),
    )
    row = session.scalar(query.with_for_update().execution_options(populate_existing=True) if lock else query)
    if row is None:
        raise RedirectExpired()
    if row.used_at is not None:
        raise Replayed()
    return Trip(row.channel, row.return_to, json.loads(row.details)), row


def prune(session: Session) -> int:
    """Delete a batch of trips that ended long ago; how many."""
    old = select(RedirectTrip.id).where(RedirectTrip.expires_at < clock.wall() - _KEEP_OVER).limit(_BATCH)
    gone = session.scalars(delete(RedirectTrip).where(RedirectTrip.id.in_(old)).returning(RedirectTrip.id)).all()
    return len(gone)


def _digest(secret: str) -> bytes:
    # Random or itself a key: nothing to search for, so a plain hash will do.
    return hashlib.sha256(secret.encode()).digest()
