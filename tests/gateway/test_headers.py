"""What every answer carries, whichever way it was made."""

import re

import pytest
from flask.testing import FlaskClient

EVERY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
}


@pytest.mark.parametrize("path", ["/healthz", "/docs", "/api/v1/catalogue/items/NB-002", "/api/v1/nothing", "/metrics"])
def test_security_headers_are_on_every_answer(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert {name: headers.get_all(name) for name in EVERY} == {name: [value] for name, value in EVERY.items()}
    assert len(headers.get_all("Content-Security-Policy")) == len(headers.get_all("Cache-Control")) == 1
    assert re.fullmatch(r"[0-9a-f]{24}", headers["X-Request-Id"])


def test_nothing_is_stored_unless_a_view_says_so(client: FlaskClient) -> None:
    assert client.get("/healthz").headers["Cache-Control"] == "no-store"
    assert client.get("/docs").headers["Cache-Control"] == "public, max-age=300"


def test_a_page_keeps_its_own_content_policy(client: FlaskClient) -> None:
    assert client.get("/healthz").headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert "style-src 'self'" in client.get("/docs").headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("given", "taken"),
    [("trace-0123.ABC_9", True), ("short", False), ("x" * 65, False), ("two words", False), ("a\tb-123456", False)],
)
def test_a_well_formed_request_id_of_the_caller_is_kept(client: FlaskClient, given: str, taken: bool) -> None:
    assert (client.get("/healthz", headers={"X-Request-Id": given}).headers["X-Request-Id"] == given) is taken
