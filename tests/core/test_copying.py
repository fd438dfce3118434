"""COPY writes what an INSERT would: every kind of value that the catalogue's tables hold, and the texts that its format minds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Column, Date, Integer, LargeBinary, MetaData, Table, Text, Uuid, insert, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core import clock, ids
from core.copying import copy

HARD = ["", "\\N", "\\.", "a\tb\nc\rd", 'say "so"', "\\", "{x,y}", "NULL", "宁波\u3000市", "😀", "'; --", " \\n "]
TRIED = Table(
    "tried copy",
    MetaData(),
    Column("no", Integer, primary_key=True),
    Column("text", Text),
    Column("texts", ARRAY(Text)),
    Column("json", JSONB(none_as_null=True)),
    Column("bytes", LargeBinary),
    Column("flag", Integer),
    Column("day", Date),
    Column("id", Uuid),
    Column("rest", Text, server_default="left"),
    prefixes=["TEMPORARY"],
)
_ROWS: list[tuple[Any, ...]] = [
    (no, text, HARD[:no], {text: [text, no, None, True, {"deep": HARD}]}, text.encode() + b"\x00\xff", no, clock.today(), ids.uuid7())
    for no, text in enumerate(HARD, 1)
]  # fmt: skip
_ROWS.append((99, *[None] * 7))
_COLUMNS = [column.name for column in TRIED.c][:-1]


def _inserted(session: Session) -> None:
    session.execute(insert(TRIED), [dict(zip(_COLUMNS, row, strict=True)) for row in _ROWS])


def _copied(session: Session) -> None:
    copy(session, TRIED, _COLUMNS, iter(_ROWS))


@pytest.mark.parametrize("write", [_inserted, _copied])
def test_what_is_written_is_read_back(session: Session, write: Callable[[Session], None]) -> None:
    TRIED.create(session.connection())
    write(session)
    assert [tuple(row) for row in session.execute(select(TRIED).order_by(TRIED.c.no))] == [(*r, "left") for r in _ROWS]
    TRIED.drop(session.connection())


def test_many_rows_and_none_are_written_and_a_fault_is_the_databases(session: Session) -> None:
    TRIED.create(session.connection())
    copy(session, TRIED, ["no"], [])
    copy(session, TRIED, ["no", "text"], ((no, str(no)) for no in range(1_001)))
    assert session.scalars(select(TRIED.c.text).order_by(TRIED.c.no)).all() == [str(no) for no in range(1_001)]
    with pytest.raises(DBAPIError, match="duplicate"), session.begin_nested():
        copy(session, TRIED, ["no"], [(5,)])
    TRIED.drop(session.connection())
