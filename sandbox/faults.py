"""Faults that a test or a person injects: taken from the store when they strike, `times` times each."""

from __future__ import annotations

import json
from typing import Any

from sandbox.store import Store

PARTNERS = (
    "wechat",
    "alipay",
    "identity-authority",
    "network-identity",
    "market-registry",
    "household-registry",
    "aliyun-sms",
    "tencent-sms",
    "kuaidi100",
)

# In the order in which they strike when one request meets several.
REQUEST_KINDS = ("latency", "timeout", "error", "garbage", "wrong_signature", "drop_response_after_effect")
CALLBACK_KINDS = ("forged_callback", "duplicate_callback", "late_callback", "reorder")
SIGNING_PARTNERS = ("alipay", "identity-authority", "network-identity", "market-registry", "household-registry")
# They call back without a signature.
UNSIGNED_PARTNERS = ("aliyun-sms", "tencent-sms")
CALLING_PARTNERS = ("alipay", "aliyun-sms", "tencent-sms", "kuaidi100")


class BadFault(ValueError):
    """A fault that can't be injected; the text says why."""


class Faults:
    """The faults waiting to strike."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, partner: str, kind: str, *, path: str, times: int, value: Any) -> int:
        """Let the next `times` calls of `partner` whose path or operation contains `path` fail in the way `kind`.

        Raises `BadFault`.
        """
        if partner not in PARTNERS:
            raise BadFault(f"partner must be one of {', '.join(PARTNERS)}")
        if kind not in REQUEST_KINDS + CALLBACK_KINDS:
            raise BadFault(f"kind must be one of {', '.join(REQUEST_KINDS + CALLBACK_KINDS)}")
        if kind == "wrong_signature" and partner not in SIGNING_PARTNERS:
            raise BadFault(f"{partner} does not sign its answers")
        if kind in CALLBACK_KINDS and partner not in CALLING_PARTNERS:
            raise BadFault(f"{partner} does not call back")
        if kind == "forged_callback" and partner in UNSIGNED_PARTNERS:
            raise BadFault(f"{partner} does not sign its reports")
        if times < 1:
            raise BadFault("times must be at least 1")
        with self._store.transaction() as db:
            row = db.execute(
                "INSERT INTO fault (partner, path, kind, left_over, value) VALUES (?, ?, ?, ?, ?)",
                (partner, path, kind, times, json.dumps(value)),
            )
            return int(row.lastrowid or 0)

    def take(self, partner: str, kinds: tuple[str, ...], target: str) -> list[tuple[str, Any]]:
        """The faults that strike now: kind and value, the oldest of each kind, each used up by one."""
        struck: dict[str, Any] = {}
        with self._store.transaction() as db:
            for row in db.execute("SELECT * FROM fault WHERE partner = ? ORDER BY id", (partner,)).fetchall():
                if row["kind"] in kinds and row["kind"] not in struck and row["path"] in target:
                    struck[row["kind"]] = json.loads(row["value"])
                    db.execute("UPDATE fault SET left_over = left_over - 1 WHERE id = ?", (row["id"],))
            if struck:
                db.execute("DELETE FROM fault WHERE left_over = 0")
        return [(kind, struck[kind]) for kind in kinds if kind in struck]

    def waiting(self) -> list[dict[str, Any]]:
        """The faults that have not struck yet."""
        return [
            {"id": row["id"], "partner": row["partner"], "path": row["path"], "kind": row["kind"],
             "times": row["left_over"], "value": json.loads(row["value"])}
            for row in self._store.all("SELECT * FROM fault ORDER BY id")
        ]  # fmt: skip

    def clear(self) -> None:
        """Withdraw all faults."""
        with self._store.transaction() as db:
            db.execute("DELETE FROM fault")
