"""What the token endpoint and the endpoints behind it refuse, and what dies with what."""

from __future__ import annotations

import base64
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from sqlalchemy import text

from auth.accounts import service as accounts
from auth.oidc.clients import service as registry
from auth.oidc.clients.rules import AuthMethod
from auth.sessions import service as sessions
from auth.sessions.rules import EndReason
from core import clock
from core.actors import Citizen, System
from core.db import transaction
from tests.factories import oidc

MakeCitizen = Callable[..., tuple[Citizen, dict[str, str]]]
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@pytest.fixture
def signed_in(client: FlaskClient, citizen: MakeCitizen) -> Citizen:
    actor, _ = citizen(level=2)
    oidc.sign_in_browser(client, actor)
    return actor


def _userinfo(http: FlaskClient, made: dict[str, Any]) -> int:
    return http.get("/oidc/userinfo", headers=oidc.bearer(made["access_token"])).status_code


# Codes ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": None}, "invalid_request"),
        ({"code_verifier": "x" * 64}, "invalid_grant"),
        ({"code_verifier": "too short"}, "invalid_request"),
        ({"redirect_uri": "https://tax.example.gov.cn/other"}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_grant"),
        ({"code": None}, "invalid_request"),
        ({"code": "unknown"}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"grant_type": None}, "unsupported_grant_type"),
        ({"client_id": "somebody-else"}, "invalid_client"),
        ({"client_secret": "second way"}, "invalid_request"),
    ],
)
def test_a_bad_exchange_is_refused(
    client: FlaskClient, signed_in: Citizen, changes: dict[str, str | None], error: str
) -> None:
    site = oidc.register()
    code = oidc.authorize(client, site)["code"]
    answer = site.exchange(client, code, **changes)
    assert answer.get_json()["error"] == error
    assert answer.status_code == (401 if error == "invalid_client" else 400)
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_failed_exchange_uses_the_code_up(client: FlaskClient, signed_in: Citizen) -> None:
    site = oidc.register()
    code = oidc.authorize(client, site)["code"]
    assert site.exchange(client, code, code_verifier="x" * 64).status_code == 400
    assert site.exchange(client, code).get_json()["error"] == "invalid_grant"


def test_a_code_used_twice_kills_the_tokens(client: FlaskClient, signed_in: Citizen) -> None:
    site = oidc.register()
    code = oidc.authorize(client, site, scope="openid offline_access")["code"]
    made = site.exchange(client, code).get_json()
    assert _userinfo(client, made) == 200
    assert site.exchange(client, code).get_json()["error"] == "invalid_grant"
    assert _userinfo(client, made) == 401
    assert site.refresh(client, made["refresh_token"]).get_json()["error"] == "invalid_grant"


def test_another_clients_code_is_worth_nothing_and_stays_good(client: FlaskClient, signed_in: Citizen) -> None:
    site, thief = oidc.register(), oidc.register()
    code = oidc.authorize(client, site)["code"]
    thief.verifier = site.verifier
    assert thief.exchange(client, code).get_json()["error"] == "invalid_grant"
    assert site.exchange(client, code).status_code == 200


def test_an_expired_code_is_refused(client: FlaskClient, signed_in: Citizen) -> None:
    site = oidc.register()
    code = oidc.authorize(client, site)["code"]
    with transaction() as session:
        session.execute(text("UPDATE oidc_grant SET code_expires_at = code_expires_at - interval '60 seconds'"))
    assert site.exchange(client, code).get_json()["error"] == "invalid_grant"


def test_of_two_exchanges_at_once_one_wins(client: FlaskClient, signed_in: Citizen) -> None:
    site = oidc.register()
    code = oidc.authorize(client, site)["code"]
    start, statuses = threading.Barrier(2), []

    def exchange() -> None:
        http = client.application.test_client()
        start.wait()
        statuses.append(site.exchange(http, code).status_code)

    threads = [threading.Thread(target=exchange) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 400]


# Refresh tokens ------------------------------------------------------------------------------------------------------


