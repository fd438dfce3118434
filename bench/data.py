"""What is booked and who books: slots and proven, signed-in citizens, written straight into the tables.

Keys are made from running numbers, so that pgbench can name the same rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
from sqlalchemy import insert
from sqlalchemy.orm import Session

from auth.accounts import queries as people
from auth.accounts.models import PhoneBinding, Subject, SubjectDocument, WeChatBinding
from auth.accounts.rules import SubjectState
from auth.identity.models import IdentityEvidence
from auth.identity.rules import EvidenceType, Result
from auth.sessions import authenticator
from auth.sessions import rules as session_rules
from auth.sessions.models import CitizenSession
from bench import load
from casework.catalogue import queries as catalogue
from casework.places import queries as places
from casework.slots import queries as slot_queries
from casework.slots import rules as slot_rules
from casework.slots.models import Slot, SlotDay
from core import calendar, clock
from core.actors import Channel, Citizen
from core.db import transaction
from core.workdays import add_workdays
from tests.factories.auth import resident_id

ITEM = "NB-002"
HALL = "NB-CITY"
SLOTS = 200
"""Ample slots, numbered from 1; behind them an ample one that everybody wants, then one that sells out."""
ONE_SLOT, SOLD_OUT = SLOTS + 1, SLOTS + 2
PLACES = 200
"""Places of the slot that sells out."""

_CHANNEL: Channel = "WXMP"
_LEVEL = 2
_AMPLE = 100_000_000
_AT_ONCE = 2_000
PERSON_KEYS, SLOT_KEYS = "00000000-0000-7000-8001-", "00000000-0000-7000-8002-"
_SESSION_KEYS, _PHONE_KEYS, _WECHAT_KEYS = (f"00000000-0000-7000-800{kind}-" for kind in (3, 4, 5))


def key(prefix: str, number: int) -> UUID:
    """The key of the `number`-th row of a kind."""
    return UUID(f"{prefix}{number:012x}")


def make_slots(session: Session) -> None:
    """Make the slots on the next working day: all released (AP-5), none with a reserve (AP-6)."""
    now = clock.now()
    day = add_workdays(clock.local(now).date(), 1, calendar.load(session))
    hall = places.hall_by_code(session, HALL)
    item = catalogue.item_in_force(session, ITEM, day)
    policy = slot_queries.policy(session, hall.id)
    each = slot_rules.minutes_needed(item.avg_handle_minutes, prereviewed=False, policy=policy)
    session.execute(insert(SlotDay).values(hall_id=hall.id, zone_code=item.zone_code, day=day))
    sizes = [_AMPLE] * ONE_SLOT + [PLACES * each]
    rows = [
        _slot(number, hall.id, item.zone_code, day, minutes=minutes, reserved_until=now)
        for number, minutes in enumerate(sizes, start=1)
    ]
    session.execute(insert(Slot), rows)


def _slot(
    number: int, hall_id: UUID, zone_code: str, day: date, *, minutes: int, reserved_until: datetime
) -> dict[str, Any]:
    starts = clock.day_start(day) + timedelta(hours=8, minutes=2 * number)
    return {
        "id": key(SLOT_KEYS, number),
        "hall_id": hall_id,
        "zone_code": zone_code,
        "day": day,
        "starts_at": starts,
        "ends_at": starts + timedelta(minutes=2),
        "planned_minutes": minutes,
        "capacity_minutes": minutes,
        "physical_minutes": minutes,
        "reserved_minutes": 0,
        "reserved_until": reserved_until,
    }


def make_people(count: int) -> list[str]:
    """Make `count` citizens of level 2 with a phone, a WeChat account and a session; the access token of each."""
    for first in range(1, count + 1, _AT_ONCE):
        numbers = range(first, min(first + _AT_ONCE, count + 1))
        with transaction() as session:
            _write_people(session, numbers)
    now = clock.wall()
    ends = session_rules.access_end(_CHANNEL, now, session_rules.session_end(_CHANNEL, now))
    return [_token(citizen(number), now, ends) for number in range(1, count + 1)]


def phone(number: int) -> str:
    """The phone of the `number`-th citizen, E.164."""
    return f"+86199{number:08d}"


def citizen(number: int) -> Citizen:
    """The `number`-th citizen, counted from 1."""
    return Citizen(key(PERSON_KEYS, number), key(_SESSION_KEYS, number), _LEVEL, _CHANNEL)


def _token(actor: Citizen, now: datetime, ends: datetime) -> str:
    return authenticator.issue(
        subject_id=actor.subject_id,
        session_id=actor.session_id,
        channel=actor.channel,
        level=actor.level,
        now=now,
        expires_at=ends,
    )


def _write_people(session: Session, numbers: range) -> None:
    now, signed_in = clock.now(), clock.wall()
    rows: dict[type[Any], list[dict[str, Any]]] = {
        model: [] for model in (Subject, SubjectDocument, PhoneBinding, WeChatBinding, CitizenSession, IdentityEvidence)
    }
    for number in numbers:
        subject_id = key(PERSON_KEYS, number)
        document, openid = resident_id(number), f"oBench{number:022d}"
        bound = {"subject_id": subject_id, "bound_at": now}
        rows[Subject].append({"id": subject_id, "state": SubjectState.ACTIVE, "language": "zh", "created_at": now})
        hashes = {
            EvidenceType.WECHAT: people.openid_lookup(openid),
            EvidenceType.PHONE: people.phone_lookup(phone(number)),
            EvidenceType.NAME_NUMBER: people.document_lookup(document),
        }
        rows[SubjectDocument].append(
            bound
            | {
                "document_type": document.type,
                "document_number": document.number,
                "document_lookup": hashes[EvidenceType.NAME_NUMBER],
                "name": "张三",
            }
        )
        phone_id, wechat_id = key(_PHONE_KEYS, number), key(_WECHAT_KEYS, number)
        bound["confirmed_at"] = now
        rows[PhoneBinding].append(
            bound | {"id": phone_id, "phone": phone(number), "phone_lookup": hashes[EvidenceType.PHONE]}
        )
        rows[WeChatBinding].append(
            bound | {"id": wechat_id, "openid": openid, "openid_lookup": hashes[EvidenceType.WECHAT]}
        )
        rows[CitizenSession].append(
            {
                "id": key(_SESSION_KEYS, number),
                "subject_id": subject_id,
                "channel": _CHANNEL,
                "phone_binding_id": phone_id,
                "wechat_binding_id": wechat_id,
                "created_at": signed_in,
                "last_seen_at": signed_in,
                "expires_at": session_rules.session_end(_CHANNEL, signed_in),
            }
        )
        rows[IdentityEvidence] += [
            {
                "subject_id": subject_id,
                "type": kind,
                "provider": "bench",
                "subject_hash": hashed,
                "result": Result.PASS,
                "at": now,
            }
            for kind, hashed in hashes.items()
        ]
    for model, values in rows.items():
        session.execute(insert(model), values)


def bookings(tokens: Iterator[str], slots: Iterator[UUID]) -> Iterator[bytes]:
    """Requests to book: each by the next citizen, in the next slot."""
    for token in tokens:
        body = orjson.dumps({"slot_id": str(next(slots)), "item_id": ITEM})
        yield load.post("/api/v1/appointments", body, Authorization=f"Bearer {token}", Idempotency_Key=uuid4().hex)
