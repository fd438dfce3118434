"""The load generator against a server of a few lines: it counts, and lets no wrong answer pass."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice, repeat

from bench import load

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_FULL = b"HTTP/1.1 409 Conflict\r\ncontent-length: 5\r\n\r\nfull!"


@contextmanager
def answering(*answers: bytes) -> Iterator[int]:
    """A server of one connection that gives these answers, one a request, and then hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                for answer in answers:
                    if not connection.recv(4096):
                        return
                    # In two parts: an answer may arrive in pieces.
                    connection.sendall(answer[:20])
                    connection.sendall(answer[20:])
                connection.recv(4096)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            thread.join()


def test_every_answer_is_counted() -> None:
    with answering(*[_OK] * 5) as port:
        result = load.run(port, islice(repeat(load.get("/x")), 5), connections=1, seconds=5)
    assert result.statuses == {200: 5}
    assert len(result.latencies) == 5
    assert result.rps > 0
    assert result.fault == ""


def test_a_wrong_status_ends_the_round_and_is_told() -> None:
    with answering(_OK, _FULL, _OK) as port:
        result = load.run(port, repeat(load.get("/x")), connections=1, seconds=5)
    assert result.fault == "409: full!"
    assert result.statuses == {200: 1, 409: 1}


def test_an_expected_status_is_no_fault() -> None:
    with answering(_OK, _FULL) as port:
        result = load.run(port, islice(repeat(load.get("/x")), 2), connections=1, seconds=5, expect=(200, 409))
    assert result.fault == ""


def test_a_lost_connection_is_a_fault() -> None:
    with answering(_OK) as port:
        result = load.run(port, repeat(load.get("/x")), connections=1, seconds=5)
    assert "lost" in result.fault


def test_a_post_says_how_long_it_is() -> None:
    sent = load.post("/x", b'{"a":1}', Idempotency_Key="k")
    head, _, body = sent.partition(b"\r\n\r\n")
    assert body == b'{"a":1}'
    assert head.split(b"\r\n")[0] == b"POST /x HTTP/1.1"
    assert b"Content-Length: 7" in head
    assert b"Idempotency-Key: k" in head
