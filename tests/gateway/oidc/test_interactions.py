"""A request on its way: levels, fresh sign-ins, consent, accounts; one browser, ten minutes, one answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from auth.oidc.consents.rules import Field
from auth.oidc.interactions import queries as interactions_read
from auth.oidc.interactions import service as interactions
from auth.oidc.interactions.errors import InteractionOver
from auth.oidc.interactions.rules import Reason
from auth.oidc.interactions.service import AskConsent, Finish, SignIn, StepUp
from core import clock
from core.actors import Citizen
from core.db import transaction
from core.errors import StateConflict
from tests.factories import oidc

MakeCitizen = Callable[..., tuple[Citizen, dict[str, str]]]


def _error(http: FlaskClient, site: oidc.Site, **changes: str | None) -> str:
    found = oidc.authorize(http, site, **changes)
    assert "code" not in found
    assert found["iss"] == oidc.ISSUER
    assert found.get("state") == (changes.get("state", "st-1"))
    return found["error"]


def _step(http: FlaskClient, interaction: str) -> interactions.Step:
    browser = oidc.browser_of(http)
    with transaction() as session:
        return interactions.next_step(session, interaction=interaction, browser=browser, now=clock.wall())


def _finish(http: FlaskClient, interaction: str) -> dict[str, str]:
    step = _step(http, interaction)
    assert isinstance(step, Finish)
    return oidc.params(step.redirect_to)


# Levels --------------------------------------------------------------------------------------------------------------


def test_acr_is_never_higher_than_proven(client: FlaskClient, citizen: MakeCitizen) -> None:
    site = oidc.register()
    actor, _ = citizen(level=1)
    oidc.sign_in_browser(client, actor)
    handle = oidc.interaction_of(client.get("/oidc/authorize", query_string=site.ask(acr_values="level3")))
    assert _step(client, handle) == StepUp(1, 3, essential=False)
    browser = oidc.browser_of(client)
    with transaction() as session:
        interactions.decline_step_up(session, interaction=handle, browser=browser)
    made = site.exchange(client, _finish(client, handle)["code"]).get_json()
    assert oidc.claims_of(made["id_token"])["acr"] == "level1"


def test_an_essential_level_is_not_declined_but_refused(client: FlaskClient, citizen: MakeCitizen) -> None:
    site = oidc.register()
    actor, _ = citizen(level=2)
    oidc.sign_in_browser(client, actor)
    claims = json.dumps({"id_token": {"acr": {"essential": True, "values": ["level3"]}}})
    handle = oidc.interaction_of(client.get("/oidc/authorize", query_string=site.ask(claims=claims)))
    assert _step(client, handle) == StepUp(2, 3, essential=True)
    browser = oidc.browser_of(client)
    with pytest.raises(StateConflict), transaction() as session:
        interactions.decline_step_up(session, interaction=handle, browser=browser)
    with transaction() as session:
        back = interactions.refuse(
            session, interaction=handle, browser=browser, reason=Reason.UNMET_AUTHENTICATION_REQUIREMENTS
        )
    told = oidc.params(back)
    assert told == {
        "from": "city",
        "error": "unmet_authentication_requirements",
        "state": "st-1",
        "iss": oidc.ISSUER,
    }


def test_a_level_reached_meanwhile_lets_the_sign_in_go_on(client: FlaskClient, citizen: MakeCitizen) -> None:
    site = oidc.register()
    low, _ = citizen(level=1)
    oidc.sign_in_browser(client, low)
    handle = oidc.interaction_of(client.get("/oidc/authorize", query_string=site.ask(acr_values="level2")))
    high, _ = citizen(level=2)
    oidc.sign_in_browser(client, high, ("sms", "pop"))
    made = site.exchange(client, _finish(client, handle)["code"]).get_json()
    claims = oidc.claims_of(made["id_token"])
    assert (claims["acr"], claims["amr"]) == ("level2", ["sms", "pop"])


@pytest.mark.parametrize(("asked", "told"), [("level2", "level2"), ("level1 level2", "level2"), ("gold", "level3")])
def test_a_client_is_told_the_level_it_asked_for(
    client: FlaskClient, citizen: MakeCitizen, asked: str, told: str
) -> None:
    site = oidc.register()
    actor, _ = citizen(level=3)
    oidc.sign_in_browser(client, actor)
    made = oidc.tokens(client, site, acr_values=asked)
    assert oidc.claims_of(made["id_token"])["acr"] == told


def test_without_asking_an_essential_level_needs_interaction(client: FlaskClient, citizen: MakeCitizen) -> None:
    site = oidc.register()
    actor, _ = citizen(level=2)
    oidc.sign_in_browser(client, actor)
    claims = json.dumps({"id_token": {"acr": {"essential": True, "value": "level3"}}})
    assert _error(client, site, prompt="none", claims=claims) == "interaction_required"
    made = oidc.tokens(client, site, prompt="none", acr_values="level3")
    assert oidc.claims_of(made["id_token"])["acr"] == "level2"


# Signing in again, consent, accounts ---------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", [{"prompt": "login"}, {"max_age": "0"}])
def test_a_fresh_sign_in_is_asked_for(client: FlaskClient, citizen: MakeCitizen, changes: dict[str, str]) -> None:
    site = oidc.register()
    actor, _ = citizen()
    oidc.sign_in_browser(client, actor)
    answer = client.get("/oidc/authorize", query_string=site.ask(**changes))
    handle = oidc.interaction_of(answer)
    assert isinstance(_step(client, handle), SignIn)
    with pytest.raises(StateConflict), transaction() as session:
        interactions.signed_in(session, interaction=handle, browser=oidc.browser_of(client))
    again, _ = citizen()
    oidc.sign_in_browser(client, again)
    made = site.exchange(client, _finish(client, handle)["code"]).get_json()
    assert oidc.claims_of(made["id_token"])["auth_time"] >= int(clock.wall().timestamp()) - 60


def test_max_age_lets_a_recent_sign_in_pass(client: FlaskClient, citizen: MakeCitizen) -> None:
    site = oidc.register()
    actor, _ = citizen()
    oidc.sign_in_browser(client, actor)
    assert "code" in oidc.authorize(client, site, max_age="300")
    with transaction() as session:
        session.execute(text("UPDATE oidc_browser SET auth_time = auth_time - interval '10 minutes'"))
    assert _error(client, site, max_age="300", prompt="none") == "login_required"
    assert "code" in oidc.authorize(client, site, max_age="3600")


def test_consent_is_asked_for_exactly_the_fields_and_remembered(client: FlaskClient, citizen: MakeCitizen) -> None:
    site = oidc.register()
    actor, _ = citizen(level=2)
    oidc.sign_in_browser(client, actor)
    assert _error(client, site, scope="openid profile", prompt="none") == "consent_required"
    handle = oidc.interaction_of(client.get("/oidc/authorize", query_string=site.ask(scope="openid profile phone")))
    step = _step(client, handle)
    assert step == AskConsent((Field.NAME, Field.PHONE))
    browser = oidc.browser_of(client)
    for wrong in ([Field.NAME], [Field.NAME, Field.PHONE, Field.DOCUMENT_NUMBER]):
        with pytest.raises(StateConflict), transaction() as session:
            interactions.consent(session, interaction=handle, browser=browser, fields=wrong)
    with transaction() as session:
        interactions.consent(session, interaction=handle, browser=browser, fields=[Field.PHONE, Field.NAME])
    assert "code" in _finish(client, handle)
    assert "code" in oidc.authorize(client, site, scope="openid profile phone", prompt="none")
    assert _error(client, site, scope="openid profile level", prompt="none") == "consent_required"
    again = oidc.interaction_of(client.get("/oidc/authorize", query_string=site.ask(prompt="consent")))
    assert _step(client, again) == AskConsent(())


def test_refusing_consent_goes_back_with_access_denied(client: FlaskClient, citizen: MakeCitizen) -> None:
    site = oidc.register()
    actor, _ = citizen(level=2)
    oidc.sign_in_browser(client, actor)
    handle = oidc.interaction_of(client.get("/oidc/authorize", query_string=site.ask(scope="openid profile")))
    with transaction() as session:
        back = interactions.refuse(session, interaction=handle, browser=oidc.browser_of(client))
    assert "error=access_denied" in back
    assert "state=st-1" in back
    with pytest.raises(InteractionOver), transaction() as session:
        interactions.refuse(session, interaction=handle, browser=oidc.browser_of(client))


def test_select_account_offers_the_signed_in_one(client: FlaskClient, citizen: MakeCitizen) -> None:
    site = oidc.register()
    actor, _ = citizen()
    oidc.sign_in_browser(client, actor)
    handle = oidc.interaction_of(client.get("/oidc/authorize", query_string=site.ask(prompt="select_account")))
    assert _step(client, handle) == SignIn(None, choose=True)
    with transaction() as session:
        interactions.signed_in(session, interaction=handle, browser=oidc.browser_of(client))
    assert "code" in _finish(client, handle)


def test_another_person_meanwhile_has_to_say_so(client: FlaskClient, citizen: MakeCitizen) -> None:
    """Two tabs: one person began, another signed in beside it."""
    site = oidc.register()
    actor, _ = citizen(level=2)
    oidc.sign_in_browser(client, actor)
    handle = oidc.interaction_of(client.get("/oidc/authorize", query_string=site.ask(scope="openid profile")))
    with transaction() as session:
        interactions.signed_in(session, interaction=handle, browser=oidc.browser_of(client))
    other, _ = citizen(level=2)
    oidc.sign_in_browser(client, other)
    assert _step(client, handle) == SignIn(None, choose=True)


def test_the_hinted_person_must_be_the_one_signed_in(client: FlaskClient, citizen: MakeCitizen) -> None:
    site, stranger = oidc.register(), oidc.register()
    actor, _ = citizen()
    oidc.sign_in_browser(client, actor)
    hint = oidc.tokens(client, site)["id_token"]
    assert "code" in oidc.authorize(client, site, id_token_hint=hint, prompt="none")
    assert _error(client, stranger, id_token_hint=hint, prompt="none") == "invalid_request"
    other, _ = citizen()
    oidc.sign_in_browser(client, other)
    assert _error(client, site, id_token_hint=hint, prompt="none") == "login_required"


def test_login_hint_language_and_names_reach_the_pages(client: FlaskClient) -> None:
    site = oidc.register(initiate_login_uri="https://tax.example.gov.cn/start")
    asked = site.ask(login_hint="13912345678", ui_locales="fr en-GB zh", acr_values="level3 level2")
    answer = client.get("/oidc/authorize", query_string=asked)
    handle = oidc.interaction_of(answer)
    assert _step(client, handle) == SignIn("13912345678")
    with transaction() as session:
        shown = interactions_read.view(session, handle)
    assert (shown.name_zh, shown.language, shown.need) == ("宁波税务", "en", 2)
    assert shown.home == "https://tax.example.gov.cn/start"
    assert shown.expires_at - clock.wall() < timedelta(minutes=10)


# One browser, ten minutes, once --------------------------------------------------------------------------------------


def test_the_cookie_is_for_this_host_alone_and_hidden_from_scripts(client: FlaskClient) -> None:
    answer = client.get("/oidc/authorize", query_string=oidc.register().ask())
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("sso=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Domain" not in cookie
    assert "Expires" not in cookie


def test_an_interaction_belongs_to_the_browser_that_began_it(client: FlaskClient, citizen: MakeCitizen) -> None:
    site = oidc.register()
    handle = oidc.interaction_of(client.get("/oidc/authorize", query_string=site.ask()))
    thief = client.application.test_client()
    actor, _ = citizen()
    oidc.sign_in_browser(thief, actor)
    for browser in (oidc.browser_of(thief), None):
        with pytest.raises(InteractionOver), transaction() as session:
            interactions.next_step(session, interaction=handle, browser=browser, now=clock.wall())
    assert isinstance(_step(client, handle), SignIn)


def test_an_expired_interaction_is_over(client: FlaskClient) -> None:
    handle = oidc.interaction_of(client.get("/oidc/authorize", query_string=oidc.register().ask()))
    later = clock.wall() + timedelta(minutes=10)
    with pytest.raises(InteractionOver), transaction() as session:
        interactions.next_step(session, interaction=handle, browser=oidc.browser_of(client), now=later)


def test_an_unknown_interaction_is_over(client: FlaskClient) -> None:
    with pytest.raises(InteractionOver):
        _step(client, "unknown")


def test_a_finished_interaction_is_answered_once_more_only_at_once(client: FlaskClient, citizen: MakeCitizen) -> None:
    site = oidc.register()
    handle = oidc.interaction_of(client.get("/oidc/authorize", query_string=site.ask()))
    actor, _ = citizen()
    oidc.sign_in_browser(client, actor)
    first, second = _finish(client, handle)["code"], _finish(client, handle)["code"]
    assert site.exchange(client, first).get_json()["error"] == "invalid_grant"
    assert site.exchange(client, second).status_code == 200
    with pytest.raises(InteractionOver):
        _step(client, handle)


def test_a_finished_interaction_is_over_after_ten_seconds(client: FlaskClient, citizen: MakeCitizen) -> None:
    site = oidc.register()
    handle = oidc.interaction_of(client.get("/oidc/authorize", query_string=site.ask()))
    actor, _ = citizen()
    oidc.sign_in_browser(client, actor)
    _finish(client, handle)
    browser, later = oidc.browser_of(client), clock.wall() + timedelta(seconds=11)
    with pytest.raises(InteractionOver), transaction() as session:
        interactions.next_step(session, interaction=handle, browser=browser, now=later)


def test_signing_in_changes_the_cookie(client: FlaskClient, citizen: MakeCitizen) -> None:
    """A cookie that somebody planted before is worth nothing afterwards."""
    client.get("/oidc/authorize", query_string=oidc.register().ask())
    planted = client.get_cookie("sso")
    actor, _ = citizen()
    oidc.sign_in_browser(client, actor)
    assert planted is not None
    client.set_cookie("sso", planted.value)
    assert oidc.browser_of(client) is None


def test_a_browser_is_signed_out_when_idle_or_when_its_day_is_over(client: FlaskClient, citizen: MakeCitizen) -> None:
    site = oidc.register()
    for column, minutes in (("last_seen_at", 31), ("auth_time", 12 * 60 + 1)):
        actor, _ = citizen()
        oidc.sign_in_browser(client, actor)
        assert "code" in oidc.authorize(client, site, prompt="none")
        with transaction() as session:
            session.execute(text(f"UPDATE oidc_browser SET {column} = {column} - interval '{minutes} minutes'"))
        assert _error(client, site, prompt="none") == "login_required"


def test_a_kiosk_is_signed_out_after_two_minutes(client: FlaskClient, citizen: MakeCitizen) -> None:
    site = oidc.register()
    actor, _ = citizen(channel="KIOSK")
    oidc.sign_in_browser(client, actor)
    assert "code" in oidc.authorize(client, site, prompt="none")
    with transaction() as session:
        session.execute(text("UPDATE oidc_browser SET last_seen_at = last_seen_at - interval '121 seconds'"))
    assert _error(client, site, prompt="none") == "login_required"
