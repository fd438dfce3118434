"""A stack of small shell scripts under the real supervisor, in a process of its own.

    python -m tests.gateway.local.fake_stack FOLDER JSON

JSON: [{"name": …, "script": …, "needs": […], "grace": seconds}, …]. A part is ready once it has printed "ready".
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from gateway.local.parent import Make
from gateway.local.process import Part, PartFailed
from gateway.local.state import write_private
from gateway.local.supervisor import StopAsked, Supervisor


def main() -> int:
    folder, wanted = Path(sys.argv[1]), json.loads(sys.argv[2])

    def say(text: str) -> None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def note(pids: dict[str, int]) -> None:
        write_private(folder / "pids.json", json.dumps(pids))

    supervisor = Supervisor(folder / "logs", say, note, Make().was_told_to_end, delays=(0.0, 0.1, 0.1))
    try:
        for one in wanted:
            supervisor.begin(
                Part(
                    name=one["name"],
                    command=("/bin/sh", "-c", one["script"]),
                    ready=lambda running: "ready" in running.output(),
                    env={"PATH": os.defpath},
                    cwd=folder,
                    needs=tuple(one.get("needs", ())),
                    grace_seconds=one.get("grace", 5.0),
                )
            )
            supervisor.wait()
        say("up")
        supervisor.watch()
    except StopAsked:
        say("stopped while starting")
    except PartFailed as failed:
        say(str(failed))
        return 1
    finally:
        supervisor.stop()
        say("down")
    return 0


if __name__ == "__main__":
    sys.exit(main())
