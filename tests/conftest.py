"""Fixtures of the whole suite: real PostgreSQL cloned from a migrated template, real Valkey, the sandbox over HTTP.

Tests commit for real; what they wrote is deleted afterwards. The catalogue, places and calendars of the sample are part
of the template and stay (a test that changes them asks for `own_database`).
"""

from __future__ import annotations

import asyncio
import functools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import astuple
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from core import cache, calendar, db, jobs
from core.actors import Citizen, Staff
from core.settings import Settings, load
from core.workdays import Calendar
from gateway.app import create_app
from gateway.local.secrets import partner_environment
from gateway.worker import connected
from tests import servers
from tests.environment import environment
from tests.factories import auth as people
from tests.sandbox_client import Sandbox, free_port
from tests.servers import Services

ROOT = Path(__file__).resolve().parent.parent
# Part of the template: filled once, the same for every test.
REFERENCE_TABLES = {
    "alembic_version", "calendar_day", "calendar_version", "calendar_change", "retention_rule", "item", "item_version",
    "item_material", "item_fee_line", "item_question", "item_rule",
    "department", "zone", "region", "dev_zone", "joint_topic", "life_event_package", "app_tile", "licence_type", "hall",
    "hall_zone", "service_window", "window_item", "hall_hours", "catalogue_revision", "booking_policy",
    "item_search", "item_search_term", "service_hours", "service_point", "place_import",
}  # fmt: skip

_STACK = pytest.StashKey[ExitStack]()
_SERVICES = pytest.StashKey[Services]()


def _start(stack: ExitStack) -> Services:
    services = servers.start(stack)
    servers.make_template(services)
    return services


def pytest_configure(config: pytest.Config) -> None:
    """With several workers, start the servers once, here, and hand their addresses on."""
    if hasattr(config, "workerinput") or not getattr(config.option, "numprocesses", None) or config.option.collectonly:
        return
    config.stash[_STACK] = stack = ExitStack()
    config.stash[_SERVICES] = _start(stack)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand the servers' addresses to a worker."""
    services = node.config.stash.get(_SERVICES, None)
    if services is not None:
        node.workerinput["services"] = json.dumps(astuple(services))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the shared servers."""
    stack = config.stash.get(_STACK, None)
    if stack is not None:
        stack.close()


@pytest.fixture(scope="session")
def services(request: pytest.FixtureRequest) -> Iterator[Services]:
    """PostgreSQL and Valkey."""
    workerinput = getattr(request.config, "workerinput", {})
    if "services" in workerinput:
        yield Services(*json.loads(workerinput["services"]))
        return
    with ExitStack() as stack:
        yield _start(stack)


@pytest.fixture(scope="session")
def worker_number(request: pytest.FixtureRequest) -> int:
    """0 for a lone process, else the xdist worker's number."""
    return int(getattr(request.config, "workerinput", {}).get("workerid", "gw0")[2:])


