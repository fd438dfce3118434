"""What the authorization endpoint refuses, and what it asks for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from core.actors import Citizen
from core.db import transaction
from tests.factories import oidc

MakeCitizen = Callable[..., tuple[Citizen, dict[str, str]]]


def _error(http: FlaskClient, site: oidc.Site, **changes: str | None) -> str:
    found = oidc.authorize(http, site, **changes)
    assert "code" not in found
    assert found["iss"] == oidc.ISSUER
    assert found.get("state") == (changes.get("state", "st-1"))
    return found["error"]


# Never redirect ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        None,
        "",
        "https://evil.example/callback?from=city",
        "https://tax.example.gov.cn/callback",
        "https://tax.example.gov.cn/callback?from=city&more=1",
        "https://tax.example.gov.cn/callback/../callback?from=city",
        "https://tax.example.gov.cn/",
        "HTTPS://tax.example.gov.cn/callback?from=city",
        "https://tax.example.gov.cn.evil.example/callback?from=city",
        'https://a"b',
    ],
)
def test_a_wrong_or_partial_address_gets_a_page_and_no_redirect(client: FlaskClient, address: str | None) -> None:
    site = oidc.register()
    answer = client.get("/oidc/authorize", query_string=site.ask(redirect_uri=address))
    assert answer.status_code == 400
    assert answer.content_type.startswith("text/html")
    assert "Location" not in answer.headers
    assert "返回地址没有登记" in answer.text
    assert "evil" not in answer.text


def test_a_nul_character_gets_a_page_too(client: FlaskClient) -> None:
    answer = client.get("/oidc/authorize?client_id=a%00b", headers={"Accept-Language": "en"})
    assert (answer.status_code, answer.mimetype) == (400, "text/html")
    assert "read" in answer.text


@pytest.mark.parametrize("client_id", [None, "", "nobody", "a\x01b", "宁波"])
def test_an_unknown_client_gets_a_page_and_no_redirect(client: FlaskClient, client_id: str | None) -> None:
    site = oidc.register()
    answer = client.get(
        "/oidc/authorize", query_string=site.ask(client_id=client_id), headers={"Accept-Language": "en"}
    )
    assert answer.status_code == 400
    assert "not registered" in answer.text
    assert 'lang="en"' in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_two_addresses_get_a_page(client: FlaskClient) -> None:
    site = oidc.register()
    asked = [*site.ask().items(), ("redirect_uri", "https://evil.example/")]
    assert client.get("/oidc/authorize", query_string=asked).status_code == 400


# Refused by redirect -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "id_token token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": "字"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"scope": "openid email"}, "invalid_scope"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "create"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
        ({"request_uri": "https://tax.example.gov.cn/r"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"claims": "{"}, "invalid_request"),
        ({"claims": "[" * 3_000}, "invalid_request"),
        ({"claims": '{"id_token": []}'}, "invalid_request"),
        ({"claims": '{"id_token": {"acr": {"values": 3}}}'}, "invalid_request"),
        ({"nonce": "n" * 501}, "invalid_request"),
        ({"acr_values": "level4"}, "invalid_request"),
        ({"claims": '{"id_token": {"acr": {"essential": true, "value": "level4"}}}'}, "invalid_request"),
        (
            {"claims": '{"id_token": {"acr": {"essential": true, "value": "gold"}}}'},
            "unmet_authentication_requirements",
        ),
        ({"id_token_hint": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0."}, "invalid_request"),
        ({"id_token_hint": "not a token"}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
        ({"prompt": "none", "state": None}, "login_required"),
    ],
)
def test_a_bad_request_is_told_to_the_client(client: FlaskClient, changes: dict[str, str | None], error: str) -> None:
    assert _error(client, oidc.register(), **changes) == error


def test_a_scope_the_client_is_not_registered_for(client: FlaskClient) -> None:
    site = oidc.register(scopes=("openid", "level"))
    assert _error(client, site, scope="openid identity") == "invalid_scope"


def test_a_level_the_client_is_not_registered_for(client: FlaskClient, citizen: MakeCitizen) -> None:
    site = oidc.register(max_level=2)
    actor, _ = citizen(level=3)
    oidc.sign_in_browser(client, actor)
    assert _error(client, site, acr_values="level3") == "invalid_request"


def test_level_4_is_never_reached_by_a_sign_in_and_that_is_said_plainly(
    client: FlaskClient, citizen: MakeCitizen
) -> None:
    """3.7: it is a proof for one act. Nobody is sent round in circles for it; the site hears what was reached."""
    site = oidc.register(max_level=4)
    essential = '{"id_token": {"acr": {"essential": true, "value": "level4"}}}'
    either = '{"id_token": {"acr": {"essential": true, "values": ["level4", "level3"]}}}'
    assert _error(client, site, claims=essential) == "unmet_authentication_requirements"
    actor, _ = citizen(level=2)
    oidc.sign_in_browser(client, actor)
    wanting = client.get("/oidc/authorize", query_string=site.ask(acr_values="level4"))
    assert wanting.location.startswith("/oidc/sign-in/"), "a person of level 2 is led to level 3"
    unasked = oidc.tokens(client, site, acr_values="level4", prompt="none")
    assert oidc.claims_of(unasked["id_token"])["acr"] == "level2"
    actor, _ = citizen(level=3)
    oidc.sign_in_browser(client, actor)
    for asked in ({"acr_values": "level4"}, {"acr_values": "level4 level3"}, {"claims": either}):
        made = oidc.tokens(client, site, **asked)
        assert oidc.claims_of(made["id_token"])["acr"] == "level3"


def test_a_parameter_sent_twice(client: FlaskClient) -> None:
    site = oidc.register()
    asked = [*site.ask().items(), ("scope", "openid")]
    answer = client.get("/oidc/authorize", query_string=asked)
    assert oidc.query_of(answer)["error"] == "invalid_request"


def test_a_disabled_client_is_unknown(client: FlaskClient) -> None:
    from auth.oidc.clients import service as registry
    from core.actors import System

    site = oidc.register()
    with transaction() as session:
        registry.set_active(session, actor=System("tests"), client_id=site.client_id, active=False)
    assert client.get("/oidc/authorize", query_string=site.ask()).status_code == 400
