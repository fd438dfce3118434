"""The local stack's folder `.local`: what is where, the lock that allows one stack, leftovers, and `make reset`.

Standard library only: it also works when the virtual environment does not.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# In the environment of every process of a stack, so that the next start finds those whose supervisor was killed.
MARKER = "NINGBO_LOCAL"
# Holds the folder that took PostgreSQL's data because PostgreSQL's user can't reach ours.
ELSEWHERE = "elsewhere"
ELSEWHERE_PREFIX = "ningbo-government-"
_LEFTOVER_SECONDS = 15.0
_KILLED_SECONDS = 5.0


class Trouble(Exception):
    """Something the person at the terminal must know or do; the message says what."""


class Local:
    """The folder `.local` of one checkout."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        self.folder = root / ".local"
        self.venv = self.folder / "venv"
        self.stamp = self.venv / "installed.json"
        self.python = self.venv / "bin" / "python"
        self.logs = self.folder / "logs"
        self.postgres = self.folder / "postgres"
        self.valkey = self.folder / "valkey"
        self.files = self.folder / "files"
        self.sandbox = self.folder / "sandbox"
        self.secrets = self.folder / "secrets.env"
        self.clock_shift = self.folder / "clock-shift"
        self.run = self.folder / "run.json"

    def make(self) -> None:
        """Make the folder."""
        self.folder.mkdir(mode=0o755, exist_ok=True)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the right to run the stack; the kernel gives it back when this process ends. Raises `Trouble` if it is taken."""
        with (self.folder / "run.lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Trouble(self._who_runs()) from None
            yield

    def _who_runs(self) -> str:
        running = self.running()
        return (
            f"A stack already runs in {self.root} (process {running.get('pid', '?')}, "
            f"{running.get('web', 'still starting')}).\nEnd it with Ctrl-C in its terminal, or `kill {running.get('pid', '<pid>')}`."
        )

    def running(self) -> dict[str, Any]:
        """What run.json says of the stack that runs; empty when there is none."""
        try:
            found: dict[str, Any] = json.loads(self.run.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return found

    def write_running(self, facts: Mapping[str, Any]) -> None:
        """Write run.json, whole and readable by its owner only (it holds the servers' passwords)."""
        write_private(self.run, json.dumps(facts, ensure_ascii=False, indent=2) + "\n")

    def end_leftovers(self) -> list[int]:
        """End the processes of an earlier stack of this checkout; returns their ids. Only while holding the lock."""
        found = self._leftovers()
        waiting = set(found)
        _signal(waiting, signal.SIGINT)
        for number, seconds in ((signal.SIGKILL, _LEFTOVER_SECONDS), (None, _KILLED_SECONDS)):
            deadline = time.monotonic() + seconds
            while waiting and time.monotonic() < deadline:
                time.sleep(0.05)
                waiting &= set(self._leftovers())
            if number is not None:
                _signal(waiting, number)
        if waiting:
            raise Trouble(f"Processes of an earlier start don't end: {', '.join(map(str, sorted(waiting)))}.")
        return found

    def _leftovers(self) -> list[int]:
        mark = f"{MARKER}={self.folder}".encode() + b"\0"
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (entry / "environ").read_bytes() and int(entry.name) != os.getpid():
                    found.append(int(entry.name))
        return found

    def reset(self) -> None:
        """Remove everything a stack has made. Raises `Trouble` while one runs."""
        if not self.folder.exists():
            return
        with self.lock():
            self.end_leftovers()
            # First, so that an environment that was removed by half doesn't count as finished.
            self.stamp.unlink(missing_ok=True)
            place = elsewhere(self.postgres)
            if place is not None:
                shutil.rmtree(place)
            shutil.rmtree(self.folder)


def elsewhere(folder: Path) -> Path | None:
    """The folder that took the data of the PostgreSQL folder `folder`, if one had to."""
    try:
        place = Path((folder / ELSEWHERE).read_text(encoding="utf-8").strip())
    except FileNotFoundError:
        return None
    return place if place.name.startswith(ELSEWHERE_PREFIX) and place.is_dir() else None


def write_private(file: Path, text: str) -> None:
    """Write `text` to `file` in one step, mode 0600."""
    draft = file.with_name(f".{file.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as output:
        output.write(text)
        output.flush()
        os.fsync(output.fileno())
    draft.replace(file)


def _signal(processes: set[int], number: signal.Signals) -> None:
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
