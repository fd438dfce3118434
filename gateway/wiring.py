"""Ports to adapters and events to handlers: the only place that knows both sides."""

from __future__ import annotations

import importlib

from core import cache, clock, db, security
from core.settings import Settings
from gateway.models import feature_modules, load_all


def wire(settings: Settings) -> None:
    """Make this process ready to work: database, Redis, keys, adapters, handlers, jobs. May be called again."""
    db.configure(settings.database_url, pool=settings.database_pool)
    cache.configure(settings.redis_url)
    security.configure(settings.crypto)
    clock.use_shift_file(settings.clock_shift_file)
    load_all()
    provide_adapters(settings)
    subscribe()
    for module in feature_modules("jobs"):
        importlib.import_module(module)
