"""`make bench`: the cost of our requests as ratios to a bare Flask view and to pgbench, all measured in turn in one run.

Ratios of another run don't compare, nor do figures of another machine. The last line is one JSON object.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import cycle, islice, repeat
from pathlib import Path
from statistics import median
from uuid import UUID

from sqlalchemy import text

from bench import data, load, pgbench, signing_in
from bench.stack import Server, Stack, running_stack
from core import db

ROUNDS, SECONDS = 3, 3
CONNECTIONS, MANY_CONNECTIONS = 16, 64
RUSH = 300
BOOKERS, REFUSED, ALONE = 12_000, 2_000, 2_000
"""Citizens who book once, in equal shares by round, so that a fast round is over sooner; who find a slot sold out; of pgbench."""
SIGN_INS = 1_800
"""Citizens who sign in by a code, and sessions that are refreshed, each once, in equal shares by round."""
SEEN_TOKENS = 500
_RUSH_SECONDS = 120

_BOOKED, _FULL = 201, 409


class BenchFailed(Exception):
    """What was measured didn't do what it should."""


@dataclass(frozen=True, slots=True)
class Thing:
    """What is measured: the requests of one round, over how many connections, at which server; `expect` the statuses."""

    name: str
    server: Server
    requests: Callable[[], Iterator[bytes]]
    connections: int = CONNECTIONS
    expect: Collection[int] = (200,)


@dataclass(frozen=True, slots=True)
class Figures:
    """One round. `cpu_us`: CPU time of the server and its workers for one answer."""

    rps: float
    p50_ms: float
    p99_ms: float
    cpu_us: float


