"""From evidence to a level. Pure: the same evidence in any order gives the same level, more of it never a lower one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from core import clock


class EvidenceType(StrEnum):
    """Kinds of evidence (ID-1)."""

    PHONE = "PHONE"
    WECHAT = "WECHAT"
    NAME_NUMBER = "NAME_NUMBER"
    ALIPAY = "ALIPAY"
    FACE = "FACE"
    HALL = "HALL"
    NETID_BASIC = "NETID_BASIC"
    NETID = "NETID"


class Purpose(StrEnum):
    """The acts that need level 4: a fresh proof is bound to one of them (3.7)."""

    PROPERTY_LOOKUP = "PROPERTY_LOOKUP"
    LICENCE_REUSE = "LICENCE_REUSE"
    CHANGE_PHONE = "CHANGE_PHONE"
    CHANGE_WECHAT = "CHANGE_WECHAT"
    PROXY_RECIPIENT = "PROXY_RECIPIENT"
    SIGN = "SIGN"
    CLOSE_ACCOUNT = "CLOSE_ACCOUNT"
    DELEGATE = "DELEGATE"


# What takes time to take back: property, deeds, powers given to others, other people's use of one's licences (ID-13).
PROPERTY_MATTERS = frozenset({Purpose.PROPERTY_LOOKUP, Purpose.SIGN, Purpose.DELEGATE, Purpose.LICENCE_REUSE})


class Result(StrEnum):
    """What came out. `REVIEW` is its own state: a person at the source looks at it (ID-5)."""

    PASS = "PASS"  # noqa: S105  # not a password
    FAIL = "FAIL"
    REVIEW = "REVIEW"


class Revocation(StrEnum):
    """Why evidence no longer counts before its time."""

    PHONE_LOST = "PHONE_LOST"
    WECHAT_LOST = "WECHAT_LOST"
    ACCOUNT_CLOSED = "ACCOUNT_CLOSED"


# What a proof of identity is worth to somebody with a proven phone. A clerk, Alipay, a face check and the network ID
# all see the document too, so they need no name-and-number check beside them.
_GRANTS: Mapping[EvidenceType, int] = MappingProxyType(
    {
        EvidenceType.NAME_NUMBER: 2,
        EvidenceType.NETID_BASIC: 2,
        EvidenceType.ALIPAY: 3,
        EvidenceType.FACE: 3,
        EvidenceType.HALL: 3,
        EvidenceType.NETID: 3,
    }
)
_TWO_YEARS = timedelta(days=730)
_VALIDITY: Mapping[EvidenceType, timedelta | None] = MappingProxyType(
    {
        EvidenceType.PHONE: timedelta(days=365),
        EvidenceType.WECHAT: None,
        EvidenceType.NAME_NUMBER: None,
        EvidenceType.NETID_BASIC: None,
        EvidenceType.ALIPAY: _TWO_YEARS,
        EvidenceType.FACE: _TWO_YEARS,
        EvidenceType.HALL: _TWO_YEARS,
        EvidenceType.NETID: _TWO_YEARS,
    }
)
_FRESH: frozenset[EvidenceType] = frozenset(
    {EvidenceType.ALIPAY, EvidenceType.FACE, EvidenceType.HALL, EvidenceType.NETID}
)
_HIGHEST = 3
KIOSK = "KIOSK"


@dataclass(frozen=True, slots=True)
class Policy:
    """The city's choices [D]; `policies/policies.json` says from which day which hold.

    What evidence is worth and how long it counts (ID-2); which kinds can be a fresh proof and how long one is good;
    when to ask again after a review, and how often at most (ID-5); how long property matters wait after a change of
    phone (ID-13).
    """

    grants: Mapping[EvidenceType, int] = field(default_factory=lambda: _GRANTS)
    validity: Mapping[EvidenceType, timedelta | None] = field(default_factory=lambda: _VALIDITY)
    fresh_kinds: frozenset[EvidenceType] = _FRESH
    fresh_for: timedelta = timedelta(minutes=10)
    review_takes: timedelta = timedelta(days=1)
    review_tries: int = 5
    cool_down: timedelta = timedelta(hours=24)
    kiosk_highest: int = 2


POLICY = Policy()


def policy_from(values: Mapping[str, Any], base: Policy = POLICY) -> Policy:
    """The policy `base` with what `values` changes.

    Names: grants and validity_days by kind (null: for good), fresh_kinds, fresh_minutes, review_hours, review_tries,
    cool_down_hours. Raises `ValueError` for anything else, and for what can't be meant.
    """
    known = {
        "grants", "validity_days", "fresh_kinds", "fresh_minutes", "review_hours", "review_tries", "cool_down_hours",
    }  # fmt: skip
    if not values.keys() <= known:
        raise ValueError(f"unknown: {', '.join(sorted(values.keys() - known))}")
    grants = dict(base.grants) | {EvidenceType(kind): int(level) for kind, level in values.get("grants", {}).items()}
    if EvidenceType.PHONE in grants or EvidenceType.WECHAT in grants:
        raise ValueError("a phone or a WeChat account is no proof of identity")
    if not all(1 < level <= _HIGHEST for level in grants.values()):
        raise ValueError("a proof of identity is worth 2 or 3")
    days = {EvidenceType(kind): count for kind, count in values.get("validity_days", {}).items()}
    if not all(count is None or count > 0 for count in days.values()):
        raise ValueError("evidence counts for at least a day")
    periods = {kind: None if count is None else timedelta(days=count) for kind, count in days.items()}
    made = Policy(
        grants=MappingProxyType(grants),
        validity=MappingProxyType(dict(base.validity) | periods),
        fresh_kinds=frozenset(EvidenceType(kind) for kind in values.get("fresh_kinds", base.fresh_kinds)),
        fresh_for=timedelta(minutes=values.get("fresh_minutes", base.fresh_for / timedelta(minutes=1))),
        review_takes=timedelta(hours=values.get("review_hours", base.review_takes / timedelta(hours=1))),
        review_tries=int(values.get("review_tries", base.review_tries)),
        cool_down=timedelta(hours=values.get("cool_down_hours", base.cool_down / timedelta(hours=1))),
    )
    if made.fresh_for <= timedelta() or made.review_takes <= timedelta() or made.review_tries < 1:
        raise ValueError("periods are longer than nothing")
    if not all(made.grants.get(kind, 0) == _HIGHEST for kind in made.fresh_kinds):
        raise ValueError("only a proof worth level 3 can be a fresh one")
    return made


@dataclass(frozen=True, slots=True)
class Dated:
    """A policy, and the first day (Shanghai) on which it holds."""

    since: date
    policy: Policy


def in_force(policies: Iterable[Dated], day: date) -> Policy:
    """The policy of `day`: the one that began last. Raises `LookupError` before the first."""
    begun = [dated for dated in policies if dated.since <= day]
    if not begun:
        raise LookupError(f"no policy on {day}")
    return max(begun, key=lambda dated: dated.since).policy


@dataclass(frozen=True, slots=True)
class Proof:
    """One piece of evidence, as far as the level is concerned."""

    type: EvidenceType
    result: Result
    at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


def counts(proof: Proof, now: datetime) -> bool:
    """Whether evidence passed and is neither expired nor revoked at `now`."""
    return (
        proof.result is Result.PASS
        and (proof.revoked_at is None or proof.revoked_at > now)
        and (proof.expires_at is None or proof.expires_at > now)
    )


def level(
    proofs: Iterable[Proof],
    now: datetime,
    *,
    since: datetime | None = None,
    policy: Policy = POLICY,
    channel: str | None = None,
) -> int:
    """The level 0 to 3 that evidence adds up to at `now` (3.7).

    0 without a proven phone: an openid alone is level 0. 1 with one. Above that the best proof of identity. With
    `since`, only proofs of identity made then or later count: a factor that joined a proven person has to prove the
    identity again (ID-4). On the `channel` KIOSK the card in the reader stands for the phone, and more than level 2 is
    never reached: a lost card is enough to stand there.
    """
    at_kiosk = channel == KIOSK
    standing = [proof for proof in proofs if counts(proof, now)]
    if not at_kiosk and not any(proof.type is EvidenceType.PHONE for proof in standing):
        return 0
    worth = [
        policy.grants[proof.type]
        for proof in standing
        if proof.type in policy.grants and (since is None or proof.at >= since)
    ]
    found = max(worth, default=1)
    return min(found, policy.kiosk_highest) if at_kiosk else found


def expiry(
    kind: EvidenceType, at: datetime, *, valid_until: date | None = None, policy: Policy = POLICY
) -> datetime | None:
    """When evidence made at `at` stops counting: its period, or the end of the document's last day if that is sooner (ID-2)."""
    period = policy.validity[kind]
    ends = [] if period is None else [at + period]
    if valid_until is not None and kind in policy.grants:
        ends.append(clock.day_start(valid_until + timedelta(days=1)))
    return min(ends, default=None)


# Fresh proofs and the time after a change ------------------------------------------------------------------------------


def fresh_until(kind: EvidenceType, at: datetime, *, policy: Policy = POLICY) -> datetime | None:
    """Until when evidence made at `at` is a fresh proof of its one act; None for a kind that never is (3.7)."""
    return at + policy.fresh_for if kind in policy.fresh_kinds else None


def cooling_down_until(
    *,
    phone_changed_at: datetime | None,
    device_known_since: datetime | None,
    now: datetime,
    policy: Policy = POLICY,
) -> datetime | None:
    """Until when property matters must wait after a change of phone; None when they needn't (ID-13).

    A device that was signed in before the change is not new and may go on. `device_known_since` None: a device we know
    nothing of.
    """
    if phone_changed_at is None:
        return None
    if device_known_since is not None and device_known_since < phone_changed_at:
        return None
    until = phone_changed_at + policy.cool_down
    return until if now < until else None
