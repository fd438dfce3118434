"""`make bench-catalogue`: the catalogue at city scale beside a bare Flask view, all measured in turn in one run.

20,000 items (the sample, filled up with made-up ones) and 3,121 service points. Items and lists are asked for as many
people ask for the same ones; every search and every position is new to the server, so that none is answered from memory.
Ratios of another run don't compare, nor do figures of another machine. The last line is one JSON object.
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle, repeat
from random import Random
from statistics import median
from urllib.parse import quote

from sqlalchemy import text

from bench import load
from bench.search_eval import fill_up, judged_queries
from bench.stack import Server, Stack, running_stack
from core import db

ITEMS, POINTS = 20_000, 3_121
ROUNDS, SECONDS, WARM_UP_SECONDS, CONNECTIONS = 3, 4, 6, 16
ASKED_FOR = 300
"""Different items that are asked for in one run."""
_ZONES = tuple(f"Z{number}" for number in range(1, 9))
_LIST_SIZE = 20
_SHORTEST_PAGE, _LONGEST_PAGE = 10, 50
# The city and its counties (WGS-84): south, north, west, east.
_SOUTH, _NORTH, _WEST, _EAST = 29.0, 30.3, 121.0, 122.2


@dataclass(frozen=True, slots=True)
class Thing:
    """What is measured: endless requests to a server."""

    name: str
    server: Server
    requests: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Figures:
    """One round. `cpu_us`: CPU time of the server and its workers for one answer."""

    rps: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu_us: float


def _items() -> Iterator[bytes]:
    with db.transaction() as session:
        found = session.scalars(text("SELECT item_id FROM item ORDER BY md5(item_id) LIMIT :n"), {"n": ASKED_FOR}).all()
    return cycle(load.get(f"/api/v1/catalogue/items/{item_id}") for item_id in found)


def _lists() -> Iterator[bytes]:
    narrowed = ["", "&hot=true", "&bookable=true", *(f"&zone={zone}" for zone in _ZONES)]
    return cycle(load.get(f"/api/v1/catalogue/items?limit={_LIST_SIZE}{rest}") for rest in narrowed)


def _searches() -> Iterator[bytes]:
    """Every address once: all judged queries with pages of one size, then with pages of the next."""
    for size in cycle(range(_SHORTEST_PAGE, _LONGEST_PAGE + 1)):
        for judged in judged_queries():
            yield load.get(f"/api/v1/catalogue/items?q={quote(judged.q)}&limit={size}")


def _positions() -> Iterator[bytes]:
    place = Random(1)  # noqa: S311  # repeatable, not secret
    while True:
        lat, lng = round(place.uniform(_SOUTH, _NORTH), 6), round(place.uniform(_WEST, _EAST), 6)
        yield load.get(f"/api/v1/places/near?lat={lat}&lng={lng}")


def things(stack: Stack) -> list[Thing]:
    """What is measured."""
    return [
        Thing("hello", stack.hello, repeat(load.get("/hello"))),
        Thing("item", stack.web, _items()),
        Thing("list", stack.web, _lists()),
        Thing("search", stack.web, _searches()),
        Thing("near", stack.web, _positions()),
    ]


def measure(thing: Thing, seconds: float) -> Figures:
    """One round of one thing. Raises `RuntimeError` at an answer that isn't 200."""
    before = thing.server.cpu_seconds()
    result = load.run(thing.server.port, thing.requests, connections=CONNECTIONS, seconds=seconds)
    if result.fault or not result.latencies:
        raise RuntimeError(f"{thing.name}: {result.fault or 'no answer'}")
    used = (thing.server.cpu_seconds() - before) * 1_000_000 / len(result.latencies)
    p50, p95, p99 = (result.percentile_ms(percent) for percent in (50, 95, 99))
    return Figures(result.rps, p50, p95, p99, used)


def summary(rounds: dict[str, list[Figures]]) -> dict[str, float]:
    """Medians over the rounds; ratios of two things in the same round."""

    def ratio(name: str) -> float:
        return round(median(a.rps / b.rps for a, b in zip(rounds[name], rounds["hello"], strict=True)), 4)

    def middle(name: str, figure: Callable[[Figures], float]) -> float:
        return round(median(figure(seen) for seen in rounds[name]), 1)

    return {
        "item_ratio_hello": ratio("item"),
        "list_ratio_hello": ratio("list"),
        "search_p95_ms": middle("search", lambda seen: seen.p95_ms),
        "search_p99_ms": middle("search", lambda seen: seen.p99_ms),
        "near_p95_ms": middle("near", lambda seen: seen.p95_ms),
        "search_ratio_hello": ratio("search"),
        "near_ratio_hello": ratio("near"),
        "hello_rps": middle("hello", lambda seen: seen.rps),
        "rounds": ROUNDS,
    }


def main() -> int:
    """Measure; 1 if something did not answer as it should."""
    began = time.monotonic()
    rounds: dict[str, list[Figures]] = defaultdict(list)
    with running_stack() as stack:
        fill_up(ITEMS, points=POINTS)
        with db.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))
        _say(f"{ITEMS} items and {POINTS} service points after {time.monotonic() - began:.1f} s")
        measured = things(stack)
        try:
            for thing in measured:
                measure(thing, WARM_UP_SECONDS)
            for number in range(1, ROUNDS + 1):
                _say(f"round {number} of {ROUNDS}")
                for thing in measured:
                    seen = measure(thing, SECONDS)
                    rounds[thing.name].append(seen)
                    _say(
                        f"  {thing.name:8}{seen.rps:8.0f}/s  p50 {seen.p50_ms:6.1f} ms  p95 {seen.p95_ms:6.1f} ms"
                        f"  p99 {seen.p99_ms:6.1f} ms  {seen.cpu_us:6.0f} us CPU"
                    )
        except RuntimeError as fault:
            print(fault, file=sys.stderr)
            return 1
    print(json.dumps(summary(rounds) | {"seconds": round(time.monotonic() - began)}))
    return 0


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
