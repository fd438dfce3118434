"""The national tables as they come and go: new items, columns that nobody keeps, what they have no column for."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

from casework.catalogue import queries
from casework.catalogue.exporting import service as exporting
from casework.catalogue.importing.reading.service import Format
from core import clock, db
from tests.casework.catalogue.importing.test_formats import edit_table, exported, imported, state, task_code


def test_a_new_item_comes_by_exchange_table_with_its_department_and_zone(own_database: str, tmp_path: Path) -> None:
    folder = exported(tmp_path, Format.EXCHANGE)
    for table in (
        "up_task_general_basic",
        "up_task_general_extend",
        "up_task_general_material",
        "up_task_general_fee_project",
    ):
        file = folder / f"{table}.csv"
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.reader(lines))
        copies = [["33A-NEW-1", *row[1:]] for row in rows if row[0] == task_code("NB-053")]
        with file.open("a", encoding="utf-8", newline="") as lines:
            csv.writer(lines).writerows(copies)
    report = imported(folder)
    assert [str(fault) for fault in report.faults] == []
    assert report.changed == 1
    with db.transaction() as session:
        old = queries.item_in_force(session, "NB-053", clock.today())
        new = queries.item_in_force(session, "NB-33A-NEW-1", date(2018, 1, 1))
    assert (new.name, new.department_id, new.zone_code) == (old.name, old.department_id, old.zone_code)
    # The table only says that some papers depend on the situation: one question each.
    assert [paper.required for paper in new.materials] == [paper.required for paper in old.materials]
    assert {paper.condition for paper in new.materials} - {None} == {question.key for question in new.questions}
    assert imported(folder).changed == 0


def test_national_tables_as_they_come_with_columns_that_nobody_keeps(own_database: str, tmp_path: Path) -> None:
    """The columns of the national library that mean nothing here, codes or labels, and rows that must not come in."""
    folder = exported(tmp_path, Format.EXCHANGE)
    basic = folder / "up_task_general_basic.csv"
    material = folder / "up_task_general_material.csv"
    with basic.open(encoding="utf-8-sig", newline="") as lines:
        head, *rows = list(csv.reader(lines))
    assert {row[head.index("project_type")] for row in rows} == {"1", "2"}
    assert {len(row[head.index("row_guid")]) for row in rows} == {36}
    wider = [[*head, "id", "tenant_id", "link_addr"], *([*row, "1", "33", ""] for row in rows)]
    wider[1][-1] = "https://example.gov.cn/apply"
    with basic.open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines).writerows(wider)
    said = material.read_text(encoding="utf-8-sig")
    report = imported(folder)
    assert (report.faults, report.changed) == ((), 0)
    assert report.not_kept == (("up_task_general_basic", "link_addr", 1),)
    first = task_code("NB-001")
    edit_table(folder, "up_task_general_material", first, "is_need", "必要")
    edit_table(folder, "up_task_general_material", first, "material_format", "纸质")
    assert imported(folder).faults == ()
    material.write_text(said, encoding="utf-8")
    before = state()
    gone = edit_table(folder, "up_task_general_basic", first, "cd_operation", "D")
    ended = edit_table(folder, "up_task_general_basic", task_code("NB-002"), "task_state", "3")
    told = {(fault.place.row, fault.place.column, fault.code) for fault in imported(folder).faults}
    assert told == {(gone, "cd_operation", "REMOVAL"), (ended, "task_state", "NOT_IN_USE")}
    assert state() == before


def test_what_the_tables_have_no_column_for_is_told(own_database: str, tmp_path: Path) -> None:
    with db.transaction() as session:
        tables = exporting.export(session, tmp_path / "tables", Format.EXCHANGE, day=clock.today())
        whole = exporting.export(session, tmp_path / "all.json", Format.JSON, day=clock.today())
    assert tables.not_carried["questions"] > 0
    assert "fee_lines.payee" in tables.not_carried
    assert "fee_lines" not in tables.not_carried
    assert "bookable" not in tables.not_carried
    assert whole.not_carried == {}
