"""One part of the local stack as a process: started in its own group, tied to its parent's life, stopped with all its children."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from gateway.local.state import Trouble

POLL_SECONDS = 0.05
_KILL_WAIT_SECONDS = 5.0
_TAIL_BYTES = 16 * 1024
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
# Looked up before any fork: a child between fork and exec must not load libraries.
_prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None


class PartFailed(Trouble):
    """A part did not become ready, or died."""


@dataclass(frozen=True, slots=True)
class Account:
    """The system user that a part runs as."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Part:
    """What to start and how to tell that it works.

    `ready` is asked again and again until it says yes; `before` runs before every start; a part is started again only
    while all it `needs` work.
    """

    name: str
    command: tuple[str, ...]
    ready: Callable[[Running], bool]
    env: Mapping[str, str]
    cwd: Path
    account: Account | None = None
    needs: tuple[str, ...] = ()
    before: Callable[[], None] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    ready_seconds: float = 60.0
    grace_seconds: float = 10.0


@dataclass(slots=True)
class Running:
    """A part that was started."""

    part: Part
    process: subprocess.Popen[bytes]
    log: Path
    log_start: int
    started: float = field(default_factory=time.monotonic)

    @property
    def pid(self) -> int:
        """The process id, which is the process group's too."""
        return self.process.pid

    def alive(self) -> bool:
        """Whether the main process still runs."""
        return self.process.poll() is None

    def output(self) -> str:
        """What the part has written since this start (the last 16 KiB)."""
        with self.log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(self.log_start, size - _TAIL_BYTES))
            return file.read().decode("utf-8", "replace")

    def exit_reason(self) -> str:
        """How the main process ended, in words."""
        code = self.process.poll()
        if code is not None and code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return f"exit code {code}"


def die_with_parent(number: signal.Signals = signal.SIGTERM) -> None:
    """Ask the kernel to send `number` to this process when its parent ends, however that happens (Linux; elsewhere nothing)."""
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)


def adopt_orphans() -> None:
    """Make grandchildren whose parent dies children of this process, so that none gets away (Linux; elsewhere nothing)."""
    if _prctl is not None:
        _prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def start(part: Part, log: Path, printed: Path | None = None) -> Running:
    """Start `part`, output to `log`, its standard output to `printed` if given.

    It gets its stop signal when this process dies, even by SIGKILL.
    """
    if part.before is not None:
        part.before()
    parent = os.getpid()

    def prepare() -> None:
        # Runs after the change of user, which would clear it.
        die_with_parent(part.stop_signal)
        if os.getppid() != parent:
            os._exit(1)

    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with log.open("ab") as errors, (printed or log).open("ab") as output:
        log_start = errors.tell()
        process = subprocess.Popen(
            part.command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            cwd=part.cwd,
            env=dict(part.env),
            process_group=0,
            preexec_fn=prepare,  # noqa: PLW1509  # this process has no other threads when it starts parts
            user=part.account.uid if part.account else None,
            group=part.account.gid if part.account else None,
            extra_groups=[] if part.account else None,
        )
    return Running(part, process, log, log_start)


def run_as(
    account: Account | None, *command: str, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a short command as `account`, from the root folder, and return its output and exit code."""
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        cwd="/",
        env=dict(env or {}),
        process_group=0,  # out of reach of the terminal's Ctrl-C, which is ours to handle
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


def is_ready(running: Running) -> bool:
    """Whether the part works. Raises `PartFailed` with the end of its log when it died or takes too long."""
    if running.part.ready(running):
        return True
    if not running.alive():
        raise PartFailed(f"{running.part.name} ended ({running.exit_reason()}).\n{last_lines(running)}")
    if time.monotonic() > running.started + running.part.ready_seconds:
        raise PartFailed(
            f"{running.part.name} was not ready after {running.part.ready_seconds:.0f} s.\n{last_lines(running)}"
        )
    return False


def wait_ready(running: Running) -> None:
    """Wait until the part works. Raises `PartFailed`, see `is_ready`."""
    while not is_ready(running):
        time.sleep(POLL_SECONDS)


def last_lines(running: Running, count: int = 20) -> str:
    """The end of a part's log since this start, indented, with the log's place."""
    lines = running.output().splitlines()[-count:]
    return "\n".join([*(f"    {line}" for line in lines), f"    (log: {running.log})"])


def stop(running: Running, hurry: Callable[[], bool] = lambda: False) -> None:
    """Stop a part: its own signal, its grace, then SIGKILL; whatever it started goes with it. `hurry` cuts the grace short."""
    family = children(running.pid)
    if running.alive():
        running.process.send_signal(running.part.stop_signal)
        deadline = time.monotonic() + running.part.grace_seconds
        while running.alive() and time.monotonic() < deadline and not hurry():
            time.sleep(POLL_SECONDS)
    sweep(running, family)


def sweep(running: Running, family: list[psutil.Process] | None = None) -> None:
    """After the main process's end: kill what is left of its group and of `family`, and wait until it is gone."""
    # No such group any more, or its number belongs to somebody else by now.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(running.pid, signal.SIGKILL)
    running.process.wait()
    kill(family or [])


def kill(processes: list[psutil.Process]) -> None:
    """SIGKILL those of `processes` that still run and wait until they are gone."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=_KILL_WAIT_SECONDS)


def children(pid: int) -> list[psutil.Process]:
    """Everything that process `pid` has started and that still runs."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
