"""The local stack under one supervisor: what `make run` starts once the packages are installed.

PostgreSQL and Valkey (unless DATABASE_URL and REDIS_URL name others), the sandbox, the web server and the worker; the
database migrated and filled with the sample. Settings of the environment win over those made here.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from gateway.local import postgres, prepared, valkey
from gateway.local.environment import sandbox_credentials, site_of, stack_environment
from gateway.local.parent import Make
from gateway.local.ports import LOOPBACK, holder, is_free
from gateway.local.process import Part
from gateway.local.screen import Screen, show_ready
from gateway.local.state import MARKER, Local, Trouble
from gateway.local.supervisor import StopAsked, Supervisor
from notifications.templates.queries import sms_registrations, sms_registrations_numbered

DATABASE = "ningbo_government"
_OF_MAKE = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES")
_WORKER_GRACE_SECONDS = 25.0
_WEB_GRACE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports that people type."""

    web: int
    sandbox: int


def main() -> int:
    """Run the stack until Ctrl-C; the exit code."""
    screen = Screen()
    local = Local()
    try:
        local.make()
        with local.lock():
            _run(local, screen)
    except (Trouble, OSError) as trouble:
        screen.trouble(str(trouble), local.folder)
        return 1
    return 0


def ports(environ: Mapping[str, str]) -> Ports:
    """The ports to use. Raises `Trouble` when one isn't a number or is taken."""
    return Ports(_port(environ, "PORT", 8000), _port(environ, "SANDBOX_PORT", 9100))


def _port(environ: Mapping[str, str], variable: str, default: int) -> int:
    raw = environ.get(variable) or str(default)
    if not (raw.isascii() and raw.isdecimal()) or not 0 < int(raw) < 65536:
        raise Trouble(f"{variable} must be a port number, not {raw!r}.")
    if not is_free(int(raw)):
        by = holder(int(raw))
        raise Trouble(
            f"Port {raw} is taken{f' by {by}' if by else ''}.\n"
            f"End that program, or choose another port: make run {variable}={int(raw) + 1}"
        )
    return int(raw)


def _run(local: Local, screen: Screen) -> None:
    stack = _Stack(local, screen)
    try:
        stack.start()
        stack.supervisor.watch()
    except StopAsked:
        pass
    finally:
        if stack.supervisor.busy:
            screen.say("stopping")
        stack.supervisor.stop()
        local.run.unlink(missing_ok=True)
    screen.say("stopped; nothing is left running")


