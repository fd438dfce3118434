"""/healthz (the process lives) and /readyz (its neighbours answer; names what is down)."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, Response, jsonify
from sqlalchemy import text

from casework.calendars.rules import missing_year
from core import cache, calendar, clock, db
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


def _notes() -> list[str]:
    """What isn't down but wants somebody's attention: a calendar year that should be published by now (K-10)."""
    try:
        with db.transaction() as session:
            missing = missing_year(clock.today(), calendar.load(session))
    except Exception:  # the checks say what is down
        return []
    return [] if missing is None else [f"calendar of {missing} is missing"]


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
        said = {"status": status, "down": down, "notes": _notes(), "environment": settings.environment}
        return jsonify(said), 503 if fatal else 200
