"""Ports of loopback: a free one, or who holds a busy one."""

from __future__ import annotations

import secrets
import socket

import psutil

LOOPBACK = "127.0.0.1"
_FIRST, _COUNT = 20_000, 12_000


def free_port() -> int:
    """A port that nothing uses now, below those that the system gives to outgoing connections: it stays free for a new start."""
    while True:
        port = _FIRST + secrets.randbelow(_COUNT)
        if is_free(port):
            return port


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen on `port`."""
    with socket.socket() as probe:
        # As servers do: connections of an earlier server that are still closing don't count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def holder(port: int) -> str:
    """Who listens on `port`, as "name (process 123)"; empty when it can't be seen from here."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr[1:2] == (port,) and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    except psutil.Error:
        pass
    return ""
