"""The web server: granian, two workers of four threads each (docs/reference/performance.md says why)."""

from __future__ import annotations

import logging
import multiprocessing

from flask import Flask
from granian import Granian
from granian.constants import Interfaces

TARGET = "gateway.web:application"
STOP_SECONDS = 15


def application() -> Flask:
    """What each worker process runs."""
    # Here, so that another target can be served without the product.
    from core.settings import load
    from gateway import logs
    from gateway.app import create_app

    settings = load()
    logs.configure(settings.log_level)
    return create_app(settings)


def serve(*, host: str, port: int, workers: int, threads: int, target: str = TARGET, factory: bool = True) -> None:
    """Serve `target` until SIGTERM or SIGINT, then finish the requests being answered within 15 s. A worker that dies is replaced.

    Workers are forked, so they share what was loaded before (`gateway.app.preload`).
    """
    multiprocessing.set_start_method("fork", force=True)
    logging.getLogger("_granian").setLevel(logging.WARNING)
    Granian(
        target,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=threads,
        factory=factory,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
        log_access=False,
    ).serve()
