"""Every failure is problem+json in the caller's language, with no database or partner text in it."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from core import db
from gateway import errors


def test_an_unknown_address_is_a_problem(client: FlaskClient) -> None:
    answer = client.get("/api/v1/nothing", headers={"Accept-Language": "en"})
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    body = answer.get_json()
    assert body["code"] == "NOT_FOUND"
    assert body["detail"] == "Not found"
    assert body["request_id"] == answer.headers["X-Request-Id"]


def test_chinese_is_the_default(client: FlaskClient) -> None:
    assert client.get("/api/v1/nothing").get_json()["detail"] == "没有找到"
    assert client.get("/api/v1/nothing", headers={"Accept-Language": "fr"}).get_json()["detail"] == "没有找到"


@pytest.mark.parametrize(
    ("method", "path", "body", "content_type", "status", "code"),
    [
        ("POST", "/api/v1/login/code", b"{", "application/json", 400, "MALFORMED_REQUEST"),
        ("POST", "/api/v1/login/code", b'{"phone": 1}', "application/json", 422, "INVALID_INPUT"),
        ("POST", "/api/v1/login/code", b"x" * 300_000, "application/json", 413, "PAYLOAD_TOO_LARGE"),
        ("POST", "/api/v1/login/code", b"[" * 100_000, "application/json", 400, "MALFORMED_REQUEST"),
        ("POST", "/api/v1/login/code", b'{"phone": NaN}', "application/json", 400, "MALFORMED_REQUEST"),
        ("POST", "/api/v1/login/code", b'{"phone": "\\ud800"}', "application/json", 400, "MALFORMED_REQUEST"),
        ("POST", "/api/v1/login/code", b'{"phone": "\xff"}', "application/json", 400, "MALFORMED_REQUEST"),
        ("POST", "/api/v1/login/code", b"", "application/json", 422, "INVALID_INPUT"),
        ("DELETE", "/api/v1/login/code", b"", "application/json", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/api/v1/account", b"", "", 401, "NOT_AUTHENTICATED"),
    ],
)
def test_bad_requests_have_stable_codes(
    client: FlaskClient, method: str, path: str, body: bytes, content_type: str, status: int, code: str
) -> None:
    answer = client.open(path, method=method, data=body, content_type=content_type)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v1/catalogue/items/NB-002%00", 404, "NOT_FOUND"),
        ("/api/v1/progress/%00", 404, "NOT_FOUND"),
        ("/staff/v1/prereviews/%00/claim", 404, "NOT_FOUND"),
        ("/staff/v1/catalogue/items/a%00b", 404, "NOT_FOUND"),
        ("/oidc/%00", 404, "NOT_FOUND"),
        ("/%00", 404, "NOT_FOUND"),
        ("/api/v1/catalogue/items?q=a%00b", 400, "MALFORMED_REQUEST"),
        ("/api/v1/catalogue/items?%00=1", 400, "MALFORMED_REQUEST"),
        ("/api/v1/places/near?lat=29.8&lng=121.5&item=%00", 400, "MALFORMED_REQUEST"),
        ("/api/v1/bills?cursor=%00", 400, "MALFORMED_REQUEST"),
        ("/staff/v1/cases?state=%00", 400, "MALFORMED_REQUEST"),
        ("/staff/v1/audit?actor=%00", 400, "MALFORMED_REQUEST"),
    ],
)
def test_a_nul_character_goes_no_further_than_the_edge(
    client: FlaskClient, citizen: Any, staff: Any, count_queries: Any, path: str, status: int, code: str
) -> None:
    """Whoever asks and however: nothing is asked of the database."""
    headers = [{}, citizen(level=3)[1], staff("HALL_MANAGER")[1]]
    with count_queries() as seen:
        for who in headers:
            for method in ("GET", "POST", "PUT", "DELETE"):
                answer = client.open(path, method=method, headers=who)
                assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    assert seen == []


def test_what_only_looks_like_a_nul_character_is_let_through(client: FlaskClient) -> None:
    assert client.get("/api/v1/catalogue/items?q=%2500").status_code == 200


def test_a_bug_says_nothing_of_itself(database: Flask) -> None:
    toy = Flask("toy")
    errors.register(toy)
    toy.testing = False

    @toy.get("/bug")
    def bug() -> str:
        raise ValueError("secret 13800001234")

    @toy.get("/database")
    def fault() -> str:
        with db.transaction() as session:
            session.execute(text("SELECT * FROM no_such_table WHERE phone = '13800001234'"))
        return ""

    @toy.get("/busy")
    def busy() -> str:
        with db.transaction() as session:
            session.execute(text("SET LOCAL statement_timeout = 10"))
            session.execute(text("SELECT pg_sleep(1)"))
        return ""

    for path, status, code in (
        ("/bug", 500, "INTERNAL_ERROR"),
        ("/database", 500, "INTERNAL_ERROR"),
        ("/busy", 409, "STATE_CONFLICT"),
    ):
        answer = toy.test_client().get(path)
        assert (answer.status_code, answer.get_json()["code"]) == (status, code)
        assert "13800001234" not in answer.get_data(as_text=True)


def test_security_headers_are_on_every_answer(client: FlaskClient) -> None:
    for path in ("/healthz", "/api/v1/nothing", "/docs"):
        headers = client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["Referrer-Policy"] == "no-referrer"
