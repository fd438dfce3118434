"""The `make` above the supervisor. GNU make hands SIGTERM on to what it runs, but keeps SIGINT and SIGHUP to itself and waits.

At a terminal the whole process group gets those two. Sent to make alone (`kill -INT`, or a closed window whose only program is
make) they would leave make waiting for a stack that goes on for ever.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from pathlib import Path

from gateway.local.process import die_with_parent


class Make:
    """The make that runs this process, if one does."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._status = Path("/proc", str(os.getppid()), "status") if "MAKELEVEL" in environ else None
        if self._status is not None:
            die_with_parent()  # a killed make must not leave a stack behind

    def was_told_to_end(self) -> bool:
        """Whether make has had a SIGINT or SIGHUP: it then puts that signal back to its default, which it otherwise never does."""
        if self._status is None:
            return False
        try:
            lines = dict(line.split(":", 1) for line in self._status.read_text().splitlines())
            handled = int(lines["SigCgt"], 16) | int(lines["SigIgn"], 16)
        except (OSError, KeyError, ValueError):
            return False
        return lines["Name"].strip() == "make" and any(
            not handled >> (number - 1) & 1 for number in (signal.SIGINT, signal.SIGHUP)
        )
