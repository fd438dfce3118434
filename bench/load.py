"""A small load generator: keep-alive connections, one request in flight on each, for a bounded time, loopback only."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from statistics import quantiles

_HOST = "127.0.0.1"


@dataclass
class Result:
    """What one round saw."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def rps(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def percentile_ms(self, percent: int) -> float:
        """Latency in milliseconds."""
        if len(self.latencies) < 2:
            return 0.0
        return quantiles(self.latencies, n=100)[percent - 1] * 1000


def get(path: str, **headers: str) -> bytes:
    """The bytes of a GET."""
    return _head("GET", path, headers) + b"\r\n"


def post(path: str, body: bytes, **headers: str) -> bytes:
    """The bytes of a POST of JSON."""
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
    return _head("POST", path, headers) + b"\r\n" + body


def _head(method: str, path: str, headers: dict[str, str]) -> bytes:
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {_HOST}",
        *(f"{n.replace('_', '-')}: {v}" for n, v in headers.items()),
    ]
    return ("\r\n".join(lines) + "\r\n").encode()


class _Client(asyncio.Protocol):
    """One connection: sends the next request as soon as the answer is complete."""

    def __init__(self, requests: Iterator[bytes], until: float, result: Result, done: asyncio.Future[None]) -> None:
        self.requests, self.until, self.result, self.done = requests, until, result, done
        self.buffer = bytearray()
        self.sent = 0.0
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self.transport = transport
        self._next()

    def _next(self) -> None:
        assert self.transport is not None  # noqa: S101
        request = next(self.requests, None) if time.perf_counter() < self.until else None
        if request is None:
            self.transport.close()
            return
        self.sent = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Collect an answer."""
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self.buffer[:end]).lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self.buffer) < end + 4 + length:
            return
        self.result.latencies.append(time.perf_counter() - self.sent)
        self.result.statuses[int(head[9:12])] += 1
        self.buffer.clear()
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Finish."""
        if not self.done.done():
            self.done.set_result(None)


def run(port: int, requests: Iterator[bytes], *, connections: int, seconds: float) -> Result:
    """Send `requests` over `connections` connections to loopback `port` for at most `seconds`."""
    return asyncio.run(_run(port, requests, connections, seconds))


async def _run(port: int, requests: Iterator[bytes], connections: int, seconds: float) -> Result:
    loop = asyncio.get_running_loop()
    result = Result()
    began = time.perf_counter()
    done: list[asyncio.Future[None]] = []
    for _ in range(connections):
        future: asyncio.Future[None] = loop.create_future()
        await loop.create_connection(partial(_Client, requests, began + seconds, result, future), _HOST, port)
        done.append(future)
    await asyncio.gather(*done)
    result.seconds = time.perf_counter() - began
    return result
