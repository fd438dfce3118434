"""`python -m gateway.local verify-audit`: a command of `python -m gateway` with the settings of this checkout's local stack.

Commands that need no servers (such as `reference`) also work while no stack runs.
"""

from __future__ import annotations

import os
import sys

from gateway.local.environment import sandbox_credentials, stack_environment
from gateway.local.state import Local

_NOBODY = "127.0.0.1:9"  # the discard port: refuses at once


def main() -> None:
    """Become `python -m gateway <arguments>`."""
    local = Local()
    local.make()
    running = local.running()
    environment = stack_environment(
        local,
        sandbox_credentials(local),
        web=running.get("web", f"http://{_NOBODY}"),
        sandbox=running.get("sandbox", f"http://{_NOBODY}"),
        database=running.get("database", f"postgresql://{_NOBODY}/none"),
        redis=running.get("redis", f"redis://{_NOBODY}"),
    )
    os.execve(sys.executable, [sys.executable, "-m", "gateway", *sys.argv[1:]], {**environment, **os.environ})  # noqa: S606  # becomes it


main()