def test_a_refresh_token_used_twice_ends_the_family(client: FlaskClient, signed_in: Citizen) -> None:
    site = oidc.register()
    first = oidc.tokens(client, site, scope="openid offline_access")
    second = site.refresh(client, first["refresh_token"]).get_json()
    assert site.refresh(client, first["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert site.refresh(client, second["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert _userinfo(client, second) == 401


def test_of_two_refreshes_at_once_one_wins(client: FlaskClient, signed_in: Citizen) -> None:
    site = oidc.register()
    made = oidc.tokens(client, site, scope="openid offline_access")
    start, statuses = threading.Barrier(2), []

    def refresh() -> None:
        http = client.application.test_client()
        start.wait()
        statuses.append(site.refresh(http, made["refresh_token"]).status_code)

    threads = [threading.Thread(target=refresh) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 400]


def test_another_clients_refresh_token_is_worth_nothing_and_stays_good(client: FlaskClient, signed_in: Citizen) -> None:
    site, thief = oidc.register(), oidc.register()
    made = oidc.tokens(client, site, scope="openid offline_access")
    assert thief.refresh(client, made["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert site.refresh(client, made["refresh_token"]).status_code == 200


def test_a_refresh_may_ask_for_less_but_not_for_more(client: FlaskClient, signed_in: Citizen) -> None:
    site = oidc.register()
    oidc.allow(signed_in, site)
    made = oidc.tokens(client, site, scope="openid profile offline_access")
    refused = site.refresh(client, made["refresh_token"], scope="openid identity")
    assert refused.get_json()["error"] == "invalid_scope"
    less = site.refresh(client, made["refresh_token"], scope="openid").get_json()
    assert "name" not in client.get("/oidc/userinfo", headers=oidc.bearer(less["access_token"])).get_json()
    more = site.refresh(client, less["refresh_token"]).get_json()
    assert "name" in client.get("/oidc/userinfo", headers=oidc.bearer(more["access_token"])).get_json()


# Clients -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        None,
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"\xff\xfe:x").decode(),
        "Basic " + base64.b64encode(b"nobody:secret").decode(),
        "Bearer x",
    ],
)
def test_a_client_that_proves_nothing_is_refused_alike(
    client: FlaskClient, signed_in: Citizen, header: str | None
) -> None:
    site = oidc.register()
    code = oidc.authorize(client, site)["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": site.callback}
    headers = {} if header is None else {"Authorization": header}
    answer = client.post("/oidc/token", data=form, headers=headers)
    assert answer.status_code == 401
    assert answer.get_json() == {"error": "invalid_client", "error_description": "client authentication failed"}
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_a_client_is_known_only_by_its_own_way(client: FlaskClient, signed_in: Citizen) -> None:
    site = oidc.register()
    code = oidc.authorize(client, site)["code"]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": site.callback,
        "code_verifier": site.verifier,
        "client_id": site.client_id,
    }
    assert client.post("/oidc/token", data=form).status_code == 401
    assert client.post("/oidc/token", data={**form, "client_secret": str(site.secret)}).status_code == 401
    assert site.exchange(client, code).status_code == 200


def test_client_secret_post(client: FlaskClient, signed_in: Citizen) -> None:
    site = oidc.register(auth_method=AuthMethod.SECRET_POST)
    code = oidc.authorize(client, site)["code"]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": site.callback,
        "code_verifier": site.verifier,
        "client_id": site.client_id,
        "client_secret": str(site.secret),
    }
    assert client.post("/oidc/token", data=form).status_code == 200


def test_the_old_secret_goes_on_for_a_day_unless_it_leaked(client: FlaskClient, signed_in: Citizen) -> None:
    site = oidc.register()
    with transaction() as session:
        fresh = registry.rotate_secret(session, actor=System("tests"), client_id=site.client_id)
    assert site.exchange(client, oidc.authorize(client, site)["code"]).status_code == 200
    old, site.secret = site.secret, fresh
    assert site.exchange(client, oidc.authorize(client, site)["code"]).status_code == 200
    with transaction() as session:
        session.execute(text("UPDATE oidc_client SET old_secret_until = old_secret_until - interval '24 hours'"))
    site.secret = old
    assert site.exchange(client, oidc.authorize(client, site)["code"]).status_code == 401
    with transaction() as session:
        registry.rotate_secret(session, actor=System("tests"), client_id=site.client_id, at_once=True)
    site.secret = fresh
    assert site.exchange(client, oidc.authorize(client, site)["code"]).status_code == 401


def test_guessing_secrets_is_slowed_down(client: FlaskClient) -> None:
    site = oidc.register()
    site.secret = "wrong"
    statuses = [site.exchange(client, "x").status_code for _ in range(31)]
    assert statuses == [401] * 30 + [429]


# private_key_jwt -----------------------------------------------------------------------------------------------------


def _key_site(key: RSAKey | ECKey) -> oidc.Site:
    return oidc.register(auth_method=AuthMethod.PRIVATE_KEY_JWT, jwks={"keys": [key.as_dict(private=False)]})


