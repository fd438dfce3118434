"""A small load generator: keep-alive connections, one request in flight on each, for a bounded time, loopback only."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import partial
from statistics import quantiles

from gateway.local.ports import LOOPBACK


@dataclass
class Result:
    """What one round saw. `fault`: the first answer of a status nobody expected, or how a connection was lost."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    fault: str = ""

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
        f"Host: {LOOPBACK}",
        *(f"{n.replace('_', '-')}: {v}" for n, v in headers.items()),
    ]
    return ("\r\n".join(lines) + "\r\n").encode()


class _Client(asyncio.Protocol):
    """One connection: sends the next request as soon as the answer is complete."""

    def __init__(
        self,
        requests: Iterator[bytes],
        expect: Collection[int],
        until: float,
        result: Result,
        done: asyncio.Future[None],
    ) -> None:
        self.requests, self.expect, self.until, self.result, self.done = requests, expect, until, result, done
        self.buffer = bytearray()
        self.sent = 0.0
        self.waiting = False
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self.transport = transport
        self._next()

    def _next(self) -> None:
        assert self.transport is not None  # noqa: S101
        over = self.result.fault or time.perf_counter() >= self.until
        request = None if over else next(self.requests, None)
        if request is None:
            self.transport.close()
            return
        self.waiting = True
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
        self.waiting = False
        status = int(head[9:12])
        self.result.statuses[status] += 1
        if status not in self.expect and not self.result.fault:
            self.result.fault = f"{status}: {self.buffer[end + 4 :].decode('utf-8', 'replace')}"
        self.buffer.clear()
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        """Finish."""
        if self.waiting and not self.result.fault:
            self.result.fault = f"a connection was lost while an answer was awaited ({exc})"
        if not self.done.done():
            self.done.set_result(None)


def run(
    port: int, requests: Iterator[bytes], *, connections: int, seconds: float, expect: Collection[int] = (200,)
) -> Result:
    """Send `requests` over `connections` connections to loopback `port` for at most `seconds`.

    Ends early at the first answer whose status isn't among `expect`; the result then has a `fault`.
    """
    return asyncio.run(_run(port, requests, connections, seconds, expect))


async def _run(
    port: int, requests: Iterator[bytes], connections: int, seconds: float, expect: Collection[int]
) -> Result:
    loop = asyncio.get_running_loop()
    result = Result()
    began = time.perf_counter()
    done: list[asyncio.Future[None]] = []
    for _ in range(connections):
        future: asyncio.Future[None] = loop.create_future()
        make = partial(_Client, requests, expect, began + seconds, result, future)
        await loop.create_connection(make, LOOPBACK, port)
        done.append(future)
    await asyncio.gather(*done)
    result.seconds = time.perf_counter() - began
    return result
