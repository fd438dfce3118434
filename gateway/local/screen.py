"""What a person at the terminal sees of the local stack."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gateway.local.state import Local

_FULL_BYTES = 50_000_000
_SHOWN_PEOPLE = 4


class Screen:
    """Lines with the seconds since the start. A terminal that has gone away is no reason to fail."""

    def __init__(self) -> None:
        self.started = time.monotonic()

    def say(self, text: str) -> None:
        """One step of progress."""
        self.show(f"[{time.monotonic() - self.started:5.1f} s] {text}")

    def show(self, text: str) -> None:
        """Text as it is, also on a terminal that has no Chinese."""
        with contextlib.suppress(OSError, ValueError):
            encoding = sys.stdout.encoding or "utf-8"
            sys.stdout.write(text.encode(encoding, "replace").decode(encoding) + "\n")
            sys.stdout.flush()

    def trouble(self, text: str, folder: Path) -> None:
        """Why it doesn't go on."""
        self.show(f"\n{text}")
        with contextlib.suppress(OSError):
            free = shutil.disk_usage(folder).free
            if free < _FULL_BYTES:
                self.show(f"The disk is full: {free / 1e6:.0f} MB free in {folder}.")


def show_ready(screen: Screen, local: Local, facts: Mapping[str, Any]) -> None:
    """Addresses, demo people, and what to try first."""
    screen.say("ready")
    lines = [
        "",
        f"  API and its documentation   {facts['web']}/docs",
        f"  Partners' sandbox           {facts['sandbox']}/_sandbox/   (messages sent, payments, parcels)",
        f"  Logs                        {local.logs}",
        "",
        "  Citizens (all of them: the sandbox's page)",
        *(f"    {person['phone']}  {person['name']}  {person['story']}" for person in _people(facts["sandbox"])),
        "",
        "  Staff (six digits from any authenticator app)",
        *(
            f"    {member['username']:19} {member['password']}  {member['name']}, {member['roles']}: {member['tries']}\n"
            f"                        {member['totp']}"
            for member in facts["staff"]
        ),
        "",
        "  Four things to try",
        "    1. make journey            one citizen's whole matter, step by step, in a second terminal",
        f"    2. {facts['sandbox']}/department/   sign in at a department's site; the code is on the sandbox's page",
        f"    3. {facts['web']}/docs   every call of the API, and who may make it",
        f"    4. curl '{facts['web']}/api/v1/catalogue/items?q=ershoufang'",
        "",
        "  Ctrl-C ends everything.",
    ]
    screen.show("\n".join(lines))


def _people(sandbox: str) -> list[dict[str, str]]:
    connection = http.client.HTTPConnection(urlsplit(sandbox).netloc, timeout=5)
    try:
        connection.request("GET", "/_sandbox/personas.json")
        people: list[dict[str, str]] = json.loads(connection.getresponse().read())["personas"]
    finally:
        connection.close()
    return people[:_SHOWN_PEOPLE]
