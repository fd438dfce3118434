"""Rate limits: a sliding window counter in Redis, with a counter of this process while Redis is away.

Policies are data with names; a route or service asks `hit(policy, key)`. The fallback keeps a lone process from being
flooded; it is per process and so a little more generous than the shared one.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass

from redis.exceptions import RedisError

from core import cache
from core.errors import RateLimited

log = logging.getLogger("limits")

# Sliding window over two fixed windows: current count + the previous one's share. One round trip, atomic.
_SCRIPT = """
local current = tonumber(redis.call('GET', KEYS[1]) or '0')
local previous = tonumber(redis.call('GET', KEYS[2]) or '0')
local weighted = current + previous * tonumber(ARGV[2])
if weighted >= tonumber(ARGV[1]) then return -1 end
redis.call('INCR', KEYS[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return current + 1
"""

_MAX_LOCAL_KEYS = 50_000


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` hits of one key in `seconds`."""

    name: str
    count: int
    seconds: int


class _LocalCounters:
    """Fixed-window counters of this process, for when Redis is away."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str, int], int] = {}

    def hit(self, limit: Limit, key: str, window: int) -> bool:
        with self._lock:
            if len(self._counts) > _MAX_LOCAL_KEYS:
                self._counts.clear()
            slot = (limit.name, key, window)
            self._counts[slot] = self._counts.get(slot, 0) + 1
            return self._counts[slot] <= limit.count


_local = _LocalCounters()


def hit(limit: Limit, key: str) -> None:
    """Count one use of `key` under `limit`. Raises `RateLimited` (with Retry-After) when there are too many.

    `key` must already be free of personal data (a keyed hash, an id, an address).
    """
    now = time.time()
    window = int(now // limit.seconds)
    left = limit.seconds - now % limit.seconds
    # The braces keep both windows of one key on one node of a cluster.
    base = f"limit:{{{limit.name}:{key}}}"
    try:
        allowed = int(
            cache.client().eval(
                _SCRIPT,
                2,
                f"{base}:{window}",
                f"{base}:{window - 1}",
                str(limit.count),
                f"{left / limit.seconds:.4f}",
                str(limit.seconds * 2000),
            )
        )
        refused = allowed < 0
    except RedisError:
        log.warning("rate limits are local: Redis is away")
        refused = not _local.hit(limit, key, window)
    if refused:
        retry_after = max(1, int(left))
        raise RateLimited(headers={"Retry-After": str(retry_after)}, retry_after=retry_after)
