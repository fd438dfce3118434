"""The settings of a checkout's local stack, put together: its own secrets, the sandbox as every partner, its addresses."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from gateway.local.secrets import own_secrets, partner_environment
from gateway.local.state import Local, Trouble


def stack_environment(
    local: Local, credentials: Mapping[str, Any], *, web: str, sandbox: str, database: str, redis: str
) -> dict[str, str]:
    """All settings (core/settings) of the stack in `local`."""
    return {
        **own_secrets(local.secrets),
        **partner_environment(credentials, sandbox),
        "ENV": "development",
        "PUBLIC_URL": web,
        "DATABASE_URL": database,
        "REDIS_URL": redis,
        "FILES_URL": local.files.as_uri(),
        "CLOCK_SHIFT_FILE": str(local.clock_shift),
    }


def sandbox_credentials(local: Local) -> dict[str, Any]:
    """What the simulated platforms issue to the product; made at the first call. Raises `Trouble`."""
    for command in ("init", "credentials"):
        done = subprocess.run(
            [sys.executable, "-m", "sandbox", command, "--state", str(local.sandbox)],
            cwd=local.root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            process_group=0,  # out of reach of the terminal's Ctrl-C, which is ours to handle
        )
        if done.returncode != 0:
            raise Trouble(
                f"The sandbox has no credentials to give (python -m sandbox {command}):\n{done.stderr[-2000:]}"
            )
    credentials: dict[str, Any] = json.loads(done.stdout)
    return credentials


def site_of(credentials: Mapping[str, Any], sandbox: str) -> dict[str, Any]:
    """The demo department's site in the sandbox: its client id, its public keys, its address (`department.connect` needs it)."""
    known = credentials["department"]
    return {"client_id": known["client_id"], "jwks": known["jwks"], "base": f"{sandbox}/department"}