def _claims(site: oidc.Site, **changes: Any) -> dict[str, Any]:
    now = int(time.time())
    good = {
        "iss": site.client_id,
        "sub": site.client_id,
        "aud": oidc.ISSUER + "/oidc/token",
        "iat": now,
        "exp": now + 60,
        "jti": str(uuid.uuid4()),
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def _show(http: FlaskClient, site: oidc.Site, assertion: str) -> Any:
    code = oidc.authorize(http, site)["code"]
    return site.exchange(http, code, client_id=None, client_assertion_type=ASSERTION, client_assertion=assertion)


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256"])
def test_private_key_jwt(client: FlaskClient, signed_in: Citizen, algorithm: str) -> None:
    key: RSAKey | ECKey = ECKey.generate_key("P-256") if algorithm == "ES256" else RSAKey.generate_key(2048)
    site = _key_site(key)
    for audience in (oidc.ISSUER, oidc.ISSUER + "/oidc/token", [oidc.ISSUER]):
        assertion = jwt.encode({"alg": algorithm}, _claims(site, aud=audience), key, algorithms=[algorithm])
        assert _show(client, site, assertion).status_code == 200


def test_an_assertion_is_good_once(client: FlaskClient, signed_in: Citizen) -> None:
    key = ECKey.generate_key("P-256")
    site = _key_site(key)
    assertion = jwt.encode({"alg": "ES256"}, _claims(site), key)
    assert _show(client, site, assertion).status_code == 200
    assert _show(client, site, assertion).get_json()["error"] == "invalid_client"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://other.example"},
        {"aud": None},
        {"iss": "somebody-else"},
        {"sub": "somebody-else"},
        {"sub": 7},
        {"exp": 1},
        {"exp": None},
        {"exp": "soon"},
        {"exp": 10**11},
        {"jti": None},
        {"jti": 3},
        {"jti": ["x"]},
    ],
)
def test_a_bad_assertion_is_refused(client: FlaskClient, signed_in: Citizen, changes: dict[str, Any]) -> None:
    key = ECKey.generate_key("P-256")
    site = _key_site(key)
    assertion = jwt.encode({"alg": "ES256"}, _claims(site, **changes), key)
    answer = _show(client, site, assertion)
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")


def test_an_unsigned_or_foreign_assertion_is_refused(client: FlaskClient, signed_in: Citizen) -> None:
    key, other = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")
    site = _key_site(key)
    good = jwt.encode({"alg": "ES256"}, _claims(site), key)
    body = good.split(".")[1]
    header = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    foreign = jwt.encode({"alg": "ES256"}, _claims(site), other)
    with_secret = oidc.register()
    no_keys = jwt.encode({"alg": "ES256"}, _claims(with_secret), key)
    for bad in (f"{header}.{body}.", f"{header}.{body}", foreign, "not.a.jwt", "字", good[:-4], "x" * 9_000, no_keys):
        assert _show(client, site, bad).get_json()["error"] == "invalid_client", bad


# UserInfo ------------------------------------------------------------------------------------------------------------


def test_userinfo_needs_exactly_one_good_token(client: FlaskClient, signed_in: Citizen) -> None:
    site = oidc.register()
    made = oidc.tokens(client, site, scope="openid offline_access")
    none = client.get("/oidc/userinfo")
    assert (none.status_code, none.headers["WWW-Authenticate"]) == (401, "Bearer")
    for bad in ("x", made["refresh_token"], made["id_token"]):
        answer = client.get("/oidc/userinfo", headers=oidc.bearer(bad))
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer error="invalid_token"')
    in_body = client.post("/oidc/userinfo", data={"access_token": made["access_token"]})
    assert in_body.status_code == 200
    twice = client.post(
        "/oidc/userinfo", data={"access_token": made["access_token"]}, headers=oidc.bearer(made["access_token"])
    )
    assert (twice.status_code, twice.get_json()["error"]) == (400, "invalid_request")


def test_our_api_and_the_provider_take_no_tokens_of_each_other(
    client: FlaskClient, signed_in: Citizen, citizen: MakeCitizen
) -> None:
    made = oidc.tokens(client, oidc.register())
    for token in (made["access_token"], made["id_token"]):
        assert client.get("/api/v1/account", headers=oidc.bearer(token)).status_code == 401
    _, headers = citizen(level=3)
    assert client.get("/api/v1/account", headers=headers).status_code == 200
    assert client.get("/oidc/userinfo", headers=headers).status_code == 401


def test_only_scopes_and_consent_open_a_field(client: FlaskClient, signed_in: Citizen) -> None:
    from auth.oidc.consents.rules import Field

    site = oidc.register()
    oidc.allow(signed_in, site, Field.NAME, Field.LEVEL)
    made = oidc.tokens(client, site, scope="openid level")
    told = client.get("/oidc/userinfo", headers=oidc.bearer(made["access_token"])).get_json()
    assert set(told) == {"sub", "identity_level"}


