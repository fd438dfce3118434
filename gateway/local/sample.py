"""`python -m gateway.local.sample SITE`: imports the sample, connects the demo department, makes the demo staff.

SITE is what `gateway.local.environment.site_of` gives, as JSON; the staff are printed as JSON. One process for all: half
of what each takes is loading the product.
"""

from __future__ import annotations

import json
import sys

from core.db import transaction
from core.settings import load
from gateway import demo, logs, operations
from gateway.local import department


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
    print(operations.build_bundle(), file=sys.stderr)
    with transaction() as session:
        department.connect(session, json.loads(sys.argv[1]))
    print(json.dumps(demo.make_staff(), ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
