"""A catalogue goes out of one database and into another one that has only the sample, and comes out as it was."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from casework.catalogue.exporting import service as exporting
from casework.catalogue.generator.service import write_city
from casework.catalogue.importing.reading.service import Format
from core import clock, db
from tests import servers
from tests.casework.catalogue.importing.test_formats import TARGETS, imported
from tests.servers import Services

_MARKS = {"row_guid", "task_guid", "cd_time"}
"""Which row of which export it is: made from the item's code, which these tables don't carry."""
_ITEMS = 300


def _export(folder: Path, wanted: Format) -> Path:
    folder.mkdir()
    target = folder / TARGETS[wanted]
    with db.transaction() as session:
        assert exporting.export(session, target, wanted, day=clock.today()).items == 114 + _ITEMS
    return target


def _document(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))["items"]


def _sheets(file: Path) -> Any:
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in openpyxl.load_workbook(file)}


def _tables(folder: Path) -> Any:
    found = {}
    for file in folder.iterdir():
        with file.open(encoding="utf-8-sig", newline="") as lines:
            found[file.stem] = sorted(
                tuple(value for name, value in row.items() if name not in _MARKS) for row in csv.DictReader(lines)
            )
    return found


_READ: dict[Format, Callable[[Path], Any]] = {
    Format.JSON: _document,
    Format.EXCEL: _sheets,
    Format.EXCHANGE: _tables,
}


@pytest.mark.parametrize("wanted", list(Format))
def test_a_city_moves_into_a_database_that_has_only_the_sample(
    own_database: str, services: Services, tmp_path: Path, wanted: Format
) -> None:
    file, _ = write_city(tmp_path, items=_ITEMS, points=0, seed=11, day=clock.today())
    assert imported(file).changed == _ITEMS
    first = _export(tmp_path / "first", wanted)
    url = db.engine().url
    other = f"{own_database}_other"
    servers.clone(services, other)
    try:
        db.configure(url.set(database=other).render_as_string(hide_password=False), pool=2)
        report = imported(first)
        assert [str(fault) for fault in report.faults] == []
        assert report.changed == _ITEMS
        assert _READ[wanted](_export(tmp_path / "second", wanted)) == _READ[wanted](first)
        assert imported(first).changed == 0
    finally:
        db.configure(url.render_as_string(hide_password=False), pool=2)
        servers.admin(services.postgres, f"DROP DATABASE {other} WITH (FORCE)")
