"""`python -m gateway.local.sample`: imports the sample and makes the demo staff, whom it prints as JSON.

One process for both: half of what either takes is loading the product.
"""

from __future__ import annotations

import json
import sys

from core.settings import load
from gateway import logs, operations


def main() -> int:
    """Do it; the exit code. What happened goes to standard error."""
    settings = load()
    logs.configure(settings.log_level)
    operations.connect(settings)
    faults = operations.import_sample(lambda line: print(line, file=sys.stderr))
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        return 1
    print(json.dumps(operations.demo_staff(), ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
