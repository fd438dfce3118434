"""What an import may overwrite, field by field. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Merged:
    """The fields as they are to be, and those that both the file and somebody here changed since the last import."""

    fields: Mapping[str, Any]
    conflicts: tuple[str, ...]


def merge(
    said: Mapping[str, Any], last: Mapping[str, Any], now: Mapping[str, Any] | None, *, overwrite: bool
) -> Merged:
    """What is said, but where the file says what it said last time, and somebody changed it here since.

    `last`: what the import said last time; a field it doesn't have is taken as nobody's edit. `now`: what is; None: a new
    place. `overwrite`: the file wins.
    """
    fields, conflicts = dict(said), []
    for name, value in said.items() if now is not None and not overwrite else ():
        before, present = last.get(name, now[name]), now[name]  # type: ignore[index]
        if present in (before, value):
            continue
        if value == before:
            fields[name] = present
        else:
            conflicts.append(name)
    return Merged(fields, tuple(conflicts))
