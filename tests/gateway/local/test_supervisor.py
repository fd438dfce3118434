"""The supervisor starts, restarts and ends parts, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[3]
WAIT = "while :; do sleep 0.02; done"
STAYS = f"echo ready; {WAIT}"


def until(true: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


class Stack:
    """A fake stack in its own process."""

    def __init__(self, folder: Path, *parts: dict[str, Any]) -> None:
        self.folder = folder
        self.screen = folder / "screen.txt"
        with self.screen.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.gateway.local.fake_stack", str(folder), json.dumps(parts)],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def shown(self) -> str:
        return self.screen.read_text()

    def lines(self, text: str) -> int:
        return self.shown().count(text)

    def pids(self) -> dict[str, int]:
        try:
            found: dict[str, int] = json.loads((self.folder / "pids.json").read_text())
        except FileNotFoundError:
            return {}
        return found

    def up(self) -> Stack:
        until(lambda: "up\n" in self.shown())
        return self

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(15)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Callable[..., Stack]]:
    made: list[Stack] = []

    def start(*parts: dict[str, Any]) -> Stack:
        made.append(Stack(tmp_path, *parts))
        return made[-1]

    yield start
    for one in made:
        if one.process.poll() is None:
            one.end()


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_parts_start_in_order_and_end_in_reverse(
    stack: Callable[..., Stack], tmp_path: Path, number: signal.Signals
) -> None:
    def noting(name: str) -> str:
        return f"trap 'echo {name} ends >> order; exit 0' TERM; echo {name} >> order; {STAYS}"

    running = stack({"name": "first", "script": noting("first")}, {"name": "second", "script": noting("second")}).up()
    pids = running.pids()
    assert running.end(number) == 0
    assert (tmp_path / "order").read_text().splitlines() == ["first", "second", "second ends", "first ends"]
    assert all(gone(pid) for pid in pids.values())


def test_a_killed_part_starts_again_at_once_and_alone(stack: Callable[..., Stack], tmp_path: Path) -> None:
    # Its child leaves the process group, as PostgreSQL's do: the group's end does not reach it.
    child = f'{sys.executable} -c \'import os, time; os.setsid(); open("child", "w").write(str(os.getpid())); time.sleep(60)\''
    running = stack(
        {"name": "steady", "script": STAYS},
        {"name": "victim", "script": f"rm -f child; {child} & while ! [ -s child ]; do sleep 0.02; done; {STAYS}"},
    ).up()
    before = running.pids()
    orphan = int((tmp_path / "child").read_text())
    os.kill(before["victim"], signal.SIGKILL)
    until(lambda: running.pids()["victim"] != before["victim"], 2.0)
    until(lambda: "victim works again" in running.shown())
    assert "victim ended (killed by SIGKILL); starting it again" in running.shown()
    assert running.pids()["steady"] == before["steady"]
    assert gone(orphan)
    assert running.end() == 0


def test_a_part_waits_for_what_it_needs(stack: Callable[..., Stack]) -> None:
    running = stack(
        {"name": "base", "script": f"sleep 0.6; {STAYS}"}, {"name": "user", "script": STAYS, "needs": ["base"]}
    ).up()
    for name in ("base", "user"):
        os.kill(running.pids()[name], signal.SIGKILL)
    until(lambda: "user works again" in running.shown())
    assert running.shown().index("base works again") < running.shown().index("user works again")


def test_deaths_for_want_of_what_it_needs_are_not_held_against_a_part(stack: Callable[..., Stack]) -> None:
    running = stack({"name": "base", "script": STAYS}, {"name": "user", "script": STAYS, "needs": ["base"]}).up()
    for _ in range(3):
        before, again = running.pids(), running.lines("user works again")
        for name in ("base", "user"):
            os.kill(before[name], signal.SIGKILL)
        until(lambda again=again: running.lines("user works again") > again)  # type: ignore[misc]
    assert running.process.poll() is None


def test_a_part_that_keeps_dying_ends_everything_with_its_last_words(stack: Callable[..., Stack]) -> None:
    running = stack(
        {"name": "steady", "script": STAYS}, {"name": "broken", "script": "echo ready; sleep 0.1; echo oh no; exit 3"}
    ).up()
    steady = running.pids()["steady"]
    assert running.process.wait(15) == 1
    assert "broken ended 4 times within 30 s (last: exit code 3); giving up.\n    ready\n    oh no\n" in running.shown()
    assert gone(steady)


def test_a_part_that_does_not_start_ends_everything_with_its_last_words(stack: Callable[..., Stack]) -> None:
    running = stack({"name": "steady", "script": STAYS}, {"name": "broken", "script": "echo no disk; exit 1"})
    assert running.process.wait(15) == 1
    assert "broken ended (exit code 1).\n    no disk\n" in running.shown()
    assert gone(running.pids()["steady"])


def test_a_killed_supervisor_leaves_no_process(stack: Callable[..., Stack]) -> None:
    running = stack({"name": "first", "script": STAYS}, {"name": "second", "script": STAYS}).up()
    pids = running.pids()
    running.end(signal.SIGKILL)
    until(lambda: all(gone(pid) for pid in pids.values()), 5.0)


def test_a_signal_while_starting_stops_at_once(stack: Callable[..., Stack]) -> None:
    running = stack({"name": "first", "script": STAYS}, {"name": "slow", "script": WAIT})
    until(lambda: "slow" in running.pids())
    pids = running.pids()
    assert running.end(signal.SIGINT) == 0
    assert "stopped while starting" in running.shown()
    assert all(gone(pid) for pid in pids.values())


def test_a_part_that_will_not_end_is_killed_after_its_grace(stack: Callable[..., Stack]) -> None:
    running = stack({"name": "stubborn", "script": f"trap '' TERM; {STAYS}", "grace": 0.3}).up()
    stubborn = running.pids()["stubborn"]
    assert running.end() == 0
    assert gone(stubborn)


def test_a_second_signal_means_now(stack: Callable[..., Stack]) -> None:
    running = stack({"name": "stubborn", "script": f"trap 'echo asked' TERM; {STAYS}", "grace": 60}).up()
    running.process.send_signal(signal.SIGINT)
    log = running.folder / "logs" / "stubborn.log"
    until(lambda: "asked" in log.read_text())
    began = time.monotonic()
    assert running.end(signal.SIGINT) == 0
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_to_make_alone_ends_the_stack(tmp_path: Path, number: signal.Signals) -> None:
    parts = json.dumps([{"name": "one", "script": STAYS}])
    (tmp_path / "Makefile").write_text("run:\n\t@exec $(COMMAND)\n")
    command = f"{sys.executable} -m tests.gateway.local.fake_stack '{tmp_path}' '{parts}'"
    environment = {**os.environ, "COMMAND": command, "PYTHONPATH": str(ROOT)}
    with (tmp_path / "screen.txt").open("wb") as output:
        make = subprocess.Popen(["make", "run"], cwd=tmp_path, env=environment, stdout=output, stderr=output)
    until(lambda: "up\n" in (tmp_path / "screen.txt").read_text())
    part = json.loads((tmp_path / "pids.json").read_text())["one"]
    make.send_signal(number)
    make.wait(10)
    until(lambda: gone(part), 5.0)
    until(lambda: "down\n" in (tmp_path / "screen.txt").read_text(), 5.0)
