"""From evidence to a level. Pure: the same evidence in any order gives the same level, more of it never a lower one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from core import clock
from core.identifiers import DocumentType


class EvidenceType(StrEnum):
    """Kinds of evidence (ID-1)."""

    PHONE = "PHONE"
    WECHAT = "WECHAT"
    NAME_NUMBER = "NAME_NUMBER"
    ALIPAY = "ALIPAY"
    FACE = "FACE"
    HALL = "HALL"
    NETID = "NETID"


class Result(StrEnum):
    """What came out. `REVIEW` is its own state: a person at the source looks at it (ID-5)."""

    PASS = "PASS"  # noqa: S105  # not a password
    FAIL = "FAIL"
    REVIEW = "REVIEW"


class Revocation(StrEnum):
    """Why evidence no longer counts before its time."""

    PHONE_LOST = "PHONE_LOST"
    WECHAT_LOST = "WECHAT_LOST"


# What a proof of identity is worth to somebody with a proven phone. A clerk, Alipay, a face check and the network ID
# all see the document too, so they need no name-and-number check beside them.
_GRANTS: Mapping[EvidenceType, int] = MappingProxyType(
    {
        EvidenceType.NAME_NUMBER: 2,
        EvidenceType.ALIPAY: 3,
        EvidenceType.FACE: 3,
        EvidenceType.HALL: 3,
        EvidenceType.NETID: 3,
    }
)
_VALIDITY: Mapping[EvidenceType, timedelta | None] = MappingProxyType(
    {
        EvidenceType.PHONE: timedelta(days=365),
        EvidenceType.WECHAT: None,
        EvidenceType.NAME_NUMBER: None,
        EvidenceType.ALIPAY: timedelta(days=730),
        EvidenceType.FACE: timedelta(days=730),
        EvidenceType.HALL: timedelta(days=730),
        EvidenceType.NETID: timedelta(days=730),
    }
)


@dataclass(frozen=True, slots=True)
class Policy:
    """The city's choices [D]: what evidence is worth, how long it counts (ID-2), when to ask again after a review (ID-5)."""

    grants: Mapping[EvidenceType, int] = field(default_factory=lambda: _GRANTS)
    validity: Mapping[EvidenceType, timedelta | None] = field(default_factory=lambda: _VALIDITY)
    review_takes: timedelta = timedelta(days=1)


POLICY = Policy()

# Documents that the population source can be asked about (ID-10); the others are checked at a counter.
ONLINE_DOCUMENTS = (
    DocumentType.RESIDENT_ID,
    DocumentType.HMT_RESIDENCE,
    DocumentType.FOREIGN_PERMANENT_RESIDENT,
    DocumentType.HK_MACAO_PERMIT,
    DocumentType.TAIWAN_PERMIT,
    DocumentType.PASSPORT,
    DocumentType.MILITARY_OFFICER,
)


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


def level(proofs: Iterable[Proof], now: datetime, *, since: datetime | None = None, policy: Policy = POLICY) -> int:
    """The level 0 to 3 that evidence adds up to at `now` (3.7).

    0 without a proven phone: an openid alone is level 0. 1 with one. Above that the best proof of identity. With
    `since`, only proofs of identity made then or later count: a factor that joined a proven person has to prove the
    identity again (ID-4).
    """
    standing = [proof for proof in proofs if counts(proof, now)]
    if not any(proof.type is EvidenceType.PHONE for proof in standing):
        return 0
    worth = [
        policy.grants[proof.type]
        for proof in standing
        if proof.type in policy.grants and (since is None or proof.at >= since)
    ]
    return max(worth, default=1)


def expiry(
    kind: EvidenceType, at: datetime, *, valid_until: date | None = None, policy: Policy = POLICY
) -> datetime | None:
    """When evidence made at `at` stops counting: its period, or the end of the document's last day if that is sooner (ID-2)."""
    period = policy.validity[kind]
    ends = [] if period is None else [at + period]
    if valid_until is not None and kind in policy.grants:
        ends.append(clock.day_start(valid_until + timedelta(days=1)))
    return min(ends, default=None)


# The ways to a level -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Way:
    """A way to reach a level. `closed`: why it isn't open, by channel ("*": any other); zh, en."""

    code: str
    reaches: int
    zh: str
    en: str
    call: str | None = None
    closed: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    only: frozenset[str] | None = None


_NO_ALIPAY = (
    "微信小程序内不能使用支付宝认证，请到政务服务大厅窗口核验",
    "Alipay can't be opened inside WeChat; have your document checked at a service hall",
)
_NOT_YET = ("此方式暂未开通", "Not available yet")
_MINI_PROGRAM = frozenset({"WXMP"})

WAYS: tuple[Way, ...] = (
    Way("WECHAT_PHONE", 1, "微信手机号快捷验证", "Your WeChat phone number", "/api/v1/login/wechat/phone", only=_MINI_PROGRAM),
    Way("PHONE_CODE", 1, "短信验证码登录", "Sign in with a code by short message", "/api/v1/login/code"),
    Way("NAME_NUMBER", 2, "核验姓名和证件号码", "Confirm name and document number", "/api/v1/identity/name-and-number"),
    Way("HALL", 3, "携带证件到政务服务大厅窗口核验", "Show your document at a service hall"),
    Way("ALIPAY", 3, "支付宝实名认证", "Alipay identity", closed={"WXMP": _NO_ALIPAY, "WXOA": _NO_ALIPAY, "*": _NOT_YET}),
    Way("FACE", 3, "刷脸核验", "Face check", closed={"*": _NOT_YET}),
    Way("HALL_VISIT", 4, "到政务服务大厅窗口当面办理", "Do it in person at a service hall"),
)  # fmt: skip


def step_up_ways(channel: str, level: int, needed: int, *, language: str) -> list[dict[str, object]]:
    """The ways from `level` up to `needed` on `channel`, closed ones with the reason; `call` is the address that starts one.

    Face is never the only one (P-2); WeChat can't open Alipay, and says so (DOMAIN, first of the ten points).
    """
    english = language == "en"
    found = []
    for way in WAYS:
        if not level < way.reaches <= needed or (way.only is not None and channel not in way.only):
            continue
        closed = way.closed.get(channel) or way.closed.get("*")
        found.append(
            {
                "way": way.code,
                "reaches": way.reaches,
                "label": way.en if english else way.zh,
                "call": way.call,
                "open": closed is None,
                "reason": None if closed is None else closed[english],
            }
        )
    return found
