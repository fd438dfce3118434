"""The product as its own processes over real HTTP, on the database and Valkey of the running tests."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import requests

from core.settings import Settings
from tests.environment import environment
from tests.sandbox_client import free_port

ROOT = Path(__file__).resolve().parent.parent
_STARTS_WITHIN_SECONDS = 60


@contextmanager
def process(arguments: list[str], env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A Python process while the block runs."""
    started = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env={**os.environ, **env})
    try:
        yield started
    finally:
        started.terminate()
        started.wait(20)


def wait_for(address: str, started: subprocess.Popen[bytes]) -> None:
    """Return when `address` answers 200. Raises `RuntimeError` when the process ends or takes too long."""
    until = time.monotonic() + _STARTS_WITHIN_SECONDS
    while started.poll() is None and time.monotonic() < until:
        try:
            if requests.get(address, timeout=2).status_code == 200:
                return
        except requests.ConnectionError:
            time.sleep(0.1)
    raise RuntimeError(f"{address} doesn't answer")


@contextmanager
def served(
    settings: Settings, *, worker: bool = False, partners: Mapping[str, str] = MappingProxyType({})
) -> Iterator[str]:
    """The web server, and with `worker` the worker, under an address of their own; that address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    env = environment(
        settings.database_url.replace("+psycopg", ""),
        settings.redis_url,
        {**partners, "PUBLIC_URL": address, "DATABASE_POOL": "8", "FILES_URL": settings.files_url},
    )
    with process(["-m", "gateway", "web", "--port", str(port), "--workers", "1"], env) as web:
        wait_for(address + "/healthz", web)
        if not worker:
            yield address
            return
        with process(["-m", "gateway", "worker"], env):
            yield address
