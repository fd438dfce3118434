"""Which policy holds on a day. Read once a process: a new one comes with a release, its day is in the file."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from auth.identity import rules
from auth.identity.rules import Dated, Policy
from core import clock

FILE = Path(__file__).with_name("policies.json")


def parsed(content: Mapping[str, Any]) -> tuple[Dated, ...]:
    """The dated policies of a file, each on top of the one before it, in order of their days. Raises `ValueError`."""
    found: list[Dated] = []
    entries = sorted(content["policies"], key=lambda entry: str(entry["from"]))
    for entry in entries:
        base = found[-1].policy if found else rules.POLICY
        dated = Dated(date.fromisoformat(entry["from"]), rules.policy_from(entry["values"], base))
        if found and found[-1].since == dated.since:
            raise ValueError(f"two policies begin on {dated.since}")
        found.append(dated)
    return tuple(found)


@functools.cache
def _all() -> tuple[Dated, ...]:
    return parsed(json.loads(FILE.read_text(encoding="utf-8")))


def in_force(now: datetime) -> Policy:
    """The policy of the day (Shanghai) that `now` falls on."""
    return rules.in_force(_all(), clock.local(now).date())
