"""A whole sign-in over HTTP: discovery, code, tokens, UserInfo, refresh, introspection, revocation."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import KeySet

from core.actors import Citizen
from tests.factories import oidc
from tests.factories.oidc import ISSUER

MakeCitizen = Callable[..., tuple[Citizen, dict[str, str]]]


def test_discovery_is_complete_and_names_one_issuer(client: FlaskClient) -> None:
    answer = client.get("/.well-known/openid-configuration")
    found = answer.get_json()
    assert found["issuer"] == ISSUER
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    endpoints = ("authorization", "token", "userinfo", "end_session", "revocation", "introspection")
    for name in (*(f"{endpoint}_endpoint" for endpoint in endpoints), "jwks_uri"):
        assert found[name].startswith(ISSUER + "/oidc/")
    assert found["response_types_supported"] == ["code"]
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["acr_values_supported"] == ["level1", "level2", "level3"]
    assert found["subject_types_supported"] == ["pairwise"]
    assert found["id_token_signing_alg_values_supported"] == ["RS256", "ES256"]
    assert found["authorization_response_iss_parameter_supported"] is True
    assert found["prompt_values_supported"] == ["none", "login", "consent", "select_account"]


def test_every_address_of_the_description_exists(client: FlaskClient) -> None:
    found = client.get("/.well-known/openid-configuration").get_json()
    for name, address in found.items():
        if name.endswith("_endpoint") or name == "jwks_uri":
            assert client.get(address.removeprefix(ISSUER)).status_code != 404, name


def test_a_site_registered_for_es256_gets_such_tokens(client: FlaskClient, citizen: MakeCitizen) -> None:
    """Its ID tokens, also refreshed ones, and what it shows as a hint; what others get stays RS256."""
    site, other = oidc.register(id_token_algorithm="ES256", scopes=("openid", "offline_access")), oidc.register()
    actor, _ = citizen(level=2)
    oidc.sign_in_browser(client, actor)
    made = oidc.tokens(client, site, scope="openid offline_access")
    keys = KeySet.import_key_set(client.get("/oidc/jwks").get_json())
    again = site.refresh(client, made["refresh_token"]).get_json()
    for answer in (made, again):
        token = jwt.decode(answer["id_token"], keys, algorithms=["ES256"])
        half = hashlib.sha256(answer["access_token"].encode()).digest()[:16]
        assert token.claims["at_hash"] == urlsafe_b64encode(half).rstrip(b"=").decode()
        assert token.header["alg"] == "ES256"
    assert jwt.decode(oidc.tokens(client, other)["id_token"], keys, algorithms=["RS256"]).claims["aud"]
    done = client.get("/oidc/logout", query_string={"id_token_hint": made["id_token"]})
    assert done.location.endswith("/oidc/signed-out")


def test_a_person_signs_in_and_the_site_learns_what_was_agreed(client: FlaskClient, citizen: MakeCitizen) -> None:
    site = oidc.register()
    actor, _ = citizen(level=3, name="王小明")
    oidc.sign_in_browser(client, actor)
    oidc.allow(actor, site)
    back = oidc.authorize(client, site, scope="openid profile phone identity level", acr_values="level3")
    assert (back["state"], back["iss"]) == ("st-1", ISSUER)
    answer = site.exchange(client, back["code"])
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Pragma"] == "no-cache"
    made = answer.get_json()
    keys = client.get("/oidc/jwks").get_json()
    id_token = jwt.decode(made["id_token"], KeySet.import_key_set(keys), algorithms=["RS256"])
    claims = id_token.claims
    assert id_token.header["kid"] in {key["kid"] for key in keys["keys"]}
    assert claims["iss"] == ISSUER
    assert claims["aud"] == claims["azp"] == site.client_id
    assert claims["nonce"] == "no-1"
    assert claims["acr"] == "level3"
    assert claims["amr"] == ["sms"]
    assert claims["auth_time"] <= claims["iat"] < claims["exp"]
    half = hashlib.sha256(made["access_token"].encode()).digest()[:16]
    assert claims["at_hash"] == urlsafe_b64encode(half).rstrip(b"=").decode()
    for ask in (client.get, client.post):
        told = ask("/oidc/userinfo", headers=oidc.bearer(made["access_token"]))
        assert told.headers["Access-Control-Allow-Origin"] == "*"
        info = told.get_json()
        assert info["sub"] == claims["sub"]
        assert info["name"] == "王小明"
        assert info["phone_number"].startswith("+86")
        assert info["identity_level"] == 3
        assert info["document_number"].startswith("330299")
        assert info["document_type"] == "111"
        assert len(info["birthdate"]) == 10


def test_refresh_rotates_and_keeps_what_the_sign_in_was(client: FlaskClient, citizen: MakeCitizen) -> None:
    site = oidc.register()
    actor, _ = citizen(level=2)
    oidc.sign_in_browser(client, actor)
    first = oidc.tokens(client, site, scope="openid offline_access")
    second = site.refresh(client, first["refresh_token"]).get_json()
    before, after = oidc.claims_of(first["id_token"]), oidc.claims_of(second["id_token"])
    for name in ("iss", "sub", "aud", "auth_time", "acr", "sid"):
        assert before[name] == after[name]
    assert "nonce" not in after
    assert second["refresh_token"] != first["refresh_token"]
    assert client.get("/oidc/userinfo", headers=oidc.bearer(second["access_token"])).status_code == 200


def test_without_offline_access_there_is_no_refresh_token(client: FlaskClient, citizen: MakeCitizen) -> None:
    site = oidc.register()
    actor, _ = citizen()
    oidc.sign_in_browser(client, actor)
    assert "refresh_token" not in oidc.tokens(client, site)


def test_introspection_tells_a_client_about_its_own_token(client: FlaskClient, citizen: MakeCitizen) -> None:
    site, other = oidc.register(), oidc.register()
    actor, _ = citizen(level=2)
    oidc.sign_in_browser(client, actor)
    made = oidc.tokens(client, site, scope="openid offline_access")
    asked = {"token": made["access_token"]}
    found = client.post("/oidc/introspect", data=asked, headers=site.basic).get_json()
    assert found["active"] is True
    assert (found["client_id"], found["acr"], found["iss"]) == (site.client_id, "level2", ISSUER)
    assert found["scope"] == "openid offline_access"
    assert client.post("/oidc/introspect", data=asked, headers=other.basic).get_json() == {"active": False}
    assert client.post("/oidc/introspect", data={"token": "x"}, headers=site.basic).get_json() == {"active": False}
    assert client.post("/oidc/introspect", data=asked).status_code == 401


def test_revoking_a_refresh_token_ends_everything_issued_with_it(client: FlaskClient, citizen: MakeCitizen) -> None:
    site = oidc.register()
    actor, _ = citizen()
    oidc.sign_in_browser(client, actor)
    made = oidc.tokens(client, site, scope="openid offline_access")
    done = client.post("/oidc/revoke", data={"token": made["refresh_token"]}, headers=site.basic)
    assert (done.status_code, done.get_json()) == (200, {})
    assert client.get("/oidc/userinfo", headers=oidc.bearer(made["access_token"])).status_code == 401
    assert site.refresh(client, made["refresh_token"]).get_json()["error"] == "invalid_grant"


def test_revocation_says_200_for_unknown_and_foreign_tokens(client: FlaskClient, citizen: MakeCitizen) -> None:
    site, other = oidc.register(), oidc.register()
    actor, _ = citizen()
    oidc.sign_in_browser(client, actor)
    made = oidc.tokens(client, site)
    for token in ("unknown", made["access_token"]):
        assert client.post("/oidc/revoke", data={"token": token}, headers=other.basic).status_code == 200
    assert client.get("/oidc/userinfo", headers=oidc.bearer(made["access_token"])).status_code == 200
    assert client.post("/oidc/revoke", data={"token": made["access_token"]}, headers=site.basic).status_code == 200
    assert client.get("/oidc/userinfo", headers=oidc.bearer(made["access_token"])).status_code == 401


def test_two_sectors_know_a_person_by_two_names(client: FlaskClient, citizen: MakeCitizen) -> None:
    sites = [oidc.register(sector="tax"), oidc.register(sector="tax"), oidc.register(sector="housing")]
    actor, _ = citizen()
    oidc.sign_in_browser(client, actor)
    subs = [oidc.claims_of(oidc.tokens(client, site)["id_token"])["sub"] for site in sites]
    assert subs[0] == subs[1] != subs[2]
    assert str(actor.subject_id) not in subs


def test_a_public_client_signs_in_with_pkce_alone(client: FlaskClient, citizen: MakeCitizen) -> None:
    site = oidc.public_site()
    actor, _ = citizen()
    oidc.sign_in_browser(client, actor)
    assert oidc.tokens(client, site)["token_type"] == "Bearer"


def test_authorization_by_post(client: FlaskClient, citizen: MakeCitizen) -> None:
    site = oidc.register()
    actor, _ = citizen()
    oidc.sign_in_browser(client, actor)
    answer = client.post("/oidc/authorize", data=site.ask())
    assert answer.status_code == 303
    assert answer.location.startswith("/oidc/authorize?")
    assert oidc.query_of(answer) == site.ask()
    assert "code" in oidc.query_of(client.get(answer.location))


def test_scripts_of_other_sites_may_call_the_endpoints(client: FlaskClient) -> None:
    for address in ("/oidc/token", "/oidc/userinfo", "/oidc/revoke"):
        answer = client.options(address)
        assert answer.status_code == 204
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers


def test_a_sign_in_costs_few_queries(client: FlaskClient, citizen: MakeCitizen, count_queries: Any) -> None:
    site = oidc.register()
    actor, _ = citizen(level=2)
    oidc.sign_in_browser(client, actor)
    oidc.tokens(client, site)
    with count_queries() as queries:
        back = oidc.authorize(client, site)
    assert len(queries) <= 24
    with count_queries() as queries:
        made = site.exchange(client, back["code"]).get_json()
    assert len(queries) <= 13
    with count_queries() as queries:
        client.get("/oidc/userinfo", headers=oidc.bearer(made["access_token"]))
    assert len(queries) <= 8
