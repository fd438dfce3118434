"""Logs are one JSON object a line; the line of a request says what was asked of which route, and nobody's number."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from gateway import logs


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    root, access = logging.getLogger(), logging.getLogger("access")
    before = (root.handlers[:], root.level, access.handlers[:], access.propagate)
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    logs.configure("INFO")
    yield stream
    root.handlers[:], level, access.handlers[:], access.propagate = before
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_request_is_one_line(client: FlaskClient, written: io.StringIO) -> None:
    answer = client.get("/api/v1/catalogue/items/NB-002?x=1")
    [line] = [line for line in lines(written) if line["logger"] == "access"]
    assert (line["event"], line["method"], line["status"], line["level"]) == ("request", "GET", 200, "info")
    assert line["route"] == "/api/v1/catalogue/items/<item_id>"
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert line["ms"] >= 0
    assert line["timestamp"].endswith("Z")


def test_an_unknown_address_is_not_written(client: FlaskClient, written: io.StringIO) -> None:
    client.get("/api/v1/13800138000/330211199001011237")
    [line] = lines(written)
    assert (line["route"], line["status"]) == ("(none)", 404)
    assert "138" not in json.dumps(line | {"request_id": ""})


def test_a_phone_number_as_request_id_is_masked(client: FlaskClient, written: io.StringIO) -> None:
    client.get("/healthz", headers={"X-Request-Id": "13800138000"})
    [line] = lines(written)
    assert line["request_id"] == "138****8000"


def test_what_slipped_into_another_line_is_masked(written: io.StringIO) -> None:
    logging.getLogger("anything").info(
        "call %s", "13800138000", extra={"given": "330211199001011237", "n": 13800138000}
    )
    [line] = lines(written)
    assert "13800138000" not in json.dumps(line)
    assert "330211199001011237" not in json.dumps(line)
    assert line["given"].startswith("3302")