def test_below_level_two_there_is_no_name(client: FlaskClient, citizen: MakeCitizen) -> None:
    """ID-4: the session may be that of a phone's new owner."""
    site = oidc.register()
    actor, _ = citizen(level=3)
    oidc.sign_in_browser(client, actor)
    oidc.allow(actor, site)
    made = oidc.tokens(client, site, scope="openid profile phone identity level")
    with transaction() as session:
        sessions.restrict(session, subject_id=actor.subject_id, proofs_since=clock.now())
    told = client.get("/oidc/userinfo", headers=oidc.bearer(made["access_token"])).get_json()
    assert told == {"sub": told["sub"], "identity_level": 1}


# Endings -------------------------------------------------------------------------------------------------------------


def test_when_the_session_ends_nothing_works_any_more(client: FlaskClient, signed_in: Citizen) -> None:
    site = oidc.register()
    made = oidc.tokens(client, site, scope="openid offline_access")
    code = oidc.authorize(client, site)["code"]
    with transaction() as session:
        sessions.end_all(session, subject_id=signed_in.subject_id, reason=EndReason.SIGNED_OUT)
    assert _userinfo(client, made) == 401
    assert site.refresh(client, made["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert site.exchange(client, code).get_json()["error"] == "invalid_grant"
    told = client.post("/oidc/introspect", data={"token": made["access_token"]}, headers=site.basic)
    assert told.get_json() == {"active": False}
    assert oidc.authorize(client, site, prompt="none")["error"] == "login_required"


def test_a_frozen_persons_tokens_are_dead(client: FlaskClient, signed_in: Citizen) -> None:
    site = oidc.register()
    made = oidc.tokens(client, site, scope="openid offline_access")
    with transaction() as session:
        session.execute(text("UPDATE subject SET state = 'FROZEN' WHERE id = :id"), {"id": signed_in.subject_id})
    assert _userinfo(client, made) == 401
    assert site.refresh(client, made["refresh_token"]).get_json()["error"] == "invalid_grant"


def test_a_disabled_clients_tokens_are_dead(client: FlaskClient, signed_in: Citizen) -> None:
    site = oidc.register()
    made = oidc.tokens(client, site)
    with transaction() as session:
        registry.set_active(session, actor=System("tests"), client_id=site.client_id, active=False)
    assert _userinfo(client, made) == 401


def test_when_evidence_falls_away_the_level_told_again_falls_too(client: FlaskClient, citizen: MakeCitizen) -> None:
    site = oidc.register()
    actor, _ = citizen(level=3)
    oidc.sign_in_browser(client, actor)
    made = oidc.tokens(client, site, scope="openid offline_access")
    assert oidc.claims_of(made["id_token"])["acr"] == "level3"
    with transaction() as session:
        session.execute(
            text("UPDATE identity_evidence SET revoked_at = now(), revoked_reason = 'PHONE_LOST' WHERE type = 'HALL'")
        )
    again = site.refresh(client, made["refresh_token"]).get_json()
    assert oidc.claims_of(again["id_token"])["acr"] == "level2"


def test_withdrawing_a_consent_kills_the_sites_tokens(
    client: FlaskClient, citizen: MakeCitizen, run_jobs: Callable[..., None]
) -> None:
    site = oidc.register()
    actor, headers = citizen(level=2)
    oidc.sign_in_browser(client, actor)
    oidc.allow(actor, site)
    made = oidc.tokens(client, site, scope="openid profile")
    _, strangers = citizen(level=2)
    listed = client.get("/api/v1/authorisations", headers=headers).get_json()["items"]
    assert listed[0]["name_zh"] == "宁波税务"
    assert {one["field"] for one in listed[0]["fields_seen"]} >= {"name", "document_number"}
    address = f"/api/v1/authorisations/{listed[0]['id']}"
    assert client.delete(address, headers=strangers).status_code == 404
    assert client.delete(address, headers=headers).status_code == 204
    assert client.delete(address, headers=headers).status_code == 404
    assert _userinfo(client, made) == 401
    assert oidc.authorize(client, site, scope="openid profile", prompt="none")["error"] == "consent_required"


def test_merged_subjects_keep_their_tokens(client: FlaskClient, citizen: MakeCitizen) -> None:
    """ID-3: an unproven subject turns out to be a known person; the site still knows it by the name it had."""
    from auth.accounts.events import SubjectsMerged
    from core import events

    site = oidc.register()
    actor, _ = citizen(level=1)
    known, _ = citizen(level=3)
    oidc.sign_in_browser(client, actor)
    made = oidc.tokens(client, site)
    with transaction() as session:
        accounts.lock(session, actor.subject_id, known.subject_id)
        events.publish(session, SubjectsMerged(kept=known.subject_id, absorbed=actor.subject_id))
    told = client.get("/oidc/userinfo", headers=oidc.bearer(made["access_token"]))
    assert told.get_json()["sub"] == oidc.claims_of(made["id_token"])["sub"]
