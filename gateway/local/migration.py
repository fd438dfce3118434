"""`make migration NAME=add_x`: an empty migration with the next number, to be written by hand."""

from __future__ import annotations

import re
import sys

from alembic import command

from gateway.database import config, heads


def main() -> int:
    """Make the file; the exit code."""
    name = sys.argv[1] if len(sys.argv) == 2 else ""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        print("usage: make migration NAME=what_it_does (small letters, digits, _)")
        return 2
    newest = heads()
    if len(newest) != 1:
        print(f"There must be one newest migration, found: {', '.join(newest)}. Chain them first.")
        return 1
    number = f"{int(newest[0][:4]) + 1:04}"
    command.revision(config(), message=name, rev_id=number)
    return 0


if __name__ == "__main__":
    sys.exit(main())
