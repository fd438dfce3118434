"""Logs are one JSON object a line; the line of a request says what was asked of which route, and nobody's number."""

import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from gateway import logs

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def written(capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure("INFO")
    yield lambda: [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    logs.configure("CRITICAL")
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_request_is_one_line(client: FlaskClient, written: Callable[[], list[dict[str, Any]]]) -> None:
    answer = client.get("/api/v1/catalogue/items/NB-002?x=1")
    [line] = written()
    assert (line["event"], line["method"], line["status"], line["level"]) == ("request", "GET", 200, "info")
    assert line["route"] == "/api/v1/catalogue/items/<item_id>"
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert line["ms"] >= 0
    assert line["timestamp"].endswith("Z")


def test_an_unknown_address_is_not_written(client: FlaskClient, written: Callable[[], list[dict[str, Any]]]) -> None:
    client.get("/api/v1/13800138000/330211199001011237")
    [line] = written()
    assert (line["route"], line["status"]) == ("(none)", 404)
    assert "138" not in json.dumps(line | {"request_id": ""})


def test_a_phone_number_as_request_id_is_masked(
    client: FlaskClient, written: Callable[[], list[dict[str, Any]]]
) -> None:
    client.get("/healthz", headers={"X-Request-Id": "13800138000"})
    [line] = written()
    assert line["request_id"] == "138****8000"


PROGRAM = """
import logging
from gateway import logs
logs.configure("INFO")
logging.getLogger("anything").info("call %s", "13800138000", extra={"given": "330211199001011237", "n": 13800138000})
"""


def test_what_slipped_into_another_line_is_masked() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True)
    [line] = [json.loads(text) for text in done.stderr.splitlines()]
    assert (line["event"], line["given"], line["n"]) == ("call 138****8000", "3302**********1237", "138****8000")
