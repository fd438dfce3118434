"""An import that is killed while it writes leaves nothing behind: a real process, a real SIGKILL."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg

from casework.catalogue.generator.service import write_city
from core import clock, db
from tests.casework.catalogue.importing.test_formats import imported, state
from tests.conftest import ROOT

SCRIPT = """
import sys
from pathlib import Path
from casework.catalogue import service
from core import db
from core.actors import System
db.configure(sys.argv[1], pool=2)
with db.transaction() as session:
    service.import_file(session, Path(sys.argv[2]), actor=System("test"), progress=lambda *told: print(*told, flush=True))
"""


def test_a_killed_import_changes_nothing_and_the_next_one_works(own_database: str, tmp_path: Path) -> None:
    file, _ = write_city(tmp_path, items=1_500, points=0, seed=5, day=clock.today())
    before = state()
    url = db.engine().url.render_as_string(hide_password=False)
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, url, str(file)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            if line.startswith("write 1000 "):
                os.kill(process.pid, signal.SIGKILL)
                break
    assert process.wait(30) == -signal.SIGKILL
    _wait_for_locks(url)
    assert state() == before
    assert imported(file).changed == 1_500


def _wait_for_locks(url: str) -> None:
    """Until the server has noticed that its client is gone."""
    for _ in range(100):
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            held = connection.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone()
        if held == (0,):
            return
        time.sleep(0.1)
