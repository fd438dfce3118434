"""The city's choices as dated data (ID-2), and the table of ways by channel and document (ID-6, ID-10)."""

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from auth.identity import rules
from auth.identity.policies import queries as policies
from auth.identity.rules import POLICY, Dated, EvidenceType, Proof, Result, fresh_until, in_force, level
from auth.identity.ways.rules import NETWORK_DOCUMENTS, ONLINE_DOCUMENTS, WAYS, step_up_ways
from core.identifiers import DocumentType

CHANNELS = ("APP", "WXMP", "WXOA", "H5", "KIOSK")


def test_the_file_says_what_the_domain_says() -> None:
    """3.7: phone a year, level-3 proofs two years, a fresh proof ten minutes."""
    now = datetime(2026, 11, 24, tzinfo=UTC)
    policy = policies.in_force(now)
    assert policy == POLICY
    assert policy.validity[EvidenceType.PHONE] == timedelta(days=365)
    assert policy.validity[EvidenceType.HALL] == timedelta(days=730)
    assert policy.fresh_for == timedelta(minutes=10)
    assert policy.cool_down == timedelta(hours=24)


def test_a_policy_holds_from_its_day_on_in_shanghai() -> None:
    found = policies.parsed(
        {
            "policies": [
                {"from": "2026-12-01", "values": {"validity_days": {"HALL": 365}, "grants": {"ALIPAY": 2}, "fresh_kinds": ["HALL"]}},
                {"from": "2020-01-01", "values": {"review_hours": 12}},
                {"from": "2027-01-01", "values": {"fresh_minutes": 5}},
            ]
        }
    )  # fmt: skip
    first, second, third = (in_force(found, date(*day)) for day in ((2026, 11, 30), (2026, 12, 1), (2027, 1, 1)))
    assert first.review_takes == second.review_takes == timedelta(hours=12), "each on top of the one before"
    assert (first.grants[EvidenceType.ALIPAY], second.grants[EvidenceType.ALIPAY]) == (3, 2)
    assert second.validity[EvidenceType.HALL] == timedelta(days=365)
    assert (second.fresh_for, third.fresh_for) == (timedelta(minutes=10), timedelta(minutes=5))
    now = datetime(2026, 12, 1, tzinfo=UTC)
    held = [Proof(EvidenceType.PHONE, Result.PASS, now), Proof(EvidenceType.ALIPAY, Result.PASS, now)]
    assert (level(held, now, policy=first), level(held, now, policy=second)) == (3, 2)
    assert fresh_until(EvidenceType.ALIPAY, now, policy=second) is None
    with pytest.raises(LookupError):
        in_force(found, date(2019, 12, 31))


@pytest.mark.parametrize(
    "values",
    [
        {"grants": {"PHONE": 2}},
        {"grants": {"HALL": 4}},
        {"grants": {"MAGIC": 2}},
        {"grants": {"NAME_NUMBER": 1}},
        {"validity_days": {"HALL": 0}},
        {"fresh_kinds": ["NAME_NUMBER"]},
        {"fresh_minutes": 0},
        {"review_tries": 0},
        {"colour": "blue"},
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        rules.policy_from(values)


def test_two_policies_of_one_day_are_refused() -> None:
    entry = {"from": "2026-01-01", "values": {}}
    with pytest.raises(ValueError, match="two policies"):
        policies.parsed({"policies": [entry, entry]})


def test_the_order_in_the_file_does_not_matter() -> None:
    dated = [Dated(date(2026, 1, day), POLICY) for day in (3, 1, 2)]
    assert {id(in_force(order, date(2026, 1, 2))) for order in itertools.permutations(dated)} == {id(POLICY)}


# Ways ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("document", [None, *DocumentType])
@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("needed", [1, 2, 3, 4])
def test_every_document_has_an_open_way_to_every_level_or_says_why(
    channel: str, needed: int, document: DocumentType | None
) -> None:
    """ID-10: where nothing online takes the document, the counter does; every closed way gives its reason, in both languages."""
    for language in ("zh", "en"):
        ways = step_up_ways(channel, 1 if needed > 1 else 0, needed, language=language, document=document)
        assert any(way["open"] and way["way"] != "FACE" for way in ways)
        assert all(way["open"] == (way["reason"] is None) for way in ways)
        assert all(way["label"] for way in ways)


def open_codes(channel: str, document: DocumentType, held: int, needed: int) -> set[object]:
    found = step_up_ways(channel, held, needed, language="zh", document=document)
    return {way["way"] for way in found if way["open"]}


def test_which_document_reaches_which_level_where() -> None:
    card, passport, permit = DocumentType.RESIDENT_ID, DocumentType.PASSPORT, DocumentType.HK_MACAO_PERMIT
    assert open_codes("APP", card, 1, 3) == {"NAME_NUMBER", "NETID_BASIC", "HALL", "NETID", "ALIPAY"}
    assert open_codes("WXMP", card, 1, 3) == {"NAME_NUMBER", "NETID_BASIC", "HALL", "NETID"}
    assert open_codes("APP", passport, 1, 3) == {"NAME_NUMBER", "HALL"}
    assert open_codes("APP", permit, 1, 3) == {"NAME_NUMBER", "NETID_BASIC", "HALL", "NETID"}
    assert open_codes("APP", DocumentType.BIRTH_CERTIFICATE, 1, 2) == {"HALL"}
    assert open_codes("APP", DocumentType.BIRTH_CERTIFICATE, 1, 4) == {"HALL", "HALL_VISIT"}
    assert open_codes("KIOSK", card, 2, 4) == {"HALL", "HALL_VISIT"}
    assert open_codes("APP", card, 3, 4) == {"HALL_VISIT", "NETID_PIN", "ALIPAY_FRESH"}


def test_a_document_is_only_asked_about_where_the_source_knows_it() -> None:
    assert set(NETWORK_DOCUMENTS) < set(ONLINE_DOCUMENTS) < set(DocumentType)
    by_code = {way.code: way for way in WAYS}
    assert by_code["NAME_NUMBER"].documents == frozenset(ONLINE_DOCUMENTS)
    assert by_code["HALL"].documents is None
