"""Signing in to the console over HTTP."""

import time
from typing import Any

import pyotp
import pytest
from flask.testing import FlaskClient

from auth.staff import roles, service
from core import db

PASSWORD = "Correct-horse-7"


@pytest.fixture
def sign_in(client: FlaskClient) -> dict[str, Any]:
    """What a member of staff who knows everything would send."""
    if 30 - time.time() % 30 < 3:
        time.sleep(3)
    with db.transaction() as session:
        _member, address = service.add_member(
            session, username="wang.fang", name="王芳", password=PASSWORD, roles=[roles.FRONT_CLERK]
        )
    totp = pyotp.parse_uri(address)
    assert isinstance(totp, pyotp.TOTP)
    code = totp.now()
    return {"username": "wang.fang", "password": PASSWORD, "totp": code}


def test_in_and_out(client: FlaskClient, sign_in: dict[str, Any]) -> None:
    answer = client.post("/staff/v1/login", json=sign_in)
    assert answer.status_code == 200
    body = answer.get_json()
    assert body["member"]["name"] == "王芳"
    headers = {"Authorization": f"Bearer {body['access_token']}"}
    me = client.get("/staff/v1/me", headers=headers)
    assert me.status_code == 200
    assert me.get_json() == body["member"]
    assert "case.accept" in me.get_json()["permissions"]
    assert "case.decide" not in me.get_json()["permissions"]
    assert client.post("/staff/v1/logout", headers=headers).status_code == 204
    assert client.get("/staff/v1/me", headers=headers).status_code == 401


def test_every_refusal_is_the_same_answer(client: FlaskClient, sign_in: dict[str, Any]) -> None:
    wrong = "000000" if sign_in["totp"] != "000000" else "111111"
    answers = [
        client.post("/staff/v1/login", json={**sign_in, **change})
        for change in ({"username": "nobody"}, {"password": "Wrong-horse-77"}, {"totp": wrong})
    ]
    for _ in range(5):
        answers.append(client.post("/staff/v1/login", json={**sign_in, "password": "x"}))
    answers.append(client.post("/staff/v1/login", json=sign_in))
    bodies = []
    for answer in answers:
        assert answer.status_code == 401
        assert answer.get_json()["code"] == "STAFF_SIGN_IN_REFUSED"
        bodies.append({key: value for key, value in answer.get_json().items() if key != "request_id"})
    assert all(body == bodies[0] for body in bodies)
    assert "15" in bodies[0]["detail"]


@pytest.mark.parametrize(
    "change",
    [{"totp": "12345"}, {"totp": "１２３４５６"}, {"username": "ab"}, {"password": ""}, {"hall": "x"}, {"totp": None}],
)
def test_input_of_another_shape(client: FlaskClient, sign_in: dict[str, Any], change: dict[str, Any]) -> None:
    answer = client.post("/staff/v1/login", json={**sign_in, **change})
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]) == list(change)


def test_who_may_see_oneself(client: FlaskClient, citizen: Any) -> None:
    assert client.get("/staff/v1/me").status_code == 401
    _actor, headers = citizen(level=2)
    assert client.get("/staff/v1/me", headers=headers).status_code == 401
