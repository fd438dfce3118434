"""What a failed call means, and what the log says of one."""

import logging
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from core.ports import PartnerUnavailable
from partners import http
from tests.sandbox_client import free_port


class _Partner(BaseHTTPRequestHandler):
    """Answers as its path says: /status/503, /slow, /hang-up, /redirect, else what it was sent."""

    protocol_version = "HTTP/1.1"
    connections: ClassVar[set[tuple[str, int]]] = set()
    asked = 0

    def _answer(self) -> None:
        type(self).connections.add(self.client_address)
        type(self).asked += 1
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status = int(self.path.rsplit("/", 1)[1]) if self.path.startswith("/status/") else 200
        if self.path == "/slow":
            threading.Event().wait(0.6)
        if self.path == "/hang-up":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if self.path == "/redirect":
            status = 302
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *_args: Any) -> None:
        return


@pytest.fixture(scope="module")
def partner() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Partner)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("status", [200, 204, 400, 401, 404, 409, 422])
def test_answers_and_refusals_come_back(partner: str, status: int) -> None:
    assert http.request("p", "GET", f"{partner}/status/{status}").status_code == status


@pytest.mark.parametrize("path", ["/status/500", "/status/503", "/status/429", "/redirect", "/hang-up"])
def test_no_usable_answer_leaves_the_outcome_unknown(partner: str, path: str) -> None:
    with pytest.raises(PartnerUnavailable) as caught:
        http.request("p", "POST", partner + path, data=b"x")
    assert not isinstance(caught.value, http.NotReached)


def test_a_late_answer_is_none(partner: str) -> None:
    with pytest.raises(PartnerUnavailable) as caught:
        http.request("p", "POST", f"{partner}/slow", data=b"x", read_seconds=0.2)
    assert not isinstance(caught.value, http.NotReached)


def test_a_closed_door_is_known_to_have_kept_the_request_out() -> None:
    with pytest.raises(http.NotReached):
        http.request("p", "POST", f"http://127.0.0.1:{free_port()}/", data=b"x")


def test_nothing_is_sent_twice_and_redirects_are_not_followed(partner: str) -> None:
    before = _Partner.asked
    for path in ("/status/503", "/hang-up", "/redirect"):
        with pytest.raises(PartnerUnavailable):
            http.request("p", "GET", partner + path)
    assert _Partner.asked - before == 3


def test_connections_are_kept(partner: str) -> None:
    http.request("p", "GET", f"{partner}/status/200")
    before = len(_Partner.connections)
    for _ in range(5):
        http.request("p", "GET", f"{partner}/status/200")
    assert len(_Partner.connections) == before


def test_the_log_names_the_call_and_none_of_its_secrets(partner: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="partners.http"):
        http.request("p", "POST", f"{partner}/path", params={"access_token": "tell-nobody"}, data=b"body-of-mine")
        with pytest.raises(PartnerUnavailable) as caught:
            http.request("p", "GET", f"http://127.0.0.1:{free_port()}/path", params={"secret": "tell-nobody"})
    told = " ".join(str(sorted(record.__dict__.items())) for record in caplog.records if record.name == "partners.http")
    assert "'partner': 'p'" in told or "('partner', 'p')" in told
    assert "('method', 'POST')" in told
    for secret in ("tell-nobody", "body-of-mine", "/path"):
        assert secret not in told
        assert secret not in str(caught.value)
    assert caught.value.__suppress_context__
