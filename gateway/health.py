"""/healthz (the process lives) and /readyz (its neighbours answer; names what is down)."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, Response, jsonify
from sqlalchemy import text

from core import cache, db
from core.settings import Settings
from core.web import access


def _database() -> None:
    db.ping()


def _migrations() -> None:
    from gateway.database import heads  # Alembic, which a process that serves needs for nothing else

    with db.engine().connect() as connection:
        current = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    if (current,) != heads():
        raise RuntimeError("the database is at another revision than the code")


def register(app: Flask, settings: Settings) -> None:
    """Answer the two health addresses."""
    checks: dict[str, Callable[[], None]] = {"database": _database, "migrations": _migrations, "redis": cache.ping}
    # Redis away closes one-time codes only: say so, but keep the traffic coming.
    degraded_only = {"redis"}

    @app.get("/healthz")
    @access.public("load balancers ask whether the process lives")
    def healthz() -> Response:
        """Say that the process lives."""
        return jsonify(status="ok")

    @app.get("/readyz")
    @access.public("load balancers ask whether to send traffic")
    def readyz() -> tuple[Response, int]:
        """Say whether the neighbours answer, naming what is down."""
        down = []
        for name, check in checks.items():
            try:
                check()
            except Exception:  # any failure means down; the log of the part itself says why
                down.append(name)
        fatal = [name for name in down if name not in degraded_only]
        status = "down" if fatal else "degraded" if down else "ok"
        return jsonify(status=status, down=down, environment=settings.environment), 503 if fatal else 200