class _Stack:
    """Knows what to start, in which order, with which environment."""

    def __init__(self, local: Local, screen: Screen) -> None:
        self.local, self.screen = local, screen
        self.base = {name: value for name, value in os.environ.items() if value and name not in _OF_MAKE}
        self.base |= {MARKER: str(local.folder), "PYTHONUNBUFFERED": "1"}
        self.embedded_database = "DATABASE_URL" not in self.base
        self.env: dict[str, str] = {}
        self.facts: dict[str, Any] = {"pid": os.getpid()}
        self.supervisor = Supervisor(local.logs, screen.say, self._note, Make().was_told_to_end)

    def start(self) -> None:
        """Start everything and tell the person at the terminal. Raises `Trouble` or `StopAsked`."""
        ended = self.local.end_leftovers()
        if ended:
            self.screen.say(f"ended {len(ended)} processes of an earlier start")
        chosen = ports(os.environ)
        web, sandbox = f"http://{LOOPBACK}:{chosen.web}", f"http://{LOOPBACK}:{chosen.sandbox}"
        servers = self._begin_servers()
        credentials = sandbox_credentials(self.local)
        self.supervisor.wait()
        addresses = {"web": web, "sandbox": sandbox, **self._addresses(servers)}
        self.facts |= addresses
        self.local.files.mkdir(mode=0o700, exist_ok=True)
        self.env = {**stack_environment(self.local, credentials, **addresses), **self.base}
        self._begin_sandbox(chosen.sandbox)
        site = site_of(credentials, sandbox)
        self.facts["staff"] = self._fill(chosen.web, site)
        self.supervisor.wait()
        self._register_short_messages(chosen.sandbox)
        connected = {"issuer": self.env["PUBLIC_URL"], "base": site["base"]}
        self._configure(chosen.sandbox, "department", connected)
        self.local.write_running(self.facts)
        show_ready(self.screen, self.local, self.facts)

    def _register_short_messages(self, port: int) -> None:
        """Enter our texts and the report addresses at the simulated SMS platforms, as one does in the real ones' consoles."""
        texts = {"aliyun-sms": sms_registrations(), "tencent-sms": sms_registrations_numbered()}
        for platform, templates in texts.items():
            report = f"{self.env['PUBLIC_URL']}/callbacks/{platform}/{self.env['CALLBACK_PATH_SECRET']}"
            self._configure(port, platform, {"report_url": report, "templates": templates})

    @staticmethod
    def _configure(port: int, platform: str, entered: Mapping[str, object]) -> None:
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", f"/_sandbox/{platform}/configure", json.dumps(entered).encode(), headers)
            if connection.getresponse().status != http.client.OK:
                raise Trouble(f"The sandbox refused what it was told for {platform}; see its log.")
        finally:
            connection.close()

    def _fill(self, port: int, site: Mapping[str, Any]) -> list[dict[str, str]]:
        """Bring the database up to date, and begin web and worker in the meantime; the demo staff."""
        database = self.env["DATABASE_URL"]
        sources = prepared.digest(self.local, site)
        staff = prepared.recall(self.local, database, sources) if self.embedded_database else None
        if staff is not None:
            self._begin_web_and_worker(port)
            return staff
        self.screen.say("bringing the database up to date")
        self._step("migrate", "gateway", "migrate")
        self._begin_web_and_worker(port)
        self.screen.say("importing the sample (catalogue, places, calendars) and starting the rest")
        made: list[dict[str, str]] = json.loads(self._step("sample", "gateway.local.sample", json.dumps(site)))
        if self.embedded_database:
            prepared.remember(self.local, database, sources, made)
        return made

    def _begin_servers(self) -> dict[str, str]:
        """Begin the embedded servers that the environment doesn't replace; the addresses of all."""
        given: dict[str, str] = {name: self.base[name] for name in ("DATABASE_URL", "REDIS_URL") if name in self.base}
        if "REDIS_URL" not in given:
            cache = valkey.prepare(self.local.valkey)
            given["REDIS_URL"] = f"{cache.url}/0"
            self._begin(cache.part)
        if not self.embedded_database:
            if not postgres.answers(given["DATABASE_URL"].replace("postgresql+psycopg://", "postgresql://", 1)):
                raise Trouble("The server that DATABASE_URL names does not answer, or refuses this user.")
            return given
        database = postgres.prepare(self.local.postgres)
        if database.made:
            self.screen.say("database made")
            if database.home != self.local.postgres:
                self.screen.say(f"PostgreSQL's user can't read {self.local.postgres}: its data are in {database.home}")
        self._begin(database.part)
        given["DATABASE_URL"] = database.url
        return given

    def _addresses(self, servers: Mapping[str, str]) -> dict[str, str]:
        database = servers["DATABASE_URL"]
        if self.embedded_database:
            database = postgres.create_database(database, DATABASE)
        return {"database": database, "redis": servers["REDIS_URL"]}

    def _begin_sandbox(self, port: int) -> None:
        listen = ("--host", LOOPBACK, "--port", str(port))
        part = self._part("sandbox", "sandbox", "serve", *listen, "--state", str(self.local.sandbox))
        self._begin(replace(part, ready=partial(_page_answers, port, "/_sandbox/")))

    def _begin_web_and_worker(self, port: int) -> None:
        web = self._part("web", "gateway", "web", "--host", LOOPBACK, "--port", str(port))
        self._begin(
            replace(
                web,
                ready=partial(_page_answers, port, "/readyz"),
                needs=("postgres",),
                grace_seconds=_WEB_GRACE_SECONDS,
            )
        )
        worker = self._part("worker", "gateway", "worker")
        self._begin(
            replace(
                worker,
                ready=lambda running: "worker ready" in running.output(),
                needs=("postgres",),
                grace_seconds=_WORKER_GRACE_SECONDS,
            )
        )

    def _begin(self, part: Part) -> None:
        self.supervisor.begin(replace(part, env={**part.env, MARKER: str(self.local.folder)}))

    def _step(self, name: str, module: str, *arguments: str) -> str:
        """Run one of our own commands to its end; what it printed."""
        return self.supervisor.step(self._part(name, module, *arguments))

    def _part(self, name: str, module: str, *arguments: str) -> Part:
        """One of our own commands."""
        return Part(
            name=name,
            command=(sys.executable, "-m", module, *arguments),
            ready=lambda running: running.alive(),
            env=self.env or self.base,
            cwd=self.local.root,
        )

    def _note(self, pids: dict[str, int]) -> None:
        """Keep run.json true, for `make journey` and the like."""
        self.facts["parts"] = pids
        self.local.write_running(self.facts)


def _page_answers(port: int, path: str, _running: object) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
