"""Statements of hot paths: written as all others are, but compiled once and sent past SQLAlchemy's execution.

Running a statement costs SQLAlchemy several times what it costs the driver: a cache key of all its parts, a context, a
result. That doesn't matter but where every booking or every token passes. There, a module keeps a `Statement` of what it
asks, with named parameters, and gets plain tuples:

    _NAMES = Statement(select(Subject.name).where(Subject.id == bindparam("subject_id")))
    rows = _NAMES.rows(session, subject_id=subject_id)

Values are converted by their columns' types as always, so an encrypted column is encrypted on its way in and read in
plain. Faults of the database are SQLAlchemy's, as elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, cast

import psycopg
from sqlalchemy import ClauseElement, Connection, Executable
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

from core import db

Row = tuple[Any, ...]
_Processor = Callable[[Any], Any]

_CURSOR = "statements.cursor"


@dataclass(frozen=True, slots=True)
class _Ready:
    """A compiled statement. `constants`: parameters whose values it brings itself."""

    sql: str
    constants: dict[str, Any]
    given: dict[str, _Processor]
    answered: tuple[tuple[int, _Processor], ...]
    answers: bool


class Statement:
    """A statement with named parameters; `columns`: those that an INSERT gets values for, each a parameter by its name."""

    def __init__(self, statement: Executable, *, columns: Collection[str] | None = None) -> None:
        self._statement, self._columns = statement, columns
        self._ready: _Ready | None = None

    def rows(self, session: Session, **values: Any) -> list[Row]:
        """Run it in `session`'s transaction; the rows it answers. What is pending in the session is written before."""
        if session.autoflush:
            session.flush()
        connection = session.connection()
        ready = self._ready
        if ready is None:
            ready = self._ready = self._compiled(connection.dialect)
        return _run(connection, ready, values)

    def row(self, session: Session, **values: Any) -> Row | None:
        """The first row, or None."""
        found = self.rows(session, **values)
        return found[0] if found else None

    def alone(self, **values: Any) -> list[Row]:
        """Run it by itself, outside any transaction: one round trip, where opening and ending one would be two more."""
        ready = self._ready
        if ready is None:
            ready = self._ready = self._compiled(db.engine().dialect)
        with db.engine().connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.autocommit = True
            try:
                return _run(connection, ready, values)
            finally:
                if not driver.closed:
                    driver.autocommit = False

    def _compiled(self, dialect: Dialect) -> _Ready:
        # At its first use, because mappers aren't complete while modules are imported.
        columns = None if self._columns is None else list(self._columns)
        statement = cast(ClauseElement, self._statement)
        compiled = cast(SQLCompiler, statement.compile(dialect=dialect, column_keys=columns))
        asked = {name: bind.type for name, bind in compiled.binds.items() if bind.required}
        # The values of an IN are written out once and for all.
        whole = compiled.construct_expanded_state(dict.fromkeys(asked))
        answered = [column.type for column in getattr(self._statement, "exported_columns", ())]
        return _Ready(
            sql=whole.statement,
            constants={name: value for name, value in whole.parameters.items() if name not in asked},
            given=_processors(asked, dialect),
            answered=_readers(answered, dialect),
            answers=bool(answered),
        )


def _processors(types: dict[str, TypeEngine[Any]], dialect: Dialect) -> dict[str, _Processor]:
    found = {name: kind.dialect_impl(dialect).bind_processor(dialect) for name, kind in types.items()}
    return {name: process for name, process in found.items() if process is not None}


def _readers(types: list[TypeEngine[Any]], dialect: Dialect) -> tuple[tuple[int, _Processor], ...]:
    found = [kind.dialect_impl(dialect).result_processor(dialect, None) for kind in types]
    return tuple((place, process) for place, process in enumerate(found) if process is not None)


def _read(row: Row, readers: tuple[tuple[int, _Processor], ...]) -> Row:
    values = list(row)
    for place, process in readers:
        values[place] = process(values[place])
    return tuple(values)


def _run(connection: Connection, ready: _Ready, values: dict[str, Any]) -> list[Row]:
    cursor = connection.info.get(_CURSOR)
    if cursor is None or cursor.connection is not connection.connection.driver_connection:
        driver: Any = connection.connection.driver_connection
        cursor = connection.info[_CURSOR] = driver.cursor()
    for name, process in ready.given.items():
        values[name] = process(values[name])
    values.update(ready.constants)
    # Whoever listens to what is executed hears this too.
    for heard in connection.engine.dispatch.before_cursor_execute:
        heard(connection, cursor, ready.sql, values, None, False)
    try:
        cursor.execute(ready.sql, values)
        found = cursor.fetchall() if ready.answers else []
    except psycopg.Error as fault:
        if cursor.connection.closed:
            # The general way of noticing a lost connection lets the whole pool know.
            connection.exec_driver_sql("SELECT 1")
        raise DBAPIError.instance(ready.sql, None, fault, psycopg.Error, dialect=connection.dialect) from fault
    return [_read(row, ready.answered) for row in found] if ready.answered else found
