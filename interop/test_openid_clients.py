"""Two certified relying parties, unchanged, sign a person in and out against the product over HTTP."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from joserfc.jwk import ECKey

from auth.oidc.browser import service as browsers
from auth.oidc.clients.rules import AuthMethod
from auth.oidc.consents.rules import Field
from core import clock
from core.actors import Citizen
from core.db import transaction
from core.settings import Settings
from interop.alipay_node import FOLDER
from tests.factories import oidc
from tests.served import served

CALLBACK = "http://127.0.0.1:9/callback"
AFTER = "http://127.0.0.1:9/bye"
ADDRESSES: dict[str, Any] = {"redirect_uris": (CALLBACK,), "post_logout_redirect_uris": (AFTER,)}
_TIMEOUT_SECONDS = 60


@pytest.fixture
def issuer(settings: Settings, database: object) -> Iterator[str]:  # noqa: ARG001  # a clean database
    with served(settings) as address:
        yield address


@pytest.fixture
def cookie(citizen: Callable[..., tuple[Citizen, dict[str, str]]]) -> Callable[[oidc.Site], str]:
    """Make a signed-in browser of somebody who lets the site see name and level; its cookie header."""

    def make(site: oidc.Site) -> str:
        actor, _ = citizen(level=2, name="王小明")
        oidc.allow(actor, site, Field.NAME, Field.LEVEL)
        now = clock.wall()
        with transaction() as session:
            known = browsers.open_browser(session, now=now).browser
            opened = browsers.sign_in(session, browser=known, session_id=actor.session_id, amr=("sms",), now=now)
        return f"sso={opened.cookie}"

    return make


def _run(script: str, **given: Any) -> dict[str, Any]:
    done = subprocess.run(
        ["node", str(FOLDER / script)],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _check(found: dict[str, Any], site: oidc.Site, issuer: str) -> None:
    claims = found["claims"]
    assert (claims["iss"], claims["aud"], claims["acr"]) == (issuer, site.client_id, "level2")
    assert found["userinfo"] == {"sub": claims["sub"], "name": "王小明", "identity_level": 2}
    assert found["refreshedClaims"]["sub"] == claims["sub"]
    assert found["left"] == AFTER + "?state=bye"


def test_openid_client_with_a_secret(issuer: str, cookie: Callable[[oidc.Site], str]) -> None:
    site = oidc.register(**ADDRESSES)
    given = {"issuer": issuer, "clientId": site.client_id, "callback": CALLBACK, "after": AFTER}
    found = _run("openid_client.mjs", **given, clientSecret=site.secret, cookie=cookie(site))
    _check(found, site, issuer)
    assert found["introspected"]["active"] is True
    assert found["revoked"] == found["afterwards"] == {"active": False}
    assert found["refused"] == "invalid_grant"


def test_openid_client_with_a_private_key(issuer: str, cookie: Callable[[oidc.Site], str]) -> None:
    key = ECKey.generate_key("P-256")
    jwks = {"keys": [key.as_dict(private=False)]}
    site = oidc.register(**ADDRESSES, auth_method=AuthMethod.PRIVATE_KEY_JWT, jwks=jwks)
    given = {"issuer": issuer, "clientId": site.client_id, "callback": CALLBACK, "after": AFTER}
    private = {name: value for name, value in key.as_dict(private=True).items() if name != "kid"}
    found = _run("openid_client.mjs", **given, privateKey=private, cookie=cookie(site))
    _check(found, site, issuer)


def test_oauth4webapi_as_a_public_client(issuer: str, cookie: Callable[[oidc.Site], str]) -> None:
    site = oidc.public_site(**ADDRESSES)
    given = {"issuer": issuer, "clientId": site.client_id, "callback": CALLBACK, "after": AFTER}
    found = _run("oauth4webapi.mjs", **given, cookie=cookie(site))
    _check(found, site, issuer)
    assert found["afterwards"] == 401
