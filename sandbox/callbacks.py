"""Calls from the platforms to the product: queued in the store, sent by a thread, tried again until acknowledged.

The platforms' delays between tries are hours; here they are divided by `hurry`. The body is made once, so every try
of one callback is the same bytes.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

from sandbox.faults import CALLBACK_KINDS, Faults
from sandbox.store import Store

FORM = "application/x-www-form-urlencoded; charset=utf-8"
JSON = "application/json; charset=utf-8"
KUAIDI100_ACKNOWLEDGEMENT = {"result": True, "returnCode": "200", "message": "成功"}

_TIMEOUT_SECONDS = 10
_SENDERS = 8
_LOOK_SECONDS = 0.5
_ANSWER_CHARACTERS = 200
# How long a reordered callback waits at most for a later one to overtake it.
_HOLD_SECONDS = 30.0
_OVERTAKEN_AFTER_SECONDS = 1.0


def _json_of(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _acknowledged_by(field: str) -> Callable[[bytes], bool]:
    def acknowledged(body: bytes) -> bool:
        answer = _json_of(body)
        return isinstance(answer, dict) and answer.get(field) == 0

    return acknowledged


# What each platform takes for "received"; anything else is tried again.
_ACKNOWLEDGED: dict[str, Callable[[bytes], bool]] = {
    "alipay": lambda body: body == b"success",
    "kuaidi100": lambda body: _json_of(body) == KUAIDI100_ACKNOWLEDGEMENT,
    "aliyun-sms": _acknowledged_by("code"),
    "tencent-sms": _acknowledged_by("result"),
}


def post(url: str, body: bytes, content_type: str) -> tuple[int, bytes]:
    """POST once: HTTP status and body of the answer; status 0 and the reason when nothing answered."""
    with requests.Session() as session:
        session.trust_env = False
        try:
            answer = session.post(
                url,
                data=body,
                headers={"Content-Type": content_type},
                timeout=_TIMEOUT_SECONDS,
                allow_redirects=False,
            )
        except requests.RequestException as failure:
            return 0, type(failure).__name__.encode()
        return answer.status_code, answer.content


class Callbacks:
    """The queue and its thread. `on_tick` functions run about twice a second (trades that settle late)."""

    def __init__(self, store: Store, faults: Faults, hurry: float) -> None:
        self._store = store
        self._faults = faults
        self.hurry = hurry
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.on_tick: list[Callable[[], None]] = []

    def enqueue(
        self,
        partner: str,
        kind: str,
        *,
        reference: str,
        url: str,
        body: bytes,
        content_type: str,
        retry_after: Sequence[float],
        forged: bytes | None = None,
        wait: float = 0.0,
    ) -> None:
        """Queue one callback, to go out after `wait` seconds and again after each of `retry_after` (real) seconds.

        `forged` is the same callback with a signature that doesn't fit, for the fault of that name.
        """
        now = time.time()
        struck = dict(self._faults.take(partner, CALLBACK_KINDS, f"{url} {kind}"))
        due = now + wait + float(struck.get("late_callback") or 0)
        held = "reorder" in struck
        copies = [body] * (1 + int(struck.get("duplicate_callback") or 1)) if "duplicate_callback" in struck else [body]
        if "forged_callback" in struck and forged is not None:
            copies.insert(0, forged)
        with self._store.transaction() as db:
            db.execute(
                "UPDATE callback SET held = 0, due_at = ? WHERE partner = ? AND held = 1 AND state = 'pending'",
                (due + _OVERTAKEN_AFTER_SECONDS, partner),
            )
            for copy in copies:
                # Copies and forgeries are sent once: only the true callback is tried again.
                delays = list(retry_after) if copy is copies[-1] else []
                db.execute(
                    "INSERT INTO callback (partner, kind, reference, url, content_type, body, state, made_at, due_at,"
                    " delays, held) VALUES (?, ?, ?, ?, ?, ?, 'pending', ?, ?, ?, ?)",
                    (partner, kind, reference, url, content_type, copy, now,
                     due + float(struck.get("reorder") or _HOLD_SECONDS) if held else due, json.dumps(delays), held),
                )  # fmt: skip
        self._wake.set()

    def start(self) -> None:
        """Start sending; what a stopped sandbox was sending is sent again."""
        with self._store.transaction() as db:
            db.execute("UPDATE callback SET state = 'pending' WHERE state = 'sending'")
        self._thread = threading.Thread(target=self._run, name="callbacks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop after the calls under way."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        with ThreadPoolExecutor(_SENDERS) as pool:
            while not self._stopping.is_set():
                self._wake.clear()
                for tick in self.on_tick:
                    tick()
                for row in self._due():
                    pool.submit(self._send, row)
                self._wake.wait(self._pause())

    def _due(self) -> list[sqlite3.Row]:
        """Claim what is due; one at a time of each reference, so that what was queued first arrives first."""
        with self._store.transaction() as db:
            busy = {
                (row["partner"], row["reference"])
                for row in db.execute("SELECT partner, reference FROM callback WHERE state = 'sending'")
            }
            claimed = []
            for row in db.execute(
                "SELECT * FROM callback WHERE state = 'pending' AND due_at <= ? ORDER BY due_at, id", (time.time(),)
            ).fetchall():
                if (row["partner"], row["reference"]) not in busy:
                    busy.add((row["partner"], row["reference"]))
                    db.execute("UPDATE callback SET state = 'sending' WHERE id = ?", (row["id"],))
                    claimed.append(row)
            return claimed

    def _pause(self) -> float:
        row = self._store.one("SELECT MIN(due_at) AS due FROM callback WHERE state = 'pending'")
        if row is None or row["due"] is None:
            return _LOOK_SECONDS
        return min(_LOOK_SECONDS, max(0.01, float(row["due"]) - time.time()))

    def _send(self, row: sqlite3.Row) -> None:
        status, answer = post(row["url"], row["body"], row["content_type"])
        delays = json.loads(row["delays"])
        attempts = row["attempts"] + 1
        due = row["due_at"]
        if 200 <= status < 300 and _ACKNOWLEDGED[row["partner"]](answer):
            state = "delivered"
        elif attempts > len(delays):
            state = "gave_up"
        else:
            state, due = "pending", time.time() + delays[attempts - 1] / self.hurry
        text = answer[:_ANSWER_CHARACTERS].decode("utf-8", "replace")
        with self._store.transaction() as db:
            db.execute(
                "UPDATE callback SET state = ?, attempts = ?, due_at = ?, last_status = ?, last_answer = ? WHERE id = ?",
                (state, attempts, due, status, text, row["id"]),
            )
        self._wake.set()
