"""The pure rules of the provider: every scope has its fields, every level its word, every address one spelling."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from auth.oidc.browser import rules as browser
from auth.oidc.clients.rules import SCOPES, check_address
from auth.oidc.consents.rules import FIELDS_OF_SCOPE, TEXT_VERSION, Field, fields_of, missing
from auth.oidc.endpoints.rules import metadata
from auth.oidc.grants.rules import ACR_VALUES, TokenKind, acr, level_of, level_told, token_end
from auth.oidc.interactions.rules import Prompt, must_sign_in, with_params
from auth.oidc.keys.rules import leaves_at, may_activate

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def test_every_scope_says_which_fields_it_shows() -> None:
    assert set(FIELDS_OF_SCOPE) == set(SCOPES)
    assert set(fields_of(SCOPES)) == set(Field)


def test_fields_come_in_the_order_a_person_reads_them() -> None:
    assert fields_of(["level", "identity", "profile"]) == (
        Field.NAME,
        Field.BIRTH_DATE,
        Field.DOCUMENT_TYPE,
        Field.DOCUMENT_NUMBER,
        Field.LEVEL,
    )


def test_every_field_has_words_in_both_languages() -> None:
    for field in Field:
        assert field.zh
        assert field.en.isascii()


def test_a_consent_covers_its_fields_under_its_text() -> None:
    wanted = (Field.NAME, Field.PHONE)
    assert missing(wanted, ["name", "phone_number", "birthdate"], TEXT_VERSION) == ()
    assert missing(wanted, ["name"], TEXT_VERSION) == (Field.PHONE,)
    assert missing(wanted, ["name", "phone_number"], "1999-01") == wanted
    assert missing(wanted, (), None) == wanted


@pytest.mark.parametrize("word", ["level0", "level5", "Level1", "level1 ", "level", "1", "", "urn:mace:gold"])
def test_only_published_words_are_levels(word: str) -> None:
    assert level_of(word) is None


def test_levels_and_their_words_are_one_to_one() -> None:
    assert [level_of(word) for word in ACR_VALUES] == [1, 2, 3]
    assert [acr(level) for level in (1, 2, 3)] == list(ACR_VALUES)
    assert level_of("level4") == 4, "known, though no sign-in reaches it (3.7)"


@pytest.mark.parametrize("proven", [1, 2, 3])
@pytest.mark.parametrize("asked", [(), (1,), (2,), (3,), (4,), (1, 2), (2, 4), (1, 2, 3, 4)])
def test_the_level_told_is_never_higher_than_proven(proven: int, asked: tuple[int, ...]) -> None:
    told = level_told(proven, asked)
    assert told <= proven
    assert told == proven or told in asked


def test_an_access_token_never_outlives_its_session() -> None:
    soon = NOW + timedelta(minutes=1)
    assert token_end(TokenKind.ACCESS, NOW, soon) == soon
    assert token_end(TokenKind.ACCESS, NOW, NOW + timedelta(days=1)) == NOW + timedelta(minutes=10)
    assert token_end(TokenKind.REFRESH, NOW, soon) == NOW + timedelta(days=30)


def test_who_must_sign_in_again() -> None:
    def asked(prompts: set[Prompt], max_age: int | None, ago: int) -> bool:
        return must_sign_in(
            prompts=frozenset(prompts), max_age=max_age, auth_time=NOW - timedelta(seconds=ago), asked_at=NOW
        )

    assert not asked(set(), None, 40_000)
    assert asked({Prompt.LOGIN}, None, 1)
    assert not asked({Prompt.LOGIN}, None, 0)
    assert not asked({Prompt.CONSENT}, 60, 60)
    assert asked(set(), 60, 61)
    assert asked(set(), 0, 1)
    assert not asked({Prompt.LOGIN}, 0, -5)


def test_an_answer_keeps_what_the_address_has() -> None:
    given = {"code": "a b", "error": None, "state": "x&y=1"}
    assert with_params("https://a.example/cb?k=v", given) == "https://a.example/cb?k=v&code=a+b&state=x%26y%3D1"
    assert with_params("cn.gov.app:/back", {"code": "c"}) == "cn.gov.app:/back?code=c"


@pytest.mark.parametrize(
    ("address", "native", "good"),
    [
        ("https://a.example/cb?x=1&y=%20", False, True),
        ("https://a.example:8443/", False, True),
        ("http://127.0.0.1:5000/cb", False, True),
        ("http://localhost/cb", False, True),
        ("http://a.example/", False, False),
        ("https://a.example/#f", False, False),
        ("https://u:p@a.example/", False, False),
        ("https://*.example/", False, False),
        ("https://a.example/\\x", False, False),
        ("https://a.example/\n", False, False),
        ("https://a.example:99999/", False, False),
        ("https://宁波.example/", False, False),
        ("https:///cb", False, False),
        ("//a.example/", False, False),
        ("javascript:alert(1)", True, False),
        ("data:text/html,x", True, False),
        ("cn.gov.ningbo.app:/back", True, True),
        ("cn.gov.ningbo.app:/back", False, False),
        ("https://a.example/" + "x" * 1_000, False, False),
    ],
)
def test_addresses(address: str, native: bool, good: bool) -> None:
    assert (check_address(address, native=native) is None) is good


def test_a_key_signs_when_every_client_has_seen_it_and_leaves_when_all_is_over() -> None:
    assert not may_activate(NOW, NOW + timedelta(minutes=59))
    assert may_activate(NOW, NOW + timedelta(hours=1))
    assert leaves_at(NOW) == NOW + timedelta(hours=2)


def test_the_cookie_is_bound_to_the_host_where_there_is_tls() -> None:
    assert browser.cookie_name(secure=True) == "__Host-sso"
    assert browser.cookie_name(secure=False) == "sso"


@pytest.mark.parametrize(
    ("channel", "idle", "whole", "signed_in"),
    [
        ("H5", 29, 29, True),
        ("H5", 30, 30, False),
        ("H5", 1, 719, True),
        ("H5", 1, 720, False),
        ("APP", 29, 29, True),
        ("KIOSK", 1, 1, True),
        ("KIOSK", 2, 2, False),
        ("KIOSK", 0, 2, False),
    ],
)
def test_how_long_a_browser_stays_signed_in(channel: str, idle: int, whole: int, signed_in: bool) -> None:
    auth_time, seen = NOW - timedelta(minutes=whole), NOW - timedelta(minutes=idle)
    assert browser.still_signed_in(channel, auth_time=auth_time, last_seen_at=seen, now=NOW) is signed_in


def test_the_description_names_nothing_we_refuse() -> None:
    found = metadata("https://city.example")
    assert found["issuer"] == "https://city.example"
    assert not found["request_parameter_supported"]
    assert not found["request_uri_parameter_supported"]
    assert "plain" not in found["code_challenge_methods_supported"]
    assert "none" not in found["id_token_signing_alg_values_supported"]
    assert "none" not in found["introspection_endpoint_auth_methods_supported"]