@pytest.fixture(scope="session")
def _sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    state = tmp_path_factory.mktemp("sandbox")
    run = [sys.executable, "-m", "sandbox"]
    subprocess.run([*run, "init", "--state", str(state)], cwd=ROOT, check=True, capture_output=True)
    made = subprocess.run([*run, "credentials", "--state", str(state)], cwd=ROOT, check=True, capture_output=True)
    port = free_port()
    process = subprocess.Popen(
        [*run, "serve", "--host", "127.0.0.1", "--port", str(port), "--state", str(state)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    sandbox = Sandbox(f"http://127.0.0.1:{port}", json.loads(made.stdout), state)
    try:
        sandbox.wait()
        yield sandbox
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="session")
def settings(
    request: pytest.FixtureRequest, services: Services, worker_number: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """Settings of this worker: a database cloned from the template, a Valkey database, the sandbox as every partner."""
    name = f"test_{worker_number}"
    servers.clone(services, name)
    sandbox: Sandbox = request.getfixturevalue("_sandbox")
    partners = {
        **partner_environment(sandbox.credentials, sandbox.url),
        "FILES_URL": tmp_path_factory.mktemp("files").as_uri(),
    }
    yield load(
        environment(servers.database_url(services.postgres, name), f"{services.valkey}/{worker_number}", partners)
    )
    db.dispose()
    cache.dispose()


@pytest.fixture(scope="session")
def _app(settings: Settings) -> Flask:
    app = create_app(settings)
    app.testing = True
    return app


@pytest.fixture
def app(_app: Flask, settings: Settings) -> Iterator[Flask]:
    """The application on a clean database and a clean Valkey."""
    cache.client().flushdb()
    yield _app
    with db.engine().begin() as connection:
        # Row triggers and foreign keys sleep here, so the order doesn't matter and the audit log's guard lets go.
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.exec_driver_sql(_deletes())


@functools.cache
def _deletes() -> str:
    names = [name for name in db.Base.metadata.tables if name not in REFERENCE_TABLES]
    names += ["procrastinate_jobs", "procrastinate_events", "procrastinate_periodic_defers", "procrastinate_workers"]
    return ";".join(f'DELETE FROM "{name}"' for name in names)


@pytest.fixture
def sandbox(_sandbox: Sandbox, app: Flask) -> Iterator[Sandbox]:
    """The sandbox, clean before and after."""
    _sandbox.post("reset")
    yield _sandbox
    _sandbox.post("reset")


@pytest.fixture
def database(app: Flask) -> Flask:
    """A clean database, for tests that open their own transactions."""
    return app


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """A session inside `transaction()`: committed when the test ends well."""
    with db.transaction() as opened:
        yield opened


@pytest.fixture
def own_database(services: Services, settings: Settings, worker_number: int, app: Flask) -> Iterator[str]:
    """A fresh clone of the template for this test alone; its name."""
    name = f"own_{worker_number}"
    servers.admin(services.postgres, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    servers.clone(services, name)
    db.configure(servers.database_url(services.postgres, name).replace("://", "+psycopg://", 1), pool=24)
    calendar.forget()
    yield name
    db.configure(settings.database_url, pool=settings.database_pool)
    calendar.forget()
    servers.admin(services.postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Calls the application as a phone or a clerk's browser would."""
    return app.test_client()


@pytest.fixture
def citizen(app: Flask) -> Callable[..., tuple[Citizen, dict[str, str]]]:
    """Make a signed-in citizen: `actor, headers = citizen(level=2)`."""

    def make(**wanted: Any) -> tuple[Citizen, dict[str, str]]:
        with db.transaction() as opened:
            actor = people.make_citizen(opened, **wanted)
            return actor, people.headers_for(actor)

    return make


@pytest.fixture
def staff(app: Flask) -> Callable[..., tuple[Staff, dict[str, str]]]:
    """Make a signed-in member of staff: `actor, headers = staff("FRONT_CLERK", hall_id=...)`."""

    def make(*roles: str, hall_id: UUID | None = None, **wanted: Any) -> tuple[Staff, dict[str, str]]:
        with db.transaction() as opened:
            actor, headers = people.make_staff(opened, roles=roles, hall_id=hall_id, **wanted)
            return actor, headers

    return make


@pytest.fixture
def workday_calendar(app: Flask) -> Calendar:
    """The published calendar of the template."""
    with db.transaction() as opened:
        return calendar.load(opened)


@pytest.fixture
def run_jobs(app: Flask) -> Callable[..., None]:
    """Run the queued jobs that are due, in this process, until none is left; `all=True` runs the scheduled ones too."""

    async def drain() -> None:
        # Where the test works: that may be a database of its own.
        async with connected(db.engine().url.render_as_string(hide_password=False)) as worker:
            await worker.run_worker_async(
                queues=list(jobs.QUEUES), wait=False, concurrency=4, install_signal_handlers=False, listen_notify=False
            )

    def run(*, all: bool = False) -> None:
        if all:
            with db.engine().begin() as connection:
                connection.execute(
                    text("UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE status = 'todo' AND attempts = 0")
                )
        # What the clock starts by itself would make the outcome depend on the time of day.
        periodic = jobs.app.periodic_registry.periodic_tasks
        kept = dict(periodic)
        periodic.clear()
        try:
            while _waiting():
                asyncio.run(drain())
        finally:
            periodic.update(kept)

    return run


def _waiting() -> bool:
    due = "SELECT EXISTS (SELECT FROM procrastinate_jobs WHERE status = 'todo' AND coalesce(scheduled_at, now()) <= now())"
    with db.engine().connect() as connection:
        return bool(connection.execute(text(due)).scalar_one())


@pytest.fixture
def count_queries(app: Flask) -> Callable[[], Any]:
    """`with count_queries() as queries: ...; assert len(queries) <= 4`."""

    @contextmanager
    def counting() -> Iterator[list[str]]:
        seen: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            seen.append(statement)

        event.listen(db.engine(), "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(db.engine(), "before_cursor_execute", note)

    return counting
