"""`make fuzz`: run the fuzz tests, which the ordinary suite leaves out, and end with one JSON line."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest


class _Count:
    """Notes what ran."""

    def __init__(self) -> None:
        self.operations = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note how many operations were tried."""
        if report.when == "call":
            self.operations += int(dict(report.user_properties).get("operations", 0))  # type: ignore[call-overload]


def main() -> int:
    """Run it; the exit code."""
    began, count = time.perf_counter(), _Count()
    code = pytest.main(["-m", "fuzz", "-n", "0", "-p", "no:randomly", str(Path(__file__).parent)], plugins=[count])
    seconds = round(time.perf_counter() - began, 1)
    print(json.dumps({"operations": count.operations, "held": code == 0, "seconds": seconds}))
    return int(code)


sys.exit(main())
