"""Fixtures of the sandbox's tests: a sandbox on a free port, and a listener that plays the product's callbacks."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from sandbox.credentials import make
from tests.sandbox_client import Sandbox, free_port

ROOT = Path(__file__).resolve().parent.parent.parent
# Four minutes become a tenth of a second.
HURRY = "2400"


@dataclass
class Running:
    """A sandbox process and how to talk to it."""

    process: subprocess.Popen[str]
    sandbox: Sandbox
    ready_line: str

    def stop(self) -> int:
        """End it as an operator would: the exit status."""
        self.process.terminate()
        status = self.process.wait(15)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return status


def run(command: str, state: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sandbox", command, "--state", str(state), *more],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def start(state: Path, port: int) -> Running:
    """Start a sandbox on `state` and wait for the line that says it is ready."""
    credentials = make(state).product
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "serve", "--state", str(state), "--port", str(port), "--hurry", HURRY],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return Running(process, Sandbox(f"http://127.0.0.1:{port}", credentials, state), process.stdout.readline())


@pytest.fixture(scope="session")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = start(tmp_path_factory.mktemp("sandbox"), free_port())
    yield running
    running.stop()


@pytest.fixture
def sandbox(_running: Running) -> Sandbox:
    """A clean sandbox; consoles are clean too."""
    _running.sandbox.post("reset", configuration=True)
    return _running.sandbox


@dataclass
class Received:
    """One request that the listener got."""

    path: str
    content_type: str
    body: bytes
    at: float

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass
class Listener:
    """Plays the product: notes what arrives, and answers with `answers` in turn, the last of them for ever."""

    url: str
    answers: list[tuple[int, bytes]]
    received: list[Received] = field(default_factory=list)

    def wait_for(self, count: int, seconds: float = 10) -> list[Received]:
        """The first `count` requests; fails when they don't arrive in time."""
        wait_until(lambda: len(self.received) >= count, seconds)
        return self.received[:count]


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def listener() -> Iterator[Listener]:
    heard = Listener("", [(200, b"success")])
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                status, answer = heard.answers[min(len(heard.received), len(heard.answers) - 1)]
                heard.received.append(Received(self.path, self.headers["Content-Type"], body, time.monotonic()))
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        # Fifty notices at once must not meet a full queue.
        request_queue_size = 128

    server = Server(("127.0.0.1", 0), Handler)
    heard.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield heard
    server.shutdown()
    thread.join()
    server.server_close()
