"""The network ID (网证) against the sandbox's service: begun here, made in its app, fetched here (3.7)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient
from sqlalchemy import select

from auth.identity.models import IdentityEvidence
from auth.identity.network import service
from auth.identity.network.models import NetworkCheck
from auth.identity.network.rules import TRANSITIONS, CheckState, Grade, is_enough
from auth.identity.reviews import jobs as review_jobs
from auth.identity.reviews.models import IdentityReview
from auth.identity.rules import Purpose
from core import clock
from core.db import transaction
from tests.factories import auth as make
from tests.factories.identity import evidence, level_of
from tests.sandbox_client import Sandbox

URL = "/api/v1/identity/network"
CARD = ("name", "document_type", "document_number")


class Device:
    """A person's phone: our API, and the network ID app."""

    def __init__(self, client: FlaskClient, sandbox: Sandbox, headers: dict[str, str]) -> None:
        self.client, self.sandbox, self.headers = client, sandbox, headers

    def begin(self, grade: str, person: dict[str, Any] | None = None, **more: str) -> Any:
        body = {"grade": grade, "return_to": "/pages/identity", **more}
        if person is not None:
            body |= {key: person[key] for key in CARD}
        return self.client.post(URL, json=body, headers=self.headers)

    def act(self, begun: Any, persona: str, **more: str) -> str:
        challenge = begun.get_json()["url"].rsplit("/", 1)[1]
        token: str = self.sandbox.post("network-identity/act", challenge=challenge, persona=persona, **more)["token"]
        return token

    def finish(self, begun: Any, token: str) -> Any:
        body = {"id": begun.get_json()["id"], "token": token}
        return self.client.post(f"{URL}/result", json=body, headers=self.headers)

    def run(self, grade: str, person: dict[str, Any] | None, persona: str, **more: str) -> Any:
        pin = {key: more.pop(key) for key in ("pin", "act") if key in more}
        begun = self.begin(grade, person, **more)
        assert begun.status_code == 200, begun.get_json()
        return self.finish(begun, self.act(begun, persona, **pin))


@pytest.fixture
def device(client: FlaskClient, sandbox: Sandbox) -> Callable[[dict[str, str]], Device]:
    return lambda headers: Device(client, sandbox, headers)


@pytest.mark.parametrize(("grade", "level", "kind"), [("BASIC", 2, "NETID_BASIC"), ("HIGH", 3, "NETID")])
def test_it_raises_to_the_level_of_its_grade(
    citizen: Callable[..., Any], device: Any, personas: dict[str, Any], grade: str, level: int, kind: str
) -> None:
    actor, headers = citizen(level=1)
    answer = device(headers).run(grade, personas["zhang-wei"], "zhang-wei")
    assert (answer.status_code, answer.get_json()["level"]) == (200, level)
    assert level_of(actor) == level
    assert evidence(actor.subject_id) == [(kind, "PASS")]
    with transaction() as session:
        check = session.scalars(select(NetworkCheck)).one()
        assert (check.state, check.name, check.document_number) == ("DONE", None, None), "erased when done (2.8)"
        ends = session.scalars(select(IdentityEvidence.expires_at).where(IdentityEvidence.type == kind)).one()
        assert ends is not None


def test_with_the_pin_it_is_a_fresh_proof(
    client: FlaskClient, citizen: Callable[..., Any], device: Any, personas: dict[str, Any]
) -> None:
    """Level 4: the service shows the person what it is for, and we check that it was made for that."""
    actor, headers = citizen(level=1)
    phone = device(headers)
    assert phone.run("HIGH", personas["zhang-wei"], "zhang-wei").status_code == 200
    answer = phone.run("PIN", None, "zhang-wei", purpose="SIGN", pin="123456")
    assert answer.status_code == 200, answer.get_json()
    with transaction() as session:
        fresh = session.scalars(select(IdentityEvidence).where(IdentityEvidence.purpose.is_not(None))).one()
        assert (fresh.purpose, fresh.session_id, fresh.used_at) == (Purpose.SIGN, actor.session_id, None)


