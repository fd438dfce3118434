"""`make chaos`: kill -9 of web, worker, Valkey and PostgreSQL in the middle of the story; then look for losses and doubles.

The supervisor starts what was killed again; the people of the story do what careful clients do and ask again with the same
Idempotency-Key. At the end there is one case, one payment, one delivery, and the audit chain is whole.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time

from gateway.local.state import Local
from tests.journey.client import StoryBroken, Teller
from tests.journey.signing_in import BUYER
from tests.journey.stack import ROOT, local_stack
from tests.journey.story import Story, play

PATIENCE = 60.0
# Before which steps what is killed, and how long after the step has begun (0: just before its first request).
KILLS: dict[str, tuple[tuple[str, float], ...]] = {
    "finds the matter in own words and by pinyin": (("web", 0.0),),
    "uploads papers, asks for pre-review": (("valkey", 0.0),),
    "claims the pre-review, judges each paper": (("worker", 0.0),),
    "books a window": (("postgres", 0.05),),
    "prepays the fee by Alipay": (("web", 0.02), ("worker", 0.1)),
    "calls the ticket, accepts the case": (("postgres", 0.0),),
    "packs, a second clerk seals": (("worker", 0.2),),
    "takes it and carries it to the door": (("web", 0.0), ("valkey", 0.0)),
    "gives the delivery code and signs": (("postgres", 0.0), ("worker", 0.1)),
}


class Killer:
    """Kills parts by the process ids in run.json."""

    def __init__(self, local: Local) -> None:
        self.local = local
        self.killed: list[str] = []

    def kill(self, part: str) -> None:
        """kill -9, now."""
        pid = int(self.local.running()["parts"][part])
        os.kill(pid, signal.SIGKILL)
        self.killed.append(part)
        print(f"    --- killed {part} (process {pid})", flush=True)

    def before(self, what: str) -> None:
        """Kill what the plan says for the step `what`."""
        for part, after in KILLS.get(what, ()):
            if after:
                threading.Timer(after, self.kill, (part,)).start()
            else:
                self.kill(part)


def main() -> int:
    """Run it; the exit code. The last line is one JSON object."""
    began = time.perf_counter()
    try:
        with local_stack() as (stack, local):
            killer = Killer(local)
            story = Story(stack, Teller(), patience=PATIENCE)
            names = [what for _who, what, _act in story.steps()]
            unknown = set(KILLS) - set(names)
            if unknown:
                raise StoryBroken(f"the plan names steps that don't exist: {unknown}")
            play(story, before=lambda number: killer.before(names[number - 1]))
            facts = _count(story)
            _verify_audit(local)
    except (StoryBroken, OSError) as broken:
        print(f"\nSomething was lost: {broken}", file=sys.stderr)
        return 1
    print(json.dumps({"kills": len(killer.killed), "seconds": round(time.perf_counter() - began, 1), **facts}))
    return 0


def _count(story: Story) -> dict[str, int]:
    """One of each, on our side and on the partners'. Raises `StoryBroken`."""
    me = story.tokens["me"]
    trades = story.partner.call("GET", "/alipay/trades.json")["trades"]
    parcels = story.partner.call("GET", "/kuaidi100/parcels.json")["parcels"]
    waybills = [parcel for parcel in parcels if parcel["waybill"] == story.facts["waybill"]]
    bills = story.web.call("GET", "/api/v1/bills", token=me, params={"limit": 100})["items"]
    ours = [bill for bill in bills if bill["id"] == story.facts["bill"]]
    counts = {
        "cases": len([c for c in _all(story, "/api/v1/cases") if c["number"] == story.facts["case_number"]]),
        "paid_bills": len([bill for bill in ours if bill["state"] in {"PAID", "SETTLED"}]),
        "paid_trades": len([t for t in trades if t.get("buyer") == BUYER and t["out_trade_no"] in _orders(story)]),
        "deliveries": len([d for d in _all(story, "/api/v1/deliveries") if d["id"] == story.facts["shipment"]]),
        "parcels": len(waybills),
    }
    wrong = {name: count for name, count in counts.items() if count != 1}
    if wrong:
        raise StoryBroken(f"not exactly one of each: {wrong}")
    return counts


def _all(story: Story, path: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = story.web.call("GET", path, token=story.tokens["me"], params={"limit": 100})["items"]
    return found


def _orders(story: Story) -> set[str]:
    return {story.facts["order_no"]}


def _verify_audit(local: Local) -> None:
    time.sleep(1)
    done = subprocess.run(
        [sys.executable, "-m", "gateway.local", "verify-audit"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    print(done.stdout.strip())
    if done.returncode:
        raise StoryBroken(done.stderr)


if __name__ == "__main__":
    sys.exit(main())
