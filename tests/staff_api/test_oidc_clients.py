"""The registry of OpenID clients over HTTP: for system administrators alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from core.db import transaction
from tests.factories import oidc

Headers = dict[str, str]
PATH = "/staff/v1/oidc-clients"


@pytest.fixture
def admin(staff: Callable[..., Any]) -> Headers:
    headers: Headers = staff("SYSTEM_ADMIN")[1]
    return headers


def _body(**changes: Any) -> dict[str, Any]:
    return {
        "client_id": "housing-fund",
        "name_zh": "宁波公积金",
        "name_en": "Ningbo Housing Fund",
        "department": "D12",
        "type": "CONFIDENTIAL",
        "auth_method": "client_secret_basic",
        "sector": "housing",
        "redirect_uris": [oidc.CALLBACK],
        "post_logout_redirect_uris": [oidc.AFTER],
        "scopes": ["openid", "profile"],
        "max_level": 2,
        **changes,
    }


def _register(client: FlaskClient, headers: Headers, **changes: Any) -> Any:
    return client.post(PATH, headers={**headers, "Idempotency-Key": uuid4().hex}, json=_body(**changes))


def test_register_show_change_disable(client: FlaskClient, admin: Headers, citizen: Callable[..., Any]) -> None:
    made = _register(client, admin)
    assert made.status_code == 201
    site = oidc.Site("housing-fund", made.get_json()["secret"])
    shown = client.get(f"{PATH}/housing-fund", headers=admin)
    assert shown.get_json() == made.get_json()["client"]
    assert str(site.secret) not in shown.text
    actor, _ = citizen()
    oidc.sign_in_browser(client, actor)
    assert oidc.tokens(client, site)["token_type"] == "Bearer"
    changed = client.patch(f"{PATH}/housing-fund", headers=admin, json={"name_en": "Housing", "max_level": 3})
    assert (changed.get_json()["name_en"], changed.get_json()["max_level"]) == ("Housing", 3)
    assert changed.get_json()["redirect_uris"] == [oidc.CALLBACK]
    listed = client.get(PATH, headers=admin).get_json()["items"]
    assert [row["client_id"] for row in listed] == ["housing-fund"]
    assert client.post(f"{PATH}/housing-fund/disable", headers=admin).get_json()["active"] is False
    assert client.get("/oidc/authorize", query_string=site.ask()).status_code == 400
    assert client.post(f"{PATH}/housing-fund/enable", headers=admin).get_json()["active"] is True
    assert "code" in oidc.authorize(client, site)


def test_a_new_secret(client: FlaskClient, admin: Headers) -> None:
    made = _register(client, admin).get_json()
    fresh = client.post(f"{PATH}/housing-fund/secret", headers=admin, json={"at_once": True}).get_json()["secret"]
    assert fresh != made["secret"]
    assert oidc.Site("housing-fund", made["secret"]).exchange(client, "x").status_code == 401
    assert oidc.Site("housing-fund", fresh).exchange(client, "x").get_json()["error"] == "invalid_grant"


def test_the_secret_is_kept_only_as_a_keyed_hash(client: FlaskClient, admin: Headers) -> None:
    secret = _register(client, admin).get_json()["secret"]
    with transaction() as session:
        row = session.execute(text("SELECT oidc_client::text, length(secret_hash) FROM oidc_client")).one()
    assert secret not in row[0]
    assert secret.encode().hex() not in row[0]
    assert row[1] == 32


def test_a_public_client_has_no_secret(client: FlaskClient, admin: Headers) -> None:
    made = _register(client, admin, type="PUBLIC", auth_method="none", redirect_uris=["cn.gov.ningbo.fund:/back"])
    assert (made.status_code, made.get_json()["secret"]) == (201, None)
    answer = client.post(f"{PATH}/housing-fund/secret", headers=admin, json={})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "STATE_CONFLICT")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"client_id": "Ü"}, "client_id"),
        ({"sector": "a b"}, "sector"),
        ({"redirect_uris": []}, "redirect_uris"),
        ({"redirect_uris": ["http://a.example/"]}, "redirect_uris"),
        ({"redirect_uris": ["https://a.example/#x"]}, "redirect_uris"),
        ({"redirect_uris": ["https://*.a.example/"]}, "redirect_uris"),
        ({"redirect_uris": ["https://user@a.example/"]}, "redirect_uris"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "redirect_uris"),
        ({"redirect_uris": ["cn.gov.app:/back"]}, "redirect_uris"),
        ({"redirect_uris": [oidc.CALLBACK, oidc.CALLBACK]}, "redirect_uris"),
        ({"post_logout_redirect_uris": ["ftp://a.example/"]}, "post_logout_redirect_uris"),
        ({"backchannel_logout_uri": "http://10.0.0.1/"}, "backchannel_logout_uri"),
        ({"scopes": ["profile"]}, "scopes"),
        ({"scopes": ["openid", "email"]}, "scopes.1"),
        ({"max_level": 5}, "max_level"),
        ({"auth_method": "none"}, "auth_method"),
        ({"auth_method": "private_key_jwt"}, "jwks"),
        ({"jwks": {"keys": []}}, "jwks"),
        ({"auth_method": "private_key_jwt", "jwks": {"keys": [{"kty": "oct", "k": "AAAA"}]}}, "jwks"),
        ({"auth_method": "private_key_jwt", "jwks": {"keys": [{"kty": "EC", "crv": "P-256"}]}}, "jwks"),
        ({"owner": "me"}, "owner"),
    ],
)
def test_a_bad_registration_says_what_is_wrong(
    client: FlaskClient, admin: Headers, changes: dict[str, Any], field: str
) -> None:
    answer = _register(client, admin, **changes)
    assert answer.status_code == 422
    assert field in answer.get_json()["errors"]


def test_a_taken_name(client: FlaskClient, admin: Headers) -> None:
    _register(client, admin)
    client.post(f"{PATH}/housing-fund/disable", headers=admin)
    answer = _register(client, admin)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "OIDC_CLIENT_EXISTS")


def test_unknown_clients_and_other_people(client: FlaskClient, admin: Headers, staff: Callable[..., Any]) -> None:
    for call in (client.get, client.patch):
        assert call(f"{PATH}/nobody", headers=admin, json={}).status_code == 404
    for act in ("disable", "enable"):
        assert client.post(f"{PATH}/nobody/{act}", headers=admin).status_code == 404
    for role in ("SECURITY_ADMIN", "HALL_MANAGER"):
        assert client.get(PATH, headers=staff(role)[1]).status_code == 403
