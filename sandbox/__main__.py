"""Command line: `python -m sandbox init | credentials | serve`, each with `--state DIR`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from sandbox import credentials


def main() -> int:
    """Run one command; 0 when it went well."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="The partners, simulated locally.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("init", "make keys and secrets once"),
        ("credentials", "print what the product needs, as JSON"),
        ("serve", "serve the partners"),
    ):
        commands.add_parser(name, help=text).add_argument("--state", type=Path, required=True, help="state folder")
    serving = commands.choices["serve"]
    serving.add_argument("--host", default="127.0.0.1")
    serving.add_argument("--port", type=int, default=9100)
    serving.add_argument(
        "--hurry", type=float, default=240, help="divide the platforms' retry delays by this (default 240)"
    )
    given = parser.parse_args()
    if given.command == "init":
        credentials.make(given.state)
        return 0
    if given.command == "credentials":
        try:
            print(json.dumps(credentials.load(given.state).product, ensure_ascii=False, indent=2))
        except FileNotFoundError:
            print(f"no sandbox in {given.state}: run `python -m sandbox init --state {given.state}`", file=sys.stderr)
            return 1
        return 0
    from sandbox.server import serve

    credentials.make(given.state)
    try:
        serve(given.state, host=given.host, port=given.port, hurry=given.hurry)
    except SystemExit as refused:
        # werkzeug has already said which port is taken.
        return int(refused.code or 1)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
