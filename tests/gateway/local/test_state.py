"""One stack a checkout; leftovers end; `make reset` removes what there is."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.local.state import ELSEWHERE, ELSEWHERE_PREFIX, MARKER, Local, Trouble, elsewhere, write_private


@pytest.fixture
def local(tmp_path: Path) -> Local:
    made = Local(tmp_path / "a checkout")
    made.root.mkdir()
    made.make()
    return made


def _sleeper(**environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["/bin/sleep", "60"], env=environment, stdin=subprocess.DEVNULL)


def test_a_second_stack_is_told_who_runs(local: Local) -> None:
    with local.lock():
        local.write_running({"pid": 4711, "web": "http://127.0.0.1:8000"})
        with pytest.raises(Trouble, match=r"already runs.*process 4711, http://127.0.0.1:8000"), local.lock():
            pass
        with pytest.raises(Trouble, match="already runs"):
            local.reset()
    assert local.folder.is_dir()


def test_the_lock_ends_with_its_holder(local: Local) -> None:
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time; from pathlib import Path; from gateway.local.state import Local\n"
            "with Local(Path(sys.argv[1])).lock(): print(flush=True); time.sleep(60)",
            str(local.root),
        ],
        cwd=Path(__file__).resolve().parents[3],
        stdout=subprocess.PIPE,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"\n"
        with pytest.raises(Trouble, match="already runs"), local.lock():
            pass
        holder.kill()
    with local.lock():
        pass


def test_leftovers_of_this_checkout_end_and_no_others(local: Local) -> None:
    with _sleeper(**{MARKER: str(local.folder)}) as ours, _sleeper(**{MARKER: "/another/.local"}) as another:
        assert local.end_leftovers() == [ours.pid]
        assert ours.wait(5) != 0
        assert another.poll() is None
        another.kill()


def test_reset_removes_everything_also_what_had_to_lie_elsewhere(local: Local, tmp_path: Path) -> None:
    place = tmp_path / f"{ELSEWHERE_PREFIX}abc"
    place.mkdir()
    local.postgres.mkdir()
    (local.postgres / ELSEWHERE).write_text(f"{place}\n")
    with _sleeper(**{MARKER: str(local.folder)}) as ours:
        local.reset()
        assert ours.wait(5) != 0
    assert not local.folder.exists()
    assert not place.exists()
    local.reset()


def test_reset_does_not_follow_a_place_that_is_not_ours(local: Local, tmp_path: Path) -> None:
    local.postgres.mkdir()
    (local.postgres / ELSEWHERE).write_text(f"{tmp_path}\n")
    assert elsewhere(local.postgres) is None
    local.reset()
    assert tmp_path.is_dir()


def test_private_files_are_private_from_the_first_byte(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    before = os.umask(0)
    try:
        write_private(file, "one")
        write_private(file, "two")
    finally:
        os.umask(before)
    assert file.read_text() == "two"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]
