"""Codes and refresh tokens: what is refused, and what dies with what."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from core.actors import Citizen
from core.db import transaction
from tests.factories import oidc

MakeCitizen = Callable[..., tuple[Citizen, dict[str, str]]]


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
