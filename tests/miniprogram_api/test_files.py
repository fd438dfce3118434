"""Uploading over HTTP and opening by a signed link."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from casework.files import rules
from core import clock
from tests.factories import papers

People = Callable[..., tuple[Any, dict[str, str]]]


def send(client: FlaskClient, headers: dict[str, str], content: bytes, name: str = "a.pdf") -> TestResponse:
    """Post a form written by hand: werkzeug's test client leaves the temporary file of a large one open."""
    head = f'--cut\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return client.post(
        "/api/v1/files",
        data=head.encode() + content + b"\r\n--cut--\r\n",
        content_type="multipart/form-data; boundary=cut",
        headers=headers,
    )


def test_upload_and_open(client: FlaskClient, citizen: People) -> None:
    _, headers = citizen(level=1)
    sent = send(client, headers, papers.pdf(4), "../我的材料/房产证.exe")
    assert sent.status_code == 200, sent.text
    assert (sent.json or {})["media_type"] == "application/pdf"
    assert (sent.json or {})["pages"] == 4
    assert "房产证" not in sent.text
    link = client.get(f"/api/v1/files/{sent.json['id']}/link", headers=headers).json  # type: ignore[index]
    assert link is not None
    opened = client.get(link["url"])
    assert opened.status_code == 200
    assert opened.data == papers.pdf(4)
    assert opened.headers["Content-Type"] == "application/pdf"
    assert opened.headers["Content-Disposition"].startswith("attachment; filename=")
    assert opened.headers["X-Content-Type-Options"] == "nosniff"
    assert (
        "sandbox" in opened.headers["Content-Security-Policy"] or "'none'" in opened.headers["Content-Security-Policy"]
    )
    with clock.shift(timedelta(minutes=6)):
        assert client.get(link["url"]).status_code == 404


def test_a_picture_is_shown_in_the_page(client: FlaskClient, citizen: People) -> None:
    _, headers = citizen(level=1)
    sent = send(client, headers, papers.jpeg(), "photo.heic")
    link = client.get(f"/api/v1/files/{sent.json['id']}/link", headers=headers).json  # type: ignore[index]
    opened = client.get(link["url"])  # type: ignore[index]
    assert opened.headers["Content-Type"] == "image/jpeg"
    assert opened.headers["Content-Disposition"].startswith("inline")


def test_nobody_else_gets_a_link(client: FlaskClient, citizen: People) -> None:
    _, mine = citizen(level=1)
    _, theirs = citizen(level=1)
    file_id = send(client, mine, papers.png()).json["id"]  # type: ignore[index]
    assert client.get(f"/api/v1/files/{file_id}/link", headers=theirs).status_code == 404
    assert client.get(f"/api/v1/files/{file_id}/link").status_code == 401
    assert client.get(f"/api/v1/files/content/{file_id}?token=1").status_code == 404
    assert client.get(f"/api/v1/files/content/{file_id}").status_code == 422


@pytest.mark.parametrize(
    ("content", "reason", "says"),
    [
        (b"", "EMPTY", "空"),
        (papers.heic(), "HEIC", "转换为 JPG"),
        (papers.word(), "OFFICE", "PDF"),
        (papers.packed_pdf(1, trailer="/Encrypt 9 0 R"), "ENCRYPTED", "密码"),
        (papers.pdf(1)[:200], "DAMAGED", "损坏"),
        (b"#!/bin/sh\n", "UNKNOWN_TYPE", "JPG、PNG、PDF"),
    ],
)
def test_refusals_say_what_to_do(client: FlaskClient, citizen: People, content: bytes, reason: str, says: str) -> None:
    _, headers = citizen(level=1)
    refused = send(client, headers, content)
    assert refused.status_code == 422
    body = refused.json or {}
    assert (body["code"], body["reason"]) == ("MATERIAL_TYPE_INVALID", reason)
    assert says in body["detail"]
    assert "PDF" in send(client, {**headers, "Accept-Language": "en"}, papers.word()).json["detail"]  # type: ignore[index]


def test_too_large(client: FlaskClient, citizen: People) -> None:
    _, headers = citizen(level=1)
    refused = send(client, headers, papers.pdf(1) + b"." * rules.POLICY.max_bytes)
    assert refused.status_code == 413
    assert (refused.json or {})["code"] == "PAYLOAD_TOO_LARGE"
    assert (refused.json or {})["max_bytes"] == rules.POLICY.max_bytes


def test_without_a_file_or_a_session(client: FlaskClient, citizen: People) -> None:
    _, headers = citizen(level=1)
    assert client.post("/api/v1/files", data={}, headers=headers).status_code == 422
    assert client.post("/api/v1/files", data={"file": "text"}, headers=headers).status_code == 422
    assert send(client, {}, papers.png()).status_code == 401
