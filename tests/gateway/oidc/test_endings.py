"""What UserInfo tells, and when nothing is told any more."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from auth.accounts import service as accounts
from auth.oidc.clients import service as registry
from auth.sessions import service as sessions
from auth.sessions.rules import EndReason
from core import clock
from core.actors import Citizen, System
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


def test_a_sign_in_that_meets_the_end_of_its_session_grants_nothing(client: FlaskClient, signed_in: Citizen) -> None:
    """Whoever ends a session sees every grant of it: a sign-in waits for the end that is under way."""
    site = oidc.register()
    oidc.tokens(client, site)
    answers: list[Any] = []

    def sign_in() -> None:
        cookie = client.get_cookie("sso")
        http = client.application.test_client()
        assert cookie is not None
        http.set_cookie("sso", cookie.value)
        answers.append(http.get("/oidc/authorize", query_string=site.ask(prompt="none")))

    thread = threading.Thread(target=sign_in)
    with transaction() as session:
        sessions.sign_out(session, actor=signed_in)
        session.flush()
        thread.start()
        thread.join(0.7)
        assert thread.is_alive()
    thread.join()
    assert oidc.query_of(answers[0])["error"] == "login_required"
    with transaction() as session:
        assert session.execute(text("SELECT count(*) FROM oidc_sign_on WHERE ended_at IS NULL")).scalar_one() == 0


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
