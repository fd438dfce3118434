"""Stacks the story can happen on: the one of `make run`, or web and worker on a test's own database."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from gateway.local.environment import site_of
from gateway.local.state import Local, Trouble
from tests.journey.client import StoryBroken, wait_until
from tests.journey.signing_in import Stack
from tests.sandbox_client import Sandbox, free_port

ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 120


def of_facts(local: Local, facts: Mapping[str, Any]) -> Stack:
    """The stack that run.json describes."""
    staff = {person["username"]: person for person in facts["staff"]}
    return Stack(web=facts["web"], sandbox=facts["sandbox"], staff=staff, clock_shift=local.clock_shift)


@contextmanager
def local_stack() -> Iterator[tuple[Stack, Local]]:
    """The stack of `make run` if it runs, else one started for the length of the block."""
    local = Local()
    if _is_taken(local):
        if not _answers(local.running()):
            print("a stack is starting: waiting for it", flush=True)
            wait_until("the stack starts", lambda: _answers(local.running()), seconds=_START_SECONDS)
        yield of_facts(local, local.running()), local
        return
    print("no stack is running: starting one", flush=True)
    process = subprocess.Popen([sys.executable, "-m", "gateway", "serve"], cwd=ROOT)
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(local.running()):
            if process.poll() is not None or time.monotonic() > deadline:
                raise StoryBroken("the stack did not start")
            time.sleep(0.3)
        yield of_facts(local, local.running()), local
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def _is_taken(local: Local) -> bool:
    """Whether a supervisor runs, ready or not."""
    local.make()
    try:
        with local.lock():
            return False
    except Trouble:
        return True


def _answers(facts: Mapping[str, Any]) -> bool:
    if "staff" not in facts or not {"web", "worker"} <= set(facts.get("parts", {})):
        return False
    try:
        return requests.get(f"{facts['web']}/readyz", timeout=2).ok
    except requests.RequestException:
        return False


@contextmanager
def own_stack(environ: Mapping[str, str], sandbox: Sandbox, folder: Path) -> Iterator[Stack]:
    """Web and worker with `environ`, their logs in `folder`; the demo staff and department are made in its database."""
    shift = folder / "clock-shift"
    port = free_port()
    env = {**os.environ, **environ, "ENV": "development", "CLOCK_SHIFT_FILE": str(shift)}
    env["PUBLIC_URL"] = f"http://127.0.0.1:{port}"
    run = [sys.executable, "-m", "gateway"]
    site = site_of(sandbox.credentials, sandbox.url)
    sandbox.post("department/configure", issuer=env["PUBLIC_URL"], base=site["base"])
    sample = [sys.executable, "-m", "gateway.local.sample", json.dumps(site)]
    made = subprocess.run(sample, cwd=ROOT, env=env, check=True, capture_output=True)
    (folder / "demo.log").write_bytes(made.stderr)
    parts = []
    try:
        for name, arguments in (("web", ["web", "--port", str(port)]), ("worker", ["worker"])):
            with (folder / f"{name}.log").open("wb") as log:
                parts.append(subprocess.Popen([*run, *arguments], cwd=ROOT, env=env, stdout=log, stderr=log))
        _wait(f"http://127.0.0.1:{port}/readyz", folder / "worker.log")
        staff = {person["username"]: person for person in json.loads(made.stdout)}
        yield Stack(f"http://127.0.0.1:{port}", sandbox.url, staff, shift)
    finally:
        for part in parts:
            part.terminate()
        for part in parts:
            part.wait(40)


def _wait(url: str, worker_log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if requests.get(url, timeout=2).ok and b"worker ready" in worker_log.read_bytes():
                return
        except requests.RequestException:
            pass
        time.sleep(0.1)
    raise StoryBroken("web and worker did not start")
