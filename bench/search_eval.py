"""`make search-eval`: how well people find what they look for among 20,000 items, over HTTP.

The sample catalogue, filled up with made-up items as distractors; the queries of `judged_queries.json`, each with the items
that are right. `mrr10`: the mean of 1/place of the first right item, 0 beyond the tenth; `recall10`: the mean share of the
right items among the first ten. The queries of every part but `tuned` were written before the search was measured with them, and
mended only afterwards: the figures of their first look stand in docs/decisions/0012-search.md. The last line is one JSON object.
"""

from __future__ import annotations

import http.client
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any
from urllib.parse import urlencode

from bench.stack import running_stack
from casework.catalogue.generator.service import write_city
from casework.catalogue.service import sample_document
from core import clock
from gateway import operations
from gateway.local.ports import LOOPBACK

ITEMS = 20_000
SHOWN = 10
_SEED = 1
_JUDGED = Path(__file__).resolve().parent / "judged_queries.json"


@dataclass(frozen=True, slots=True)
class Judged:
    """A query, the items that are right, what kind of query it is, and whether the search was tuned with it."""

    q: str
    right: Sequence[str]
    kind: str
    part: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a query: the place of the first right item (0: not among the first ten) and the share of the right ones."""

    judged: Judged
    found: Sequence[str]

    @property
    def place(self) -> int:
        """1 to 10, or 0."""
        return next((n for n, item_id in enumerate(self.found, 1) if item_id in self.judged.right), 0)

    @property
    def recall(self) -> float:
        """0 to 1."""
        return sum(item_id in self.found for item_id in self.judged.right) / len(self.judged.right)


def judged_queries() -> list[Judged]:
    """The judged set."""
    return [Judged(**row) for row in json.loads(_JUDGED.read_text(encoding="utf-8"))]


def figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The figures over some outcomes."""
    return {
        "queries": len(outcomes),
        "mrr10": round(fmean(1 / one.place if one.place else 0.0 for one in outcomes), 4),
        "recall10": round(fmean(one.recall for one in outcomes), 4),
    }


def fill_up(items: int, points: int = 0) -> None:
    """Import made-up items beside the sample, so that there are `items` in all, and `points` made-up service points.

    Raises `RuntimeError` when they have faults.
    """
    with tempfile.TemporaryDirectory(prefix="nb-eval-") as folder:
        missing = items - len(sample_document()["items"])
        document, places = write_city(Path(folder), items=missing, points=points, seed=_SEED, day=clock.today())
        faults = operations.import_catalogue(document, lambda line: print(line, file=sys.stderr))
        faults = [*faults, *operations.import_points(places, lambda line: print(line, file=sys.stderr))]
    if faults:
        raise RuntimeError(f"the made-up city has faults: {faults[:5]}")


def ask(port: int, queries: Iterable[Judged]) -> list[Outcome]:
    """Search for each query at the server."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=30)
    outcomes = []
    for judged in queries:
        connection.request("GET", f"/api/v1/catalogue/items?{urlencode({'q': judged.q, 'limit': SHOWN})}")
        answer = json.loads(connection.getresponse().read())
        outcomes.append(Outcome(judged, [item["item_id"] for item in answer["items"]]))
    connection.close()
    return outcomes


def main() -> int:
    """Run; 0 when every query was answered."""
    with running_stack() as stack:
        fill_up(ITEMS)
        outcomes = ask(stack.web.port, judged_queries())
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for one in outcomes:
        groups[one.judged.part].append(one)
        groups[f"{one.judged.part} {one.judged.kind}"].append(one)
        if one.place != 1 or one.recall < 1:
            print(f"{one.judged.part:9} {one.judged.kind:12} {one.judged.q}: place {one.place}, {one.found[:3]}")
    for name, some in sorted(groups.items()):
        print(f"{name:24} {figures(some)}")
    parts = {part: figures(groups[part]) for part in dict.fromkeys(one.judged.part for one in outcomes)}
    print(json.dumps(figures(outcomes) | parts | {"items": ITEMS}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
