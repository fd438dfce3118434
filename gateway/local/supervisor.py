"""Starts the parts of the local stack, starts those again that die, ends all of them.

One thread, no exceptions out of signal handlers: a signal only sets a flag, which every wait looks at.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import psutil

from gateway.local import process
from gateway.local.process import POLL_SECONDS, Part, PartFailed, Running, last_lines

WATCH_SECONDS = 0.2
# A part that dies once more than there are delays here, all within so many seconds, is broken, not unlucky.
DEATHS_WITHIN_SECONDS = 30.0
DELAYS_SECONDS = (0.0, 1.0, 2.0, 4.0)
_LOG_BYTES = 5_000_000
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopAsked(Exception):
    """A signal asked for the end while parts were being started."""


@dataclass(slots=True)
class _Kept:
    """A part under supervision."""

    running: Running
    ready: bool = False
    again_at: float | None = None
    deaths: list[float] = field(default_factory=list)

    @property
    def part(self) -> Part:
        return self.running.part


class Supervisor:
    """Keeps parts running. `say` gets a line for the screen; `changed` the process ids whenever they change.

    `asked` tells whether the end was asked for in another way than by a signal to this process; `delays`: seconds before
    each new start of a part that keeps dying.
    """

    def __init__(
        self,
        logs: Path,
        say: Callable[[str], None],
        changed: Callable[[dict[str, int]], None],
        asked: Callable[[], bool],
        delays: Sequence[float] = DELAYS_SECONDS,
    ) -> None:
        self.logs, self.say, self.changed, self.asked, self.delays = logs, say, changed, asked, delays
        self._kept: dict[str, _Kept] = {}
        self._signals = 0
        self._handlers = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}
        process.adopt_orphans()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1

    @property
    def busy(self) -> bool:
        """Whether anything was begun."""
        return bool(self._kept)

    def begin(self, part: Part) -> None:
        """Start `part` without waiting for it."""
        self._stop_asked()
        log = self.logs / f"{part.name}.log"
        _rotate(log)
        self._kept[part.name] = _Kept(process.start(part, log))
        self._announce()

    def wait(self) -> None:
        """Wait until everything begun so far works. Raises `PartFailed` or `StopAsked`."""
        while waiting := [kept for kept in self._kept.values() if not kept.ready]:
            for kept in waiting:
                kept.ready = process.is_ready(kept.running)
                if kept.ready:
                    self.say(f"{kept.part.name} ready")
            self._pause(POLL_SECONDS)

    def step(self, part: Part) -> str:
        """Run `part` to its end and return what it printed. Raises `PartFailed` when its exit code isn't 0, or `StopAsked`."""
        self._stop_asked()
        log = self.logs / f"{part.name}.log"
        _rotate(log)
        printed = log.with_suffix(".out")
        printed.unlink(missing_ok=True)
        running = process.start(part, log, printed)
        try:
            while running.alive():
                self._pause(POLL_SECONDS)
            if running.process.returncode != 0:
                raise PartFailed(f"{part.name} did not succeed ({running.exit_reason()}).\n{last_lines(running)}")
            return printed.read_text(encoding="utf-8", errors="replace")
        finally:
            process.stop(running)
            printed.unlink(missing_ok=True)

    def watch(self) -> None:
        """Keep everything running until a signal asks for the end. Raises `PartFailed` when a part is broken."""
        while not (self._signals or self.asked()):
            self.tick(time.monotonic())
            time.sleep(WATCH_SECONDS)

    def tick(self, now: float) -> None:
        """Look at every part once."""
        for kept in self._kept.values():
            if kept.again_at is not None:
                if now >= kept.again_at and self._has_its_needs(kept):
                    kept.again_at = None
                    kept.running = process.start(kept.part, kept.running.log)
                    self._announce()
            elif not kept.running.alive():
                self._died(kept, kept.running.exit_reason(), now)
            elif not kept.ready:
                if kept.part.ready(kept.running):
                    kept.ready = True
                    self.say(f"{kept.part.name} works again")
                elif now - kept.running.started > kept.part.ready_seconds:
                    self._died(kept, f"not ready after {kept.part.ready_seconds:.0f} s", now)

    def _has_its_needs(self, kept: _Kept) -> bool:
        return all(self._kept[name].ready for name in kept.part.needs if name in self._kept)

    def _died(self, kept: _Kept, reason: str, now: float) -> None:
        kept.ready = False
        process.sweep(kept.running)
        self._end_strays()
        if self._has_its_needs(kept):
            kept.deaths = [moment for moment in kept.deaths if now - moment < DEATHS_WITHIN_SECONDS] + [now]
        count = len(kept.deaths)
        if count > len(self.delays):
            raise PartFailed(
                f"{kept.part.name} ended {count} times within {DEATHS_WITHIN_SECONDS:.0f} s (last: {reason}); giving up.\n"
                f"{last_lines(kept.running)}"
            )
        delay = self.delays[max(count - 1, 0)]
        kept.again_at = now + delay
        self.say(f"{kept.part.name} ended ({reason}); starting it again" + (f" in {delay:.0f} s" if delay else ""))

    def _end_strays(self) -> None:
        """End what a dead part has left behind: it is a child of this process now."""
        ours = {kept.running.pid for kept in self._kept.values()}
        strays = [child for child in psutil.Process().children() if child.pid not in ours]
        process.kill([*strays, *(grandchild for stray in strays for grandchild in process.children(stray.pid))])

    def stop(self) -> None:
        """End everything in reverse order. A second signal while this runs means: at once."""
        asked = self._signals
        for kept in reversed(self._kept.values()):
            process.stop(kept.running, hurry=lambda: self._signals > asked)
        self._kept.clear()
        self._end_strays()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _pause(self, seconds: float) -> None:
        self._stop_asked()
        time.sleep(seconds)

    def _stop_asked(self) -> None:
        if self._signals or self.asked():
            raise StopAsked

    def _announce(self) -> None:
        self.changed({name: kept.running.pid for name, kept in self._kept.items()})


def _rotate(log: Path) -> None:
    """Keep one older log when a log has grown past 5 MB."""
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
