"""The sandbox as tests use it: a process on a free port, and its control endpoint."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import requests


def free_port() -> int:
    """A port of loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Sandbox:
    """The sandbox's control endpoint, as a test uses it."""

    def __init__(self, url: str, credentials: dict[str, Any], state: Path) -> None:
        self.url = url
        self.credentials = credentials
        self.state = state

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + 20
        while True:
            try:
                requests.get(f"{self.url}/_sandbox/personas.json", timeout=2).raise_for_status()
                return
            except requests.RequestException:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def get(self, path: str, /, **params: Any) -> Any:
        """GET /_sandbox/<path> as JSON."""
        answer = requests.get(f"{self.url}/_sandbox/{path}", params=params, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, /, **body: Any) -> Any:
        """POST JSON to /_sandbox/<path>."""
        answer = requests.post(f"{self.url}/_sandbox/{path}", json=body, timeout=10)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def fault(self, partner: str, kind: str, *, times: int = 1, **more: Any) -> None:
        """Make the next `times` calls of `partner` fail in the way `kind`."""
        self.post("faults", partner=partner, kind=kind, times=times, **more)
