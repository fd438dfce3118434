"""What one process publishes, every other one shows within a second, out of answers it keeps (S22)."""

import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from core import db
from tests.factories import items

ROOT = Path(__file__).resolve().parents[4]

READER = """
import sys, time
import orjson
from casework.catalogue import queries
from casework.catalogue.answers import queries as answers
from core import clock, db

db.configure(sys.argv[1], pool=2)
last, until, asked = None, time.monotonic() + 30, 0
while time.monotonic() < until:
    kept = answers.kept("hours")
    if kept is None:
        with db.transaction() as session:
            revision = answers.revision(session)
            kept = answers.kept("hours")
            if kept is None:
                asked += 1
                hours = queries.item_in_force(session, "NB-002", clock.today()).hours
                kept = answers.keep("hours", revision, orjson.dumps(hours))
    hours = orjson.loads(kept.body)
    if hours != last:
        print(f"{time.time()} {asked} {hours}", flush=True)
        last = hours
        if hours == "7:00-19:00":
            break
    time.sleep(0.01)
"""


def line(reader: subprocess.Popen[str]) -> tuple[float, int, str]:
    """What a reader printed: when, how often it has asked the database for the hours, the hours."""
    assert reader.stdout is not None
    at, asked, hours = reader.stdout.readline().split(" ", 2)
    return float(at), int(asked), hours.strip()


def test_two_other_processes_show_it_within_a_second(own_database: str) -> None:
    url = db.engine().url.render_as_string(hide_password=False)
    with ExitStack() as stack:
        readers = []
        for _ in range(2):
            command = [sys.executable, "-c", READER, url]
            reader = stack.enter_context(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True))
            stack.callback(reader.kill)
            readers.append(reader)
        assert {line(reader)[2] for reader in readers} != {"7:00-19:00"}
        with db.transaction() as session:
            items.published(session, items.managers(session), "process", hours="7:00-19:00")
        published_at = time.time()
        for reader in readers:
            at, asked, hours = line(reader)
            assert hours == "7:00-19:00"
            assert asked <= 3  # kept in between: not asked at every look
            assert at - published_at < 1.5  # a second, and what a busy machine adds