@pytest.mark.parametrize(
    ("key", "persona", "more", "status", "code"),
    [
        ("mismatch", "mismatch", {}, 422, "IDENTITY_NOT_MATCHED"),
        ("zhang-wei", "li-na", {}, 422, "IDENTITY_NOT_MATCHED"),
        ("not-found", "not-found", {}, 422, "IDENTITY_NOT_MATCHED"),
        ("expired", "expired", {}, 422, "IDENTITY_DOCUMENT_EXPIRED"),
        ("zhang-wei", "zhang-wei", {"act": "refuse"}, 422, "NETWORK_CHECK_REFUSED"),
    ],
)
def test_every_no_is_a_clear_answer(
    citizen: Callable[..., Any],
    device: Any,
    personas: dict[str, Any],
    key: str,
    persona: str,
    more: dict[str, str],
    status: int,
    code: str,
) -> None:
    actor, headers = citizen(level=1)
    answer = device(headers).run("HIGH", personas[key], persona, **more)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    assert personas[key]["document_number"] not in answer.get_data(as_text=True)
    assert level_of(actor) == 1


def test_a_wrong_pin(citizen: Callable[..., Any], device: Any, personas: dict[str, Any]) -> None:
    _, headers = citizen(level=1)
    phone = device(headers)
    begun = phone.begin("PIN", personas["zhang-wei"])
    for _ in range(2):
        token = phone.act(begun, "zhang-wei", pin="000000")
        still = phone.finish(begun, token)
        assert (still.status_code, still.get_json()["code"]) == (409, "NETWORK_CHECK_OPEN")
    answer = phone.finish(begun, phone.act(begun, "zhang-wei", pin="000000"))
    assert (answer.status_code, answer.get_json()["code"]) == (422, "NETWORK_PIN_WRONG")


def test_a_review_is_asked_about_again(
    citizen: Callable[..., Any], device: Any, personas: dict[str, Any], sandbox: Sandbox
) -> None:
    """ID-5, for this source too."""
    actor, headers = citizen(level=1)
    phone = device(headers)
    begun = phone.begin("HIGH", personas["review"])
    body = phone.finish(begun, phone.act(begun, "review")).get_json()
    assert (body["result"], body["level"]) == ("REVIEW", 1)
    with transaction() as session:
        review_id = str(session.scalars(select(IdentityReview.id)).one())
    review_jobs.ask_again(review_id)
    assert level_of(actor) == 1
    challenge = begun.get_json()["url"].rsplit("/", 1)[1]
    sandbox.post("network-identity/decide", challenge=challenge, result="PASS")
    review_jobs.ask_again(review_id)
    assert level_of(actor) == 3


@pytest.mark.parametrize("path", ["challenges", "results"])
@pytest.mark.parametrize("kind", ["error", "garbage", "wrong_signature"])
def test_the_service_away(
    citizen: Callable[..., Any], device: Any, personas: dict[str, Any], sandbox: Sandbox, path: str, kind: str
) -> None:
    actor, headers = citizen(level=1)
    phone = device(headers)
    if path == "challenges":
        sandbox.fault("network-identity", kind, path=path)
        answer = phone.begin("HIGH", personas["zhang-wei"])
    else:
        begun = phone.begin("HIGH", personas["zhang-wei"])
        token = phone.act(begun, "zhang-wei")
        sandbox.fault("network-identity", kind, path=path)
        answer = phone.finish(begun, token)
    assert (answer.status_code, answer.get_json()["code"]) == (503, "SOURCE_UNAVAILABLE")
    assert evidence(actor.subject_id) == []
    if path == "results":
        assert phone.finish(begun, token).status_code == 200, "asking again is harmless"


def test_a_check_is_its_session_s_own_and_counts_once(
    citizen: Callable[..., Any], device: Any, personas: dict[str, Any]
) -> None:
    (_, mine), (_, other) = citizen(level=1), citizen(level=1)
    phone, thief = device(mine), device(other)
    begun = phone.begin("HIGH", personas["zhang-wei"])
    token = phone.act(begun, "zhang-wei")
    assert thief.finish(begun, token).get_json()["code"] == "NETWORK_CHECK_UNKNOWN"
    assert phone.finish(begun, "made-up").get_json()["code"] == "NETWORK_CHECK_UNKNOWN"
    assert phone.finish(begun, token).status_code == 200
    assert phone.finish(begun, token).get_json()["code"] == "NETWORK_CHECK_UNKNOWN"


