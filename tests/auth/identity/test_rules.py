"""From evidence to a level (DOMAIN 3.7): the table, and properties that hold for any evidence."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.identity.rules import POLICY, EvidenceType, Proof, Result, expiry, level
from auth.identity.ways.rules import step_up_ways

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
STRONG = [EvidenceType.ALIPAY, EvidenceType.FACE, EvidenceType.HALL, EvidenceType.NETID]
PHONE, WECHAT, NAMED = EvidenceType.PHONE, EvidenceType.WECHAT, EvidenceType.NAME_NUMBER


def proof(kind: EvidenceType, *, age: timedelta = timedelta(hours=1), **more: object) -> Proof:
    return Proof(kind, more.pop("result", Result.PASS), NOW - age, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ([], 0),
        ([WECHAT], 0),
        ([PHONE], 1),
        ([PHONE, WECHAT], 1),
        ([NAMED], 0),
        ([WECHAT, NAMED], 0),
        ([PHONE, NAMED], 2),
        ([WECHAT, PHONE, NAMED], 2),
        ([PHONE, EvidenceType.NETID_BASIC], 2),
        *[([PHONE, strong], 3) for strong in STRONG],
        *[([PHONE, NAMED, strong], 3) for strong in STRONG],
        *[([strong], 0) for strong in STRONG],
    ],
)
def test_the_table_of_levels(kinds: list[EvidenceType], expected: int) -> None:
    assert level([proof(kind) for kind in kinds], NOW) == expected


@pytest.mark.parametrize("result", [Result.FAIL, Result.REVIEW])
def test_only_what_passed_counts(result: Result) -> None:
    """ID-5: while the source looks at it, the old level stays."""
    assert level([proof(PHONE), proof(NAMED, result=result)], NOW) == 1
    assert level([proof(PHONE), proof(NAMED), proof(EvidenceType.HALL, result=result)], NOW) == 2


def test_expired_and_revoked_evidence_does_not_count() -> None:
    ends_now = proof(NAMED, expires_at=NOW)
    ends_later = proof(NAMED, expires_at=NOW + timedelta(microseconds=1))
    revoked = proof(NAMED, revoked_at=NOW)
    assert level([proof(PHONE), ends_now], NOW) == 1
    assert level([proof(PHONE), ends_later], NOW) == 2
    assert level([proof(PHONE), revoked], NOW) == 1
    assert level([proof(PHONE, revoked_at=NOW), proof(NAMED), proof(EvidenceType.HALL)], NOW) == 0


def test_a_restricted_factor_counts_only_later_proofs_of_identity() -> None:
    """ID-4: the phone itself counts, the identity has to be proven again."""
    since = NOW - timedelta(minutes=30)
    old = [proof(PHONE), proof(NAMED), proof(EvidenceType.HALL)]
    assert level(old, NOW) == 3
    assert level(old, NOW, since=since) == 1
    assert level([*old, proof(NAMED, age=timedelta(minutes=30))], NOW, since=since) == 2
    assert level([*old, proof(EvidenceType.HALL, age=timedelta(minutes=1))], NOW, since=since) == 3


moments = st.integers(-1_000, 1_000).map(lambda minutes: NOW + timedelta(minutes=minutes))
proofs = st.builds(
    Proof,
    st.sampled_from(EvidenceType),
    st.sampled_from(Result),
    moments,
    st.none() | moments,
    st.none() | moments,
)


@given(st.lists(proofs, max_size=8), moments)
def test_a_restriction_never_raises_and_a_phone_is_always_needed(given_: list[Proof], since: datetime) -> None:
    restricted, free = level(given_, NOW, since=since), level(given_, NOW)
    assert 0 <= restricted <= free <= 3
    assert (restricted == 0) == (free == 0)


@given(st.lists(proofs, max_size=8), moments)
def test_time_alone_never_raises(given_: list[Proof], moment: datetime) -> None:
    """Evidence only runs out (what is already there at both moments)."""
    there = [p for p in given_ if p.revoked_at is None]
    earlier, later = sorted((moment, NOW))
    assert level(there, later) <= level(there, earlier)


def test_how_long_evidence_counts() -> None:
    """ID-2: a phone one year, a level-3 proof two years or to the end of the document's last day in Shanghai."""
    assert expiry(PHONE, NOW) == NOW + timedelta(days=365)
    assert expiry(WECHAT, NOW) is None
    assert expiry(NAMED, NOW) is None
    assert all(expiry(strong, NOW) == NOW + timedelta(days=730) for strong in STRONG)
    last_day = date(2026, 12, 31)
    assert expiry(NAMED, NOW, valid_until=last_day) == datetime(2026, 12, 31, 16, tzinfo=UTC)
    assert expiry(EvidenceType.HALL, NOW, valid_until=last_day) == datetime(2026, 12, 31, 16, tzinfo=UTC)
    assert expiry(EvidenceType.HALL, NOW, valid_until=date(2040, 1, 1)) == NOW + timedelta(days=730)
    assert expiry(PHONE, NOW, valid_until=last_day) == NOW + timedelta(days=365)


def test_the_policy_covers_every_kind() -> None:
    assert set(POLICY.validity) == set(EvidenceType)
    assert set(POLICY.grants) == set(EvidenceType) - {PHONE, WECHAT}


def codes(channel: str, held: int, needed: int) -> list[object]:
    return [way["way"] for way in step_up_ways(channel, held, needed, language="zh")]


def test_ways_lead_from_the_level_held_to_the_level_needed() -> None:
    assert codes("H5", 0, 1) == ["PHONE_CODE"]
    assert codes("WXMP", 0, 1) == ["WECHAT_PHONE", "PHONE_CODE"]
    assert codes("WXMP", 1, 2) == ["NAME_NUMBER", "NETID_BASIC"]
    assert codes("APP", 2, 3) == ["HALL", "NETID", "ALIPAY", "FACE"]
    assert codes("APP", 0, 3) == ["PHONE_CODE", "NAME_NUMBER", "NETID_BASIC", "HALL", "NETID", "ALIPAY", "FACE"]
    assert codes("APP", 3, 4) == ["HALL_VISIT", "NETID_PIN", "ALIPAY_FRESH", "FACE_FRESH"]
    assert codes("APP", 3, 3) == []


@pytest.mark.parametrize(("language", "sign"), [("zh", "微信"), ("en", "WeChat")])
def test_wechat_offers_no_alipay_and_says_why(language: str, sign: str) -> None:
    (alipay,) = [w for w in step_up_ways("WXMP", 2, 3, language=language) if w["way"] == "ALIPAY"]
    assert alipay["open"] is False
    assert sign in str(alipay["reason"])
    (elsewhere,) = [w for w in step_up_ways("APP", 2, 3, language=language) if w["way"] == "ALIPAY"]
    assert sign not in str(elsewhere["reason"])


@pytest.mark.parametrize("channel", ["APP", "WXMP", "WXOA", "H5", "KIOSK"])
@pytest.mark.parametrize("held", [0, 1, 2, 3])
def test_there_is_always_an_open_way_up_that_is_not_the_face(channel: str, held: int) -> None:
    """P-2, and the second of the ten points: face is never the only way."""
    ways = step_up_ways(channel, held, held + 1, language="zh")
    assert any(way["open"] and way["way"] != "FACE" for way in ways)
    assert all((way["reason"] is None) == way["open"] for way in ways)
