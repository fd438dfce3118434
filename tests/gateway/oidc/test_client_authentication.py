"""How clients prove who they are, and fail to."""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from sqlalchemy import text

from auth.oidc.clients import service as registry
from auth.oidc.clients.rules import AuthMethod
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
