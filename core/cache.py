"""Redis or Valkey: what may be lost — one-time codes, rate limits, nonces, short caches, live queue positions.

When it is away, `redis.exceptions.RedisError` reaches the caller: one-time codes then refuse (`SourceUnavailable`), rate
limits fall back to this process, caches are passed by. Nothing that must not be lost is ever kept here.
"""

from __future__ import annotations

from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.cluster import RedisCluster
from redis.retry import Retry

_TIMEOUT_SECONDS = 0.5


class _State:
    client: redis.Redis | None = None


def configure(url: str) -> None:
    """Connect this process to `url` (redis://, rediss://, unix://, or redis+cluster:// for a cluster)."""
    options: dict[str, Any] = {
        "socket_timeout": _TIMEOUT_SECONDS,
        "socket_connect_timeout": _TIMEOUT_SECONDS,
        "decode_responses": True,
        "health_check_interval": 30,
    }
    if url.startswith("redis+cluster://"):
        _State.client = RedisCluster.from_url(url.replace("redis+cluster://", "redis://", 1), **options)  # type: ignore[assignment]
    else:
        # One retry with no wait survives a restarted server's dropped connections without slowing an outage down.
        _State.client = redis.Redis.from_url(url, retry=Retry(NoBackoff(), 1), **options)


def client() -> redis.Redis:
    """The client of this process. Raises `RuntimeError` before `configure`."""
    if _State.client is None:
        raise RuntimeError("core.cache.configure() has not run")
    return _State.client


def dispose() -> None:
    """Close the connections of this process."""
    if _State.client is not None:
        _State.client.close()
        _State.client = None


def ping() -> None:
    """Raise if Redis doesn't answer."""
    client().ping()
