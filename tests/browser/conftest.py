"""A real browser, the product and a department's site over real HTTP, all in this process; the partners are the sandbox."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from core import cache
from core.settings import Settings
from gateway.app import create_app
from gateway.wiring import wire
from tests.browser.relying_party import RelyingParty
from tests.sandbox_client import Sandbox, free_port

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-lcd-text",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--write-screenshots`: make the pictures of docs/images/sign-in anew."""
    parser.addoption("--write-screenshots", action="store_true", help="make the pictures of the sign-in pages anew")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A headless Chromium with a profile of its own."""
    program = next((found for name in _PROGRAMS if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=_FLAGS)
        yield browser
        browser.close()


@contextmanager
def served(app: Any, host: str, port: int) -> Iterator[str]:
    """`app` over HTTP while the block runs."""
    server = make_server(host, port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def product(app: Flask, settings: Settings, sandbox: Sandbox) -> Iterator[str]:
    """The product at an address of its own."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    made = create_app(replace(settings, public_url=address))
    cache.client().flushdb()
    with served(made, "127.0.0.1", port):
        yield address
    wire(settings)


@pytest.fixture
def relying_party(product: str) -> Iterator[RelyingParty]:
    """A department's site at another host name, so that the two share no cookie."""
    port = free_port()
    site = RelyingParty(product, f"http://localhost:{port}")
    with served(site.app, "localhost", port):
        yield site


@pytest.fixture
def in_background(run_jobs: Callable[..., None]) -> Callable[[], None]:
    """Run the queued jobs; beside the browser's own event loop, in a thread."""

    def run() -> None:
        faults: list[BaseException] = []

        def work() -> None:
            try:
                run_jobs()
            except BaseException as fault:  # told to the test
                faults.append(fault)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        if faults:
            raise faults[0]

    return run
