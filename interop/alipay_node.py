"""Runs the Node scripts of this folder: Alipay's official SDK as the judge of our signatures."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
_TIMEOUT_SECONDS = 30


def _node(script: str, *arguments: str, given: dict[str, Any]) -> Any:
    """What the script printed as JSON. Raises `subprocess.CalledProcessError` with its standard error."""
    done = subprocess.run(  # our own scripts
        ["node", str(FOLDER / script), *arguments],  # whichever node the machine has
        input=json.dumps(given),
        # The SDK stamps its requests in local time, and Alipay expects Beijing's.
        env={**os.environ, "TZ": "Asia/Shanghai"},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, script, done.stdout, done.stderr)
    return json.loads(done.stdout)


def post_notice(sandbox_json: Path, url: str, **fields: str) -> tuple[int, str]:
    """Post a payment notice, signed with the sandbox's Alipay key and accepted by the SDK: HTTP status and answer.

    `sandbox_json` is the sandbox's `sandbox.json`, `url` the product's notice address. `fields` must name
    `out_trade_no` and `total_amount` (yuan, two decimals) and may replace any other field of the notice.
    """
    found = _node("notify.mjs", str(sandbox_json), url, given=fields)
    return found["status"], found["answer"]


def call_sdk(credentials: dict[str, Any], gateway: str, act: str, **given: Any) -> dict[str, Any]:
    """Let the SDK act as `alipay_calls.mjs` describes, with the product's Alipay credentials."""
    found: dict[str, Any] = _node(
        "alipay_calls.mjs", given={"credentials": credentials, "gateway": gateway, "act": act, **given}
    )
    return found
