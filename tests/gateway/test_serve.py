"""Ports: the defaults, the reader's own, and what is said about a busy one."""

from __future__ import annotations

import os
import socket

import pytest

from gateway.local.ports import free_port
from gateway.local.state import Trouble
from gateway.serve import ports


def test_ports_come_from_the_environment() -> None:
    web, sandbox = free_port(), free_port()
    chosen = ports({"PORT": str(web), "SANDBOX_PORT": str(sandbox)})
    assert (chosen.web, chosen.sandbox) == (web, sandbox)


def test_a_busy_port_is_named_with_its_holder_and_the_variable_to_change() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Trouble) as refused:
            ports({"PORT": str(free_port()), "SANDBOX_PORT": str(port)})
    text = str(refused.value)
    assert text.startswith(f"Port {port} is taken by ")
    assert f"(process {os.getpid()})" in text
    assert f"make run SANDBOX_PORT={port + 1}" in text


@pytest.mark.parametrize("raw", ["http", "0", "65536", "-1", "８０"])
def test_a_port_must_be_a_port(raw: str) -> None:
    with pytest.raises(Trouble, match="PORT must be a port number"):
        ports({"PORT": raw})
