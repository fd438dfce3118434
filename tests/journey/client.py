"""HTTP as the story's people use it: prints each step, repeats what the network lost, keeps every secret for the log search."""

from __future__ import annotations

import time
import uuid
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests


class StoryBroken(Exception):
    """A step didn't hold."""


@dataclass
class Told:
    """A step as it was told."""

    number: int
    who: str
    what: str
    came_back: str
    milliseconds: float


@dataclass
class Teller:
    """Prints the steps and remembers them."""

    write: Callable[[str], None] = print
    steps: list[Told] = field(default_factory=list)

    def tell(self, who: str, what: str, came_back: str, began: float) -> None:
        """Tell one step that began at `began` (perf_counter)."""
        step = Told(len(self.steps) + 1, who, what, came_back, (time.perf_counter() - began) * 1000)
        self.steps.append(step)
        self.write(f"{step.number:2}. {who:<12} {what:<46} → {came_back}  ({step.milliseconds:.0f} ms)")


@dataclass
class Server:
    """One base address. Lost answers and 503s are tried again with the same Idempotency-Key, as a careful client does."""

    base: str
    patience: float = 5.0
    secrets: set[str] = field(default_factory=set)

    def call(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        expect: int | tuple[int, ...] = 200,
        once: bool = False,
        **more: Any,
    ) -> Any:
        """Send and return the JSON. `once` adds an Idempotency-Key. Raises `StoryBroken` for another status than `expect`."""
        headers: dict[str, str] = more.pop("headers", {})
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if once:
            headers["Idempotency-Key"] = uuid.uuid4().hex
        wanted = (expect,) if isinstance(expect, int) else expect
        deadline = time.monotonic() + self.patience
        while True:
            try:
                answer = requests.request(method, self.base + path, headers=headers, timeout=15, **more)
                if answer.status_code != 503 or time.monotonic() > deadline:
                    break
            except requests.RequestException:
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.2)
        if answer.status_code not in wanted:
            raise StoryBroken(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json() if "json" in answer.headers.get("Content-Type", "") else answer.content


def wait_until(what: str, check: Callable[[], Any], *, seconds: float = 20) -> Any:
    """Ask until `check` gives something true. Raises `StoryBroken` when it never does."""
    deadline = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > deadline:
            raise StoryBroken(f"waited {seconds:.0f} s in vain: {what}")
        time.sleep(0.15)


def png(number: int) -> bytes:
    """A small valid PNG, different for each number."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return len(data).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")

    size = 64
    header = size.to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    rows = b"".join(b"\0" + bytes([number % 256, row * 4 % 256, 200]) * size for row in range(size))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
