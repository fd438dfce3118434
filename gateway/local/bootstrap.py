"""What `make` runs first, with the system's python3: makes `.local/venv`, then starts the stack, or removes everything.

    python3 gateway/local/bootstrap.py run | test | reset

Kept to what any Python 3 can read, so that an old one gets a sentence instead of a syntax error.
"""

import os
import sys

OLDEST = (3, 11)
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120  # before the version is known


def main() -> int:
    """Do what the first argument says; the exit code."""
    if sys.version_info < OLDEST:
        print(
            "Python 3.11 or newer is needed; {} is {}.{}.\n"
            "If a newer one is installed under another name: make run PYTHON=python3.12".format(
                sys.executable, *sys.version_info[:2]
            )
        )
        return 1
    # Python puts this script's folder first, where our modules would hide the standard library's (secrets).
    sys.path[0] = ROOT
    from gateway.local.install import command

    return command(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
