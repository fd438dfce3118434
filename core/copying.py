"""Writing many rows at once: PostgreSQL's COPY, fed with text that is made here.

A statement for each row costs the driver and the server several times what the row itself costs; that matters where a whole city's
catalogue is written. Columns that aren't named take their defaults. Values are `None`, texts, numbers, truth values, dates, UUIDs and
bytes as they are; lists in a column that is an array; whatever is JSON in a column that is JSONB.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import orjson
import psycopg
from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

_NULL = "\\N"
_BLOCK = 200
"""Rows that are sent at a time."""
_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_QUOTED = str.maketrans({"\\": "\\\\", '"': '\\"'})

_Write = Callable[[Any], str]


def copy(session: Session, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows with these columns, in the transaction of `session`; what is pending in it is written before.

    Faults of the database are SQLAlchemy's, as elsewhere.
    """
    session.flush()
    connection = session.connection()
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101
    quote = connection.dialect.identifier_preparer.quote
    order = f"COPY {quote(table.name)} ({', '.join(map(quote, columns))}) FROM STDIN"
    try:
        with driver.cursor() as cursor, cursor.copy(order) as to:
            for block in _blocks(rows, [_writer(table, name) for name in columns]):
                to.write(block)
    except psycopg.Error as fault:
        raise DBAPIError.instance(order, None, fault, psycopg.Error, dialect=connection.dialect) from fault


def _blocks(rows: Iterable[Sequence[Any]], writes: Sequence[_Write]) -> Iterator[str]:
    block: list[str] = []
    for row in rows:
        line = [_NULL if value is None else write(value) for write, value in zip(writes, row, strict=True)]
        block.append("\t".join(line))
        if len(block) == _BLOCK:
            yield "\n".join((*block, ""))
            block.clear()
    if block:
        yield "\n".join((*block, ""))


def _writer(table: Table, name: str) -> _Write:
    kind = table.c[name].type
    if isinstance(kind, JSONB):
        return _json
    if isinstance(kind, ARRAY):
        return _array
    return _plain


def _json(value: Any) -> str:
    return orjson.dumps(value).decode().translate(_ESCAPED)


def _array(value: Sequence[Any]) -> str:
    if not value:
        return "{}"
    inner = '","'.join([str(one).translate(_QUOTED) for one in value])
    return f'{{"{inner}"}}'.translate(_ESCAPED)


def _plain(value: Any) -> str:
    if type(value) is str:
        return value.translate(_ESCAPED) if "\\" in value or not value.isprintable() else value
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, bytes):
        return f"\\\\x{value.hex()}"
    return str(value).translate(_ESCAPED)