def test_another_s_document_in_a_proven_account(
    citizen: Callable[..., Any], device: Any, personas: dict[str, Any]
) -> None:
    _, headers = citizen(level=3)
    phone = device(headers)
    answer = phone.run("HIGH", personas["zhang-wei"], "zhang-wei")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "IDENTITY_ALREADY_PROVEN")
    fresh = phone.begin("PIN", personas["zhang-wei"], purpose="SIGN")
    assert (fresh.status_code, fresh.get_json()["code"]) == (409, "DOCUMENT_DIFFERS")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"grade": "HIGH", "purpose": "SIGN"}, "grade"),
        ({"grade": "HIGH"}, "name"),
        ({"grade": "GOLD"}, "grade"),
        ({"grade": "HIGH", "purpose": "MAGIC"}, "purpose"),
        ({"grade": "HIGH", "name": "张伟", "document_type": "414", "document_number": "E12345678"}, "document_type"),
        ({"grade": "HIGH", "return_to": "https://evil.example/"}, "return_to"),
    ],
)
def test_faults_are_shown_at_their_field(
    client: FlaskClient, citizen: Callable[..., Any], sandbox: Sandbox, body: dict[str, str], field: str
) -> None:
    _, headers = citizen(level=1)
    answer = client.post(URL, json={"return_to": "/x"} | body, headers=headers)
    assert answer.status_code == 422
    assert field in answer.get_json()["errors"]


def test_a_phone_s_new_owner_learns_nothing_of_the_old_one(
    client: FlaskClient, citizen: Callable[..., Any], sandbox: Sandbox
) -> None:
    """ID-4: "the document proven before" is not that of whoever had the phone before."""
    phone = make.phone_number()
    citizen(level=3, phone=phone)
    new = make.signed_in_by_phone(phone)
    answer = client.post(URL, json={"grade": "HIGH", "return_to": "/x"}, headers=make.headers_for(new))
    assert answer.status_code == 422


def test_the_app_is_a_page_that_a_browser_clicks_through(
    citizen: Callable[..., Any], device: Any, personas: dict[str, Any]
) -> None:
    _, headers = citizen(level=1)
    phone = device(headers)
    begun = phone.begin("HIGH", personas["zhang-wei"])
    url = begun.get_json()["url"]
    page = requests.get(url, timeout=5)
    assert "张伟" in page.text
    back = requests.post(url, data={"persona": "zhang-wei", "act": "confirm"}, timeout=5, allow_redirects=False)
    target = requests.utils.urlparse(back.headers["Location"])  # type: ignore[attr-defined]
    query = dict(part.split("=") for part in target.query.split("&"))
    assert target.path == "/pages/identity"
    assert query["id"] == begun.get_json()["id"]
    assert phone.finish(begun, query["token"]).status_code == 200


def test_old_checks_are_forgotten(citizen: Callable[..., Any], device: Any, personas: dict[str, Any]) -> None:
    _, headers = citizen(level=1)
    assert device(headers).begin("HIGH", personas["zhang-wei"]).status_code == 200
    with transaction() as session:
        assert service.forget(session) == 0
    with clock.shift(timedelta(days=1, seconds=1)), transaction() as session:
        assert service.forget(session) == 1


@pytest.mark.parametrize("before", CheckState)
@pytest.mark.parametrize("after", CheckState)
def test_states_go_one_way(before: CheckState, after: CheckState) -> None:
    order = list(CheckState)
    assert (after in TRANSITIONS[before]) == (order.index(after) == order.index(before) + 1)


def test_a_stronger_check_answers_a_weaker_question() -> None:
    assert all(is_enough(Grade.PIN, grade) for grade in Grade)
    assert not is_enough(Grade.BASIC, Grade.HIGH)
    assert not is_enough(Grade.HIGH, Grade.PIN)
