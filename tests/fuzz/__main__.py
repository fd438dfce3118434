"""`make fuzz`: run the fuzz tests, which the ordinary suite leaves out, and end with one JSON line."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest


class _Count:
    """Counts what ran."""

    def __init__(self) -> None:
        self.passed = self.failed = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note an outcome."""
        if report.when == "call":
            self.passed += report.passed
            self.failed += report.failed


def main() -> int:
    """Run it; the exit code."""
    began, count = time.perf_counter(), _Count()
    code = pytest.main(["-m", "fuzz", "-n", "0", "-p", "no:randomly", str(Path(__file__).parent)], plugins=[count])
    seconds = round(time.perf_counter() - began, 1)
    print(json.dumps({"operations": count.passed + count.failed, "failed": count.failed, "seconds": seconds}))
    return int(code)


sys.exit(main())
