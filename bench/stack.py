"""What is measured: our own PostgreSQL (durable) and Valkey, our web, and the yardstick beside it on the same server."""

from __future__ import annotations

import http.client
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import psutil
from sqlalchemy.engine import URL, make_url

from core import cache, clock, db
from core.settings import load
from gateway import operations
from gateway.database import migrate
from gateway.local.embedded import start_postgres, start_valkey
from gateway.local.ports import LOOPBACK, free_port
from gateway.local.postgres import create_database
from gateway.local.process import Part, Running, children, start, stop, wait_ready
from gateway.local.state import ROOT
from tests.environment import environment

WORKERS, THREADS = 2, 4
BUSINESS_TIME = datetime(2026, 12, 1, 16, tzinfo=clock.SHANGHAI)
"""A Tuesday of a year whose calendar is published, whenever this runs."""
_DATABASE = "bench"


@dataclass(frozen=True, slots=True)
class Server:
    """A web server under load."""

    port: int
    running: Running

    def cpu_seconds(self) -> float:
        """CPU time that the server and its workers have used so far."""
        family = [psutil.Process(self.running.pid), *children(self.running.pid)]
        times = [process.cpu_times() for process in family]
        return sum(time.user + time.system for time in times)


@dataclass(frozen=True, slots=True)
class Stack:
    """All that runs. This process is connected to the database too."""

    database: URL
    web: Server
    hello: Server
    signed_in: Server


@contextmanager
def running_stack() -> Iterator[Stack]:
    """Start everything in a temporary folder, migrated and with the sample catalogue; end and remove it afterwards."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nb-bench-")))
        folder.chmod(0o755)  # PostgreSQL may run as another user
        postgres = start_postgres(folder / "postgres")
        stack.callback(postgres.stop)
        valkey = start_valkey(folder / "valkey")
        stack.callback(valkey.stop)
        url = create_database(postgres.url, _DATABASE)
        shift = folder / "clock-shift"
        shift.write_text(str((BUSINESS_TIME - clock.wall()).total_seconds()), encoding="utf-8")
        settings = {
            **environment(url, valkey.url, {}),
            "FILES_URL": (folder / "files").as_uri(),
            "CLOCK_SHIFT_FILE": str(shift),
            "TRUSTED_PROXIES": "1",
        }
        del settings["DATABASE_POOL"]  # the product's default
        migrate(load(settings).database_url)
        operations.connect(load(settings))
        stack.callback(db.dispose)
        stack.callback(cache.dispose)
        faults = operations.import_sample(lambda _line: None)
        if faults:
            raise RuntimeError(f"the sample catalogue has faults: {faults}")
        shape = (f"--workers={WORKERS}", f"--threads={THREADS}")
        web = _serve(stack, folder, "/healthz", settings, "gateway", "web", "--port={port}", *shape)
        hello = _serve(stack, folder, "/hello", {}, "bench.hello", "{port}", str(WORKERS), str(THREADS))
        signed_in = _serve(stack, folder, "/hello", settings, "bench.signed_in", "{port}", str(WORKERS), str(THREADS))
        yield Stack(make_url(url), web, hello, signed_in)


def _serve(
    stack: ExitStack, folder: Path, path: str, settings: Mapping[str, str], module: str, *arguments: str
) -> Server:
    port = free_port()
    part = Part(
        name=module,
        command=(sys.executable, "-m", module, *(argument.format(port=port) for argument in arguments)),
        ready=partial(_answers, port, path),
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", **settings},
        cwd=ROOT,
    )
    running = start(part, folder / f"{module}.log")
    stack.callback(stop, running)
    wait_ready(running)
    return Server(port, running)


def _answers(port: int, path: str, _running: Running) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
