"""Signing out from a site, and every other site hearing of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import pytest
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import KeySet
from sqlalchemy import text

from auth.oidc.interactions.errors import InteractionOver
from auth.oidc.logout import jobs as logout_jobs
from auth.oidc.logout import queries as logout_read
from auth.oidc.logout import service as logout
from auth.oidc.logout.service import Done
from auth.sessions import service as sessions
from auth.sessions.rules import EndReason
from core import clock
from core.actors import Citizen
from core.db import transaction
from core.ports import PartnerUnavailable
from tests.factories import oidc

MakeCitizen = Callable[..., tuple[Citizen, dict[str, str]]]
RunJobs = Callable[..., None]


class Receiver:
    """A department's server that takes logout tokens; `answers`: the statuses it gives, one after the other, then 200."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.answers: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                receiver.tokens.append(parse_qs(body)["logout_token"][0])
                self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/backchannel"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.stop()


@pytest.fixture
def signed_in(client: FlaskClient, citizen: MakeCitizen) -> Citizen:
    actor, _ = citizen(level=2)
    oidc.sign_in_browser(client, actor)
    return actor


def test_a_site_signs_the_person_out_everywhere(
    client: FlaskClient, signed_in: Citizen, receiver: Receiver, run_jobs: RunJobs
) -> None:
    site, other = oidc.register(), oidc.register(backchannel_logout_uri=receiver.address)
    made, others = oidc.tokens(client, site), oidc.tokens(client, other)
    answer = client.get(
        "/oidc/logout",
        query_string={
            "id_token_hint": made["id_token"],
            "post_logout_redirect_uri": oidc.AFTER,
            "state": "bye-1",
        },
    )
    assert answer.status_code == 303
    assert answer.location == oidc.AFTER + "?state=bye-1"
    assert "sso=;" in answer.headers["Set-Cookie"]
    assert "storage" in answer.headers["Clear-Site-Data"]
    assert client.get("/oidc/userinfo", headers=oidc.bearer(others["access_token"])).status_code == 401
    assert oidc.authorize(client, site, prompt="none")["error"] == "login_required"
    run_jobs()
    assert len(receiver.tokens) == 1
    keys = KeySet.import_key_set(client.get("/oidc/jwks").get_json())
    token = jwt.decode(receiver.tokens[0], keys, algorithms=["RS256"])
    theirs = oidc.claims_of(others["id_token"])
    assert token.header["typ"] == "logout+jwt"
    assert token.claims["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert (token.claims["iss"], token.claims["aud"]) == (oidc.ISSUER, other.client_id)
    assert (token.claims["sub"], token.claims["sid"]) == (theirs["sub"], theirs["sid"])
    assert "nonce" not in token.claims
    assert token.claims["jti"]
    assert abs(token.claims["iat"] - time.time()) < 60 < token.claims["exp"] - token.claims["iat"] + 1


def test_a_logout_token_is_signed_as_the_site_is_registered(
    client: FlaskClient, signed_in: Citizen, receiver: Receiver, run_jobs: RunJobs
) -> None:
    site = oidc.register(backchannel_logout_uri=receiver.address, id_token_algorithm="ES256")
    made = oidc.tokens(client, site)
    client.get("/oidc/logout", query_string={"id_token_hint": made["id_token"]})
    run_jobs()
    keys = KeySet.import_key_set(client.get("/oidc/jwks").get_json())
    assert jwt.decode(receiver.tokens[0], keys, algorithms=["ES256"]).claims["aud"] == site.client_id


def test_the_cookie_of_a_signed_out_browser_is_dead(client: FlaskClient, signed_in: Citizen) -> None:
    """Whoever copied it from a shared computer has nothing."""
    site = oidc.register()
    made = oidc.tokens(client, site)
    cookie = client.get_cookie("sso")
    client.get("/oidc/logout", query_string={"id_token_hint": made["id_token"]})
    assert cookie is not None
    client.set_cookie("sso", cookie.value)
    assert oidc.browser_of(client) is None


def test_an_expired_id_token_still_is_a_hint(client: FlaskClient, signed_in: Citizen) -> None:
    from auth.oidc.keys import service as keys

    site = oidc.register()
    claims = oidc.claims_of(oidc.tokens(client, site)["id_token"])
    with transaction() as session:
        hint = keys.sign(session, {**claims, "exp": 1_000, "iat": 900})
    posted = client.post("/oidc/logout", data={"id_token_hint": hint, "post_logout_redirect_uri": oidc.AFTER})
    assert posted.status_code == 303
    assert client.get(posted.location).location == oidc.AFTER


@pytest.mark.parametrize(
    "changes",
    [
        {"post_logout_redirect_uri": "https://evil.example/"},
        {"post_logout_redirect_uri": oidc.AFTER + "?x=1"},
        {"id_token_hint": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4IiwiYXVkIjoieSJ9."},
        {"id_token_hint": "nonsense"},
        {"client_id": "nobody"},
        {"client_id": "a\x00b"},
    ],
)
def test_a_wrong_request_gets_a_page_and_signs_nobody_out(
    client: FlaskClient, signed_in: Citizen, changes: dict[str, str]
) -> None:
    site = oidc.register()
    made = oidc.tokens(client, site)
    asked = {"id_token_hint": made["id_token"], "post_logout_redirect_uri": oidc.AFTER, **changes}
    answer = client.get("/oidc/logout", query_string=asked)
    assert answer.status_code == 400
    assert answer.content_type.startswith("text/html")
    assert "Location" not in answer.headers
    assert "code" in oidc.authorize(client, site, prompt="none")


def test_another_clients_id_token_is_refused(client: FlaskClient, signed_in: Citizen) -> None:
    site, other = oidc.register(), oidc.register()
    made = oidc.tokens(client, site)
    asked = {"id_token_hint": made["id_token"], "client_id": other.client_id}
    assert client.get("/oidc/logout", query_string=asked).status_code == 400


def test_an_address_without_a_client_is_refused(client: FlaskClient, signed_in: Citizen) -> None:
    answer = client.get("/oidc/logout", query_string={"post_logout_redirect_uri": oidc.AFTER})
    assert answer.status_code == 400


def test_without_a_hint_the_person_is_asked(client: FlaskClient, signed_in: Citizen) -> None:
    site = oidc.register()
    made = oidc.tokens(client, site)
    asked = {"client_id": site.client_id, "post_logout_redirect_uri": oidc.AFTER, "state": "s", "ui_locales": "en"}
    answer = client.get("/oidc/logout", query_string=asked)
    assert answer.location.startswith("/oidc/sign-out/")
    question = answer.location.removeprefix("/oidc/sign-out/")
    with transaction() as session:
        shown = logout_read.view(session, question)
    assert (shown.name_zh, shown.language) == ("宁波税务", "en")
    assert client.get("/oidc/userinfo", headers=oidc.bearer(made["access_token"])).status_code == 200
    browser = oidc.browser_of(client)
    with pytest.raises(InteractionOver), transaction() as session:
        logout.confirm(session, sign_out=question, browser=None, now=clock.wall())
    with transaction() as session:
        done = logout.confirm(session, sign_out=question, browser=browser, now=clock.wall())
    assert done == Done(oidc.AFTER + "?state=s")
    assert client.get("/oidc/userinfo", headers=oidc.bearer(made["access_token"])).status_code == 401
    with pytest.raises(InteractionOver), transaction() as session:
        logout.confirm(session, sign_out=question, browser=browser, now=clock.wall())


def test_an_id_token_of_an_earlier_session_asks_the_person(
    client: FlaskClient, signed_in: Citizen, citizen: MakeCitizen
) -> None:
    """A page with an old ID token of somebody else can't sign out whoever is here now."""
    site = oidc.register()
    made = oidc.tokens(client, site)
    other, _ = citizen(level=2)
    oidc.sign_in_browser(client, other)
    answer = client.get("/oidc/logout", query_string={"id_token_hint": made["id_token"]})
    assert answer.location.startswith("/oidc/sign-out/")
    assert "code" in oidc.authorize(client, site, prompt="none")


def test_without_an_address_the_person_is_told_that_it_is_done(client: FlaskClient, signed_in: Citizen) -> None:
    made = oidc.tokens(client, oidc.register())
    answer = client.get("/oidc/logout", query_string={"id_token_hint": made["id_token"]}, follow_redirects=True)
    assert answer.status_code == 200
    assert "您已退出登录" in answer.text
    assert oidc.browser_of(client) is None


def test_nobody_signed_in_goes_straight_back(client: FlaskClient) -> None:
    site = oidc.register()
    asked = {"client_id": site.client_id, "post_logout_redirect_uri": oidc.AFTER}
    assert client.get("/oidc/logout", query_string=asked).location == oidc.AFTER


@pytest.mark.parametrize("reason", [EndReason.FROZEN, EndReason.TOKEN_REUSED, EndReason.FACTOR_LOST])
def test_however_a_session_ends_the_sites_are_told(
    client: FlaskClient, signed_in: Citizen, receiver: Receiver, run_jobs: RunJobs, reason: EndReason
) -> None:
    site = oidc.register(backchannel_logout_uri=receiver.address)
    made = oidc.tokens(client, site)
    with transaction() as session:
        sessions.end_all(session, subject_id=signed_in.subject_id, reason=reason)
    run_jobs()
    assert [oidc.claims_of(token)["sid"] for token in receiver.tokens] == [oidc.claims_of(made["id_token"])["sid"]]


def test_another_person_in_the_browser_signs_the_first_one_out(
    client: FlaskClient, signed_in: Citizen, citizen: MakeCitizen, receiver: Receiver, run_jobs: RunJobs
) -> None:
    site = oidc.register(backchannel_logout_uri=receiver.address)
    made = oidc.tokens(client, site)
    other, _ = citizen(level=2)
    oidc.sign_in_browser(client, other)
    run_jobs()
    assert len(receiver.tokens) == 1
    assert client.get("/oidc/userinfo", headers=oidc.bearer(made["access_token"])).status_code == 401


def test_the_same_person_signing_in_again_stays_signed_in_at_the_sites(
    client: FlaskClient, signed_in: Citizen, receiver: Receiver, run_jobs: RunJobs
) -> None:
    from auth.sessions.rules import Method, Origin

    site = oidc.register(backchannel_logout_uri=receiver.address)
    made = oidc.tokens(client, site)
    with transaction() as session:
        again = sessions.open_session(
            session, subject_id=signed_in.subject_id, origin=Origin("H5"), method=Method.PHONE_CODE
        )
    fresh = Citizen(signed_in.subject_id, again.session_id, again.level, "H5")
    oidc.sign_in_browser(client, fresh)
    run_jobs()
    assert receiver.tokens == []
    assert client.get("/oidc/userinfo", headers=oidc.bearer(made["access_token"])).status_code == 200
    with transaction() as session:
        sessions.sign_out(session, actor=fresh)
    run_jobs()
    assert len(receiver.tokens) == 1


def test_a_site_that_is_down_is_told_later_and_once(
    client: FlaskClient, signed_in: Citizen, receiver: Receiver, run_jobs: RunJobs
) -> None:
    site = oidc.register(backchannel_logout_uri=receiver.address)
    sid = oidc.claims_of(oidc.tokens(client, site)["id_token"])["sid"]
    with transaction() as session:
        sessions.sign_out(session, actor=signed_in)
    receiver.answers = [503, 302, 429]
    for _ in range(3):
        with pytest.raises(PartnerUnavailable):
            logout_jobs.tell(sid)
    run_jobs()
    logout_jobs.tell(sid)
    assert len(receiver.tokens) == 4
    with transaction() as session:
        assert session.execute(text("SELECT told_at IS NOT NULL FROM oidc_sign_on")).scalar_one() is True


def test_a_site_that_says_no_is_not_asked_again(
    client: FlaskClient, signed_in: Citizen, receiver: Receiver, run_jobs: RunJobs
) -> None:
    site = oidc.register(backchannel_logout_uri=receiver.address)
    oidc.tokens(client, site)
    with transaction() as session:
        sessions.sign_out(session, actor=signed_in)
    receiver.answers = [400]
    run_jobs(all=True)
    run_jobs(all=True)
    assert len(receiver.tokens) == 1


def test_a_site_that_never_answers_holds_nothing_up(
    client: FlaskClient, signed_in: Citizen, receiver: Receiver
) -> None:
    receiver.stop()
    site = oidc.register(backchannel_logout_uri=receiver.address)
    sid = oidc.claims_of(oidc.tokens(client, site)["id_token"])["sid"]
    with transaction() as session:
        sessions.sign_out(session, actor=signed_in)
    with pytest.raises(PartnerUnavailable):
        logout_jobs.tell(sid)
