"""Codes to scan: shown by a browser, confirmed by a phone. The session is given; nothing here commits.

Only hashes of the code and of the browser's secret are kept. Every change is one script, so that two phones or two
page loads at the same time can't both win.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from redis.exceptions import RedisError
from sqlalchemy.orm import Session

from auth.accounts import queries as people
from auth.accounts.errors import AccountFrozen
from auth.accounts.rules import SubjectState
from auth.factors.scan import rules
from auth.factors.scan.errors import ScanCodeInvalid
from auth.factors.scan.rules import State
from auth.sessions import service as sessions
from auth.sessions.rules import LoginResult, Method, Origin
from core import audit, cache, clock, ids
from core.actors import Citizen
from core.errors import NotAuthenticated, Problem, SourceUnavailable

_FIELDS = ("site_zh", "site_en", "device", "address", "asked_at")

_LOOK_UP = """
local state = redis.call('HGET', KEYS[1], 'state')
if state == 'WAITING' then
  redis.call('HSET', KEYS[1], 'state', 'SEEN', 'phone', ARGV[1])
elseif state ~= 'SEEN' or redis.call('HGET', KEYS[1], 'phone') ~= ARGV[1] then
  return false
end
return redis.call('HMGET', KEYS[1], 'site_zh', 'site_en', 'device', 'address', 'asked_at')
"""
_ANSWER = """
if redis.call('HGET', KEYS[1], 'state') ~= 'SEEN' or redis.call('HGET', KEYS[1], 'phone') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'state', ARGV[2], 'session', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
"""
_COLLECT = """
if redis.call('HGET', KEYS[1], 'browser') ~= ARGV[1] then return false end
local found = redis.call('HMGET', KEYS[1], 'state', 'session')
if found[1] == 'CONFIRMED' or found[1] == 'REFUSED' then redis.call('DEL', KEYS[1]) end
return found
"""


@dataclass(frozen=True, slots=True)
class Offer:
    """A code that a browser may show."""

    code: str = field(repr=False)
    expires_in: int


@dataclass(frozen=True, slots=True)
class Asking:
    """What the phone shows of the browser that wants to be signed in, for the person to compare."""

    site_zh: str
    site_en: str
    device: str
    address: str = field(repr=False)
    same_network: bool
    asked_at: datetime
    expires_in: int


@dataclass(frozen=True, slots=True)
class Collected:
    """What became of a code. `session_id`: the phone's session, once the person has confirmed."""

    state: State
    session_id: UUID | None = None


def offer(*, browser: str, site_zh: str, site_en: str, device: str | None, address: str | None) -> Offer:
    """A new code for the browser with the secret `browser`. Outside any transaction. Raises `SourceUnavailable`."""
    code, seconds = ids.random_token(192), int(rules.POLICY.valid.total_seconds())
    asked: dict[Any, Any] = {
        "state": State.WAITING.value,
        "browser": _digest(browser),
        "site_zh": site_zh,
        "site_en": site_en,
        "device": (device or "")[:200],
        "address": address or "",
        "asked_at": str(int(clock.wall().timestamp())),
    }
    try:
        with cache.client().pipeline(transaction=True) as pipe:
            pipe.hset(_key(code), mapping=asked)
            pipe.expire(_key(code), seconds)
            pipe.execute()
    except RedisError:
        raise SourceUnavailable() from None
    return Offer(code, seconds)


def look_up(*, actor: Citizen, scanned: str, own: str, address: str | None) -> Asking:
    """Who asks to be signed in; from now on only this person's phone can answer.

    Raises `ScanCodeInvalid`, `SourceUnavailable`.
    """
    code = _code(scanned, own)
    found = _run(_LOOK_UP, code, str(actor.subject_id))
    left = _time_left(code)
    if not found or left <= 0:
        raise ScanCodeInvalid()
    asked = dict(zip(_FIELDS, found, strict=True))
    return Asking(
        site_zh=asked["site_zh"],
        site_en=asked["site_en"],
        device=asked["device"],
        address=asked["address"],
        same_network=bool(address) and asked["address"] == address,
        asked_at=datetime.fromtimestamp(int(asked["asked_at"]), UTC),
        expires_in=left,
    )


def answer(*, actor: Citizen, scanned: str, own: str, confirm: bool) -> None:
    """Sign that browser in as the actor, or refuse; once, and only after `look_up` by the same person.

    Raises `ScanCodeInvalid`, `SourceUnavailable`.
    """
    state = State.CONFIRMED if confirm else State.REFUSED
    seconds = str(int(rules.POLICY.collect_within.total_seconds()))
    if _run(_ANSWER, _code(scanned, own), str(actor.subject_id), state.value, str(actor.session_id), seconds) != 1:
        raise ScanCodeInvalid()


def collect(*, browser: str, code: str) -> Collected:
    """What became of the code that this browser shows; an answer is given out once. Raises `SourceUnavailable`."""
    found = _run(_COLLECT, code, _digest(browser))
    if not isinstance(found, Sequence) or found[0] is None:
        return Collected(State.OVER)
    state = State(found[0])
    return Collected(state, UUID(found[1]) if state is State.CONFIRMED else None)


def sign_in(session: Session, *, confirmed_by: UUID, origin: Origin) -> sessions.Tokens | Problem:
    """Open a session like the one that confirmed: same person, same standing (ID-4). The refusal of a frozen account is returned.

    Raises `NotAuthenticated` when the phone's session is over by now.
    """
    phone = sessions.opened(session, confirmed_by)
    state = people.standing(session, phone.subject_id).state
    if state is SubjectState.FROZEN:
        sessions.note(
            session, subject_id=phone.subject_id, origin=origin, method=Method.SCAN, result=LoginResult.FROZEN
        )
        return AccountFrozen()
    if state is not SubjectState.ACTIVE:
        raise NotAuthenticated()
    tokens = sessions.open_session(
        session,
        subject_id=phone.subject_id,
        origin=origin,
        method=Method.SCAN,
        phone_binding_id=phone.phone_binding_id,
        wechat_binding_id=phone.wechat_binding_id,
        alipay_binding_id=phone.alipay_binding_id,
        proofs_since=phone.proofs_since,
    )
    audit.record(
        session,
        actor=Citizen(phone.subject_id, confirmed_by, tokens.level, origin.channel),
        action="session.open_by_scan",
        object_type="citizen_session",
        object_id=tokens.session_id,
        confirmed_by=str(confirmed_by),
    )
    return tokens


def _code(scanned: str, own: str) -> str:
    code = rules.code_in(scanned, own=own)
    if code is None:
        raise ScanCodeInvalid()
    return code


def _run(script: str, code: str, *arguments: str) -> Any:
    try:
        return cache.client().eval(script, 1, _key(code), *arguments)
    except RedisError:
        raise SourceUnavailable() from None


def _time_left(code: str) -> int:
    try:
        return int(cache.client().ttl(_key(code)))
    except RedisError:
        raise SourceUnavailable() from None


def _key(code: str) -> str:
    return f"scan:{_digest(code)}"


def _digest(secret: str) -> str:
    # At least 192 random bits: nothing to search for, so a plain hash will do.
    return hashlib.sha256(secret.encode()).hexdigest()
