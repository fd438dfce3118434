"""Rate limits: counted together in Redis, alone while Redis is away."""

from flask import Flask

from core import cache
from core.errors import RateLimited
from core.limits import Limit, hit
from core.settings import Settings
from tests.sandbox_client import free_port


def _hits(limit: Limit, key: str, tries: int) -> int:
    allowed = 0
    for _ in range(tries):
        try:
            hit(limit, key)
            allowed += 1
        except RateLimited as refusal:
            assert 1 <= int(refusal.headers["Retry-After"]) <= limit.seconds
    return allowed


def test_a_key_gets_its_share_and_no_more(app: Flask) -> None:
    limit = Limit("test", 5, 3600)
    assert _hits(limit, "a", 8) == 5
    assert _hits(limit, "b", 3) == 3


def test_refused_hits_do_not_count(app: Flask) -> None:
    limit = Limit("test", 2, 3600)
    assert _hits(limit, "a", 50) == 2
    assert sum(int(cache.client().get(key) or 0) for key in cache.client().scan_iter("limit:*")) == 2


def test_without_redis_the_process_counts_alone(app: Flask, settings: Settings) -> None:
    limit = Limit("test-local", 3, 3600)
    cache.configure(f"redis://127.0.0.1:{free_port()}")
    try:
        assert _hits(limit, "a", 6) == 3
    finally:
        cache.configure(settings.redis_url)