class Bench:
    """One run: everything measured in turn, round by round."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack, self.folder = stack, folder
        self.figures: dict[str, list[Figures]] = defaultdict(list)
        self.booked = 0
        with db.transaction() as session:
            data.make_slots(session)
        began = time.monotonic()
        tokens = data.make_people(ALONE + RUSH + BOOKERS + REFUSED)
        _say(f"{len(tokens)} citizens and {data.SOLD_OUT} slots made in {time.monotonic() - began:.1f} s")
        self.statement = pgbench.booking_statement(1, 1)
        self.booked += 1
        people = iter(tokens[ALONE:])
        self.rush, self.bookers = list(islice(people, RUSH)), list(islice(people, BOOKERS))
        self.refused = cycle(people)
        # Who the pgbench rows are about signs in and refreshes: that touches none of them.
        began = time.monotonic()
        self.codes = iter(signing_in.send_codes(range(1, SIGN_INS + 1)).items())
        self.refresh_tokens = iter(signing_in.give_refresh_tokens(range(1, SIGN_INS + 1)))
        self.seen_tokens = tokens[:SEEN_TOKENS]
        _say(f"{SIGN_INS} codes and refresh tokens made in {time.monotonic() - began:.1f} s")
        self.sold_out = repeat(data.key(data.SLOT_KEYS, data.SOLD_OUT))
        self.ample = cycle(data.key(data.SLOT_KEYS, number) for number in range(1, data.SLOTS + 1))

    def things(self) -> list[Thing]:
        """What the web servers are asked."""
        one_slot = repeat(data.key(data.SLOT_KEYS, data.ONE_SLOT))
        hello, web, signed_in = self.stack.hello, self.stack.web, self.stack.signed_in
        share, sign_ins = BOOKERS // (3 * ROUNDS), SIGN_INS // ROUNDS
        bookers = iter(self.bookers)

        def book(slots: Iterator[UUID]) -> Iterator[bytes]:
            return data.bookings(islice(bookers, share), slots)

        return [
            Thing("hello", hello, lambda: repeat(load.get("/hello"))),
            Thing("token_check", signed_in, lambda: signing_in.token_checks(cycle(self.seen_tokens))),
            Thing("refresh", web, lambda: signing_in.refreshes(islice(self.refresh_tokens, sign_ins))),
            Thing("code_sign_in", web, lambda: signing_in.sign_ins(islice(self.codes, sign_ins))),
            Thing("item", web, lambda: repeat(load.get(f"/api/v1/catalogue/items/{data.ITEM}"))),
            Thing("booking", web, lambda: book(self.ample), expect=(_BOOKED,)),
            Thing("booking_64", web, lambda: book(self.ample), MANY_CONNECTIONS, (_BOOKED,)),
            Thing("booking_one_slot", web, lambda: book(one_slot), expect=(_BOOKED,)),
            Thing("sold_out", web, lambda: data.bookings(self.refused, self.sold_out), MANY_CONNECTIONS, (_FULL,)),
        ]

    def warm_up(self, things: Collection[Thing]) -> None:
        """Let every worker import, connect and prepare, and the planner know what the tables are like.

        The first bookings are a rush for a slot with fewer places than people. Raises `BenchFailed`.
        """
        for thing in things:
            if thing.name in {"hello", "token_check", "item"}:
                self._ask(thing, thing.requests(), 1)
        rush = data.bookings(iter(self.rush), self.sold_out)
        web = Thing("rush", self.stack.web, lambda: rush, MANY_CONNECTIONS, (_BOOKED, _FULL))
        seen = self._ask(web, rush, _RUSH_SECONDS).statuses
        if seen != {_BOOKED: data.PLACES, _FULL: RUSH - data.PLACES}:
            raise BenchFailed(f"{RUSH} people wanted {data.PLACES} places, and were answered {dict(seen)}")
        _say(f"{RUSH} people wanted {data.PLACES} places: {seen[_BOOKED]} booked, {seen[_FULL]} refused")
        with db.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))

    def round(self, things: Collection[Thing]) -> None:
        """Measure everything once."""
        for thing in things:
            before = thing.server.cpu_seconds()
            result = self._ask(thing, thing.requests(), SECONDS)
            used = (thing.server.cpu_seconds() - before) * 1_000_000 / len(result.latencies)
            self._note(
                thing.name,
                Figures(result.rps, result.percentile_ms(50), result.percentile_ms(99), used),
                result.seconds,
            )
        for name, slots in (
            ("pgbench", range(1, data.ONE_SLOT)),
            ("pgbench_one_slot", range(data.ONE_SLOT, data.ONE_SLOT + 1)),
        ):
            alone = pgbench.run(
                self.stack.database,
                self.folder,
                self.statement,
                people=range(1, ALONE + 1),
                slots=slots,
                clients=CONNECTIONS,
                seconds=SECONDS,
            )
            self.booked += alone.done
            self._note(name, Figures(alone.tps, 0, 0, 0), SECONDS)

    def _ask(self, thing: Thing, requests: Iterator[bytes], seconds: float) -> load.Result:
        result = load.run(
            thing.server.port, requests, connections=thing.connections, seconds=seconds, expect=thing.expect
        )
        if result.fault or not result.latencies:
            raise BenchFailed(f"{thing.name}: {result.fault or 'no answer'}")
        self.booked += result.statuses[_BOOKED]
        return result

    def _note(self, name: str, seen: Figures, seconds: float) -> None:
        self.figures[name].append(seen)
        line = f"  {name:18}{seen.rps:9.0f}/s"
        if seen.cpu_us:
            line += f"  p50 {seen.p50_ms:7.1f} ms  p99 {seen.p99_ms:7.1f} ms  {seen.cpu_us:7.0f} us CPU"
        _say(f"{line}  in {seconds:.1f} s")

    def check_slots(self) -> None:
        """Every answer is a row, every slot counts what was booked in it, and none is oversold. Raises `BenchFailed`."""
        with db.transaction() as session:
            rows = session.execute(_SLOTS).all()
        wrong = [row for row in rows if row.used_minutes != row.booked or row.used_minutes > row.capacity_minutes]
        if wrong:
            raise BenchFailed(f"{len(wrong)} slots are oversold or don't count what was booked: {wrong[0]}")
        if sum(row.bookings for row in rows) != self.booked:
            raise BenchFailed(f"{self.booked} bookings were answered, {sum(row.bookings for row in rows)} are there")
        _say(f"{self.booked} bookings in {len(rows)} slots: all there, no slot oversold")

    def ratio(self, name: str, base: str, figure: Callable[[Figures], float] = lambda seen: seen.rps) -> float:
        """The median over the rounds of the ratio of two things in the same round."""
        pairs = zip(self.figures[name], self.figures[base], strict=True)
        return round(median(figure(one) / figure(other) for one, other in pairs), 4)

    def summary(self) -> dict[str, float]:
        """The figures of docs/reference/performance.md."""

        def middle(name: str, figure: Callable[[Figures], float]) -> float:
            return round(median(figure(seen) for seen in self.figures[name]), 1)

        def cpu(seen: Figures) -> float:
            return seen.cpu_us

        return {
            "hello_rps": middle("hello", lambda seen: seen.rps),
            "token_check_cpu_ratio_hello": self.ratio("token_check", "hello", cpu),
            "refresh_ratio_hello": self.ratio("refresh", "hello"),
            "code_sign_in_ratio_hello": self.ratio("code_sign_in", "hello"),
            "refresh_cpu_ratio_hello": self.ratio("refresh", "hello", cpu),
            "code_sign_in_cpu_ratio_hello": self.ratio("code_sign_in", "hello", cpu),
            "item_ratio_hello": self.ratio("item", "hello"),
            "booking_ratio_hello": self.ratio("booking", "hello"),
            "booking_ratio_pgbench": self.ratio("booking", "pgbench"),
            "booking_one_slot_ratio_pgbench": self.ratio("booking_one_slot", "pgbench_one_slot"),
            "booking_64_ratio_pgbench": self.ratio("booking_64", "pgbench"),
            "sold_out_ratio_hello": self.ratio("sold_out", "hello"),
            "item_cpu_ratio_hello": self.ratio("item", "hello", cpu),
            "booking_cpu_ratio_hello": self.ratio("booking", "hello", cpu),
            "item_p99_ms": middle("item", lambda seen: seen.p99_ms),
            "booking_p99_ms": middle("booking", lambda seen: seen.p99_ms),
            "booking_64_p99_to_p50": middle("booking_64", lambda seen: seen.p99_ms / seen.p50_ms),
            "rounds": ROUNDS,
        }


_SLOTS = text("""
    SELECT s.id, s.used_minutes, s.capacity_minutes, coalesce(sum(a.minutes), 0) AS booked, count(a.id) AS bookings
    FROM slot s LEFT JOIN appointment a ON a.slot_id = s.id AND a.state = 'BOOKED'
    GROUP BY s.id ORDER BY s.id
""")


def _say(line: str) -> None:
    print(line, flush=True)


def main() -> int:
    """Measure; 1 if something did not answer as it should."""
    began = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="nb-bench-") as folder, running_stack() as stack:
            _say(f"everything runs after {time.monotonic() - began:.1f} s")
            bench = Bench(stack, Path(folder))
            things = bench.things()
            bench.warm_up(things)
            for number in range(1, ROUNDS + 1):
                _say(f"round {number} of {ROUNDS}")
                bench.round(things)
            bench.check_slots()
    except BenchFailed as fault:
        print(fault, file=sys.stderr)
        return 1
    print(json.dumps(bench.summary() | {"seconds": round(time.monotonic() - began)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
