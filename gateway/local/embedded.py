"""PostgreSQL and Valkey for the length of a test run (`make run` starts the same servers under its supervisor)."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gateway.local import postgres, valkey
from gateway.local.process import PartFailed, Running, start, stop, wait_ready
from gateway.local.state import elsewhere

_TRIES = 3


@dataclass(frozen=True, slots=True)
class Handle:
    """A server that runs. It is stopped by `stop()`, or by the kernel when this process ends."""

    url: str
    running: Running
    outside: Path | None = None

    def stop(self) -> None:
        """End it and wait. Data that had to lie outside the folder given are removed."""
        stop(self.running)
        if self.outside is not None:
            shutil.rmtree(self.outside, ignore_errors=True)


def start_postgres(folder: Path, port: int = 0, *, fast: bool = False) -> Handle:
    """Start PostgreSQL with its data in `folder`; `url` is the database `postgres`, as a superuser.

    `fast` switches durability off. As root, `folder` must be reachable for other users, or its data go elsewhere.
    Raises `PartFailed`.
    """
    return _start(lambda: postgres.prepare(folder, port=port, fast=fast), postgres.lost_the_port, folder, port)


def start_valkey(folder: Path, port: int = 0, *, fast: bool = False) -> Handle:
    """Start Valkey with its data in `folder`; `fast` keeps nothing on disk. Raises `PartFailed`."""
    return _start(lambda: valkey.prepare(folder, port=port, fast=fast), valkey.lost_the_port, folder, port)


def _start(
    prepare: Callable[[], postgres.Server | valkey.Server],
    lost_the_port: Callable[[Running], bool],
    folder: Path,
    port: int,
) -> Handle:
    for attempt in range(1, _TRIES + 1):
        server = prepare()
        running = start(server.part, folder / f"{server.part.name}.log")
        try:
            wait_ready(running)
        except PartFailed:
            retry = lost_the_port(running) and port == 0 and attempt < _TRIES
            stop(running)
            if retry:
                continue
            raise
        except BaseException:
            stop(running)
            raise
        return Handle(server.url, running, elsewhere(folder))
    raise AssertionError("unreachable: the last attempt returns or raises")
