"""Three formats in and out: what is written is read back as it was, and every fault of a file is told with its place."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import func, select, text

from casework.catalogue import queries, service
from casework.catalogue.errors import ImportRunning
from casework.catalogue.exporting import service as exporting
from casework.catalogue.importing.faults.rules import Fault
from casework.catalogue.importing.reading.service import UPLOAD, Format, Unreadable, opened
from casework.catalogue.importing.records import queries as records
from casework.catalogue.importing.service import ImportReport
from casework.catalogue.models import CatalogueRevision, ItemVersion
from casework.catalogue.situations.rules import YES
from core import clock, db
from core.actors import System

OPERATOR = System("test")
TARGETS = {Format.JSON: "all.json", Format.EXCEL: "all.xlsx", Format.EXCHANGE: "tables"}
Edit = Callable[[Path], None]


def exported(folder: Path, wanted: Format) -> Path:
    target = folder / TARGETS[wanted]
    with db.transaction() as session:
        assert exporting.export(session, target, wanted, day=clock.today()).items == 114
    return target


def imported(file: Path) -> ImportReport:
    with db.transaction() as session:
        report = service.import_file(session, file, actor=OPERATOR)
        if report.faults:
            session.rollback()
        return report


def state() -> tuple[int, int]:
    with db.transaction() as session:
        revision = session.scalars(select(CatalogueRevision.revision)).one()
        return revision, session.scalars(select(func.count()).select_from(ItemVersion)).one()


def edit_json(file: Path, change: Callable[[dict[str, Any]], None]) -> None:
    document = json.loads(file.read_text(encoding="utf-8"))
    change({item["item_id"]: item for item in document["items"]})
    file.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")


def edit_sheet(file: Path, sheet: str, item_id: str, column: str, value: Any, *, nth: int = 0) -> int:
    """Write a cell of the nth row of an item; returns the row's number."""
    book = openpyxl.load_workbook(file)
    cells = book[sheet]
    at = [cell.value for cell in cells[1]].index(column) + 1
    row = [row[0].row for row in cells.iter_rows(max_col=1) if row[0].value == item_id][nth]
    cells.cell(row, at).value = value
    book.save(file)
    return int(row)


def edit_table(folder: Path, table: str, item: str, column: str, value: str, *, nth: int = 0) -> int:
    file = folder / f"{table}.csv"
    with file.open(encoding="utf-8-sig", newline="") as text_file:
        rows = list(csv.reader(text_file))
    found = [number for number, row in enumerate(rows) if row[0] == item][nth]
    rows[found][rows[0].index(column)] = value
    with file.open("w", encoding="utf-8-sig", newline="") as text_file:
        csv.writer(text_file).writerows(rows)
    return found + 1


def task_code(item_id: str) -> str:
    with db.transaction() as session:
        return queries.item_in_force(session, item_id, clock.today()).task_code


@pytest.mark.parametrize("wanted", list(Format))
def test_what_was_exported_is_unchanged_when_it_is_imported(own_database: str, tmp_path: Path, wanted: Format) -> None:
    file = exported(tmp_path, wanted)
    before = state()
    report = imported(file)
    assert [str(fault) for fault in report.faults] == []
    assert (report.items, report.changed) == (114, 0)
    assert state() == before


@pytest.mark.parametrize("wanted", list(Format))
def test_a_change_is_one_new_version_and_the_same_file_again_changes_nothing(
    own_database: str, tmp_path: Path, wanted: Format
) -> None:
    file = exported(tmp_path, wanted)
    if wanted is Format.JSON:
        edit_json(file, lambda items: items["NB-002"].update(consult="８８８８"))
    elif wanted is Format.EXCEL:
        edit_sheet(file, "事项", "NB-002", "咨询方式", "８８８８")
    else:
        edit_table(file, "up_task_general_basic", task_code("NB-002"), "link_way", "８８８８")
    with db.transaction() as session:
        old = queries.item_in_force(session, "NB-002", clock.today())
    assert imported(file).changed == 1
    after = state()
    assert imported(file).changed == 0
    assert state() == after
    with db.transaction() as session:
        new = queries.item_in_force(session, "NB-002", clock.today())
        assert (new.version, new.consult) == (2, "８８８８")
        # What the format can't say stayed.
        assert (new.questions, new.materials, new.fee_lines) == (old.questions, old.materials, old.fee_lines)


def test_seven_faults_of_a_document_are_told_and_nothing_changes(own_database: str, tmp_path: Path) -> None:
    file = exported(tmp_path, Format.JSON)

    def plant(items: dict[str, Any]) -> None:
        items["NB-001"]["avg_handle_minutes"] = "25"
        items["NB-002"]["zone_code"] = "Z9"
        items["NB-003"]["colour"] = "red"
        del items["NB-004"]["name"]
        items["NB-005"]["materials"][0]["no"] = items["NB-005"]["materials"][1]["no"]
        items["NB-006"]["materials"][0].update(licence_key="NONE", waivable=True)
        items["NB-007"]["trips_to_hall"] = 2
        items["NB-008"]["consult"] = "good, but not written"

    edit_json(file, plant)
    # A name that isn't said stays as it was; that of a new item must be said.
    document = json.loads(file.read_text(encoding="utf-8"))
    document["items"].append({"item_id": "NB-900", **{k: v for k, v in document["items"][3].items() if k != "item_id"}})
    file.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    before = state()
    told = {(fault.path, fault.code) for fault in imported(file).faults}
    assert told == {
        ("items.0.avg_handle_minutes", "SHAPE"),
        ("items.1.zone_code", "UNKNOWN_ZONE"),
        ("items.2.colour", "UNKNOWN_FIELD"),
        ("items.4.materials.1.no", "TWICE"),
        ("items.5.materials.0.licence_key", "UNKNOWN_LICENCE"),
        ("items.6.trips_reason", "TRIPS_REASON"),
        ("items.114.name", "MISSING"),
    }
    assert state() == before


def test_seven_faults_of_a_workbook_are_told_with_sheet_row_and_column(own_database: str, tmp_path: Path) -> None:
    file = exported(tmp_path, Format.EXCEL)
    planted = {
        ("事项", edit_sheet(file, "事项", "NB-001", "平均办理分钟", "二十五"), "平均办理分钟", "NOT_A_NUMBER"),
        ("事项", edit_sheet(file, "事项", "NB-002", "支持预约", "也许"), "支持预约", "NOT_A_FLAG"),
        ("事项", edit_sheet(file, "事项", "NB-003", "办件类型", "上报件"), "办件类型", "NOT_A_CHOICE"),
        ("事项", edit_sheet(file, "事项", "NB-004", "事项名称", ""), "事项名称", "MISSING"),
        ("事项", edit_sheet(file, "事项", "NB-005", "区域编码", "Z9"), "区域编码", "UNKNOWN_ZONE"),
        ("材料", edit_sheet(file, "材料", "NB-006", "材料名称", "=1+1"), "材料名称", "FORMULA"),
        ("材料", edit_sheet(file, "材料", "NB-007", "事项编码", "NB-777"), "", "UNKNOWN_ITEM"),
    }
    before = state()
    faults = imported(file).faults
    assert {(fault.place.sheet, fault.place.row, fault.place.column, fault.code) for fault in faults} == planted
    assert len(faults) == 7
    assert state() == before
    for fault in faults:
        shown = fault.told()
        assert " / " in shown["problem"]
        assert " / " in shown["mend"]


def test_seven_faults_of_exchange_tables_are_told_with_file_row_and_column(own_database: str, tmp_path: Path) -> None:
    folder = exported(tmp_path, Format.EXCHANGE)
    basic, extend, material = "up_task_general_basic", "up_task_general_extend", "up_task_general_material"
    fee = "up_task_general_fee_project"
    codes = [task_code(f"NB-00{i}") for i in range(1, 8)]
    planted = {
        (extend, edit_table(folder, extend, codes[0], "is_schedule", "2"), "is_schedule", "NOT_A_FLAG"),
        (
            basic,
            edit_table(folder, basic, codes[1], "plan_effective_date", "2999年1月2日"),
            "plan_effective_date",
            "NOT_YET",
        ),
        (basic, edit_table(folder, basic, codes[2], "dept_name", "某某局"), "dept_name", "UNKNOWN_DEPARTMENT"),
        (basic, edit_table(folder, basic, codes[3], "server_type", "1、8"), "server_type", "NOT_A_CHOICE"),
        (extend, edit_table(folder, basic, codes[4], "limit_scene_num", "3"), "limit_scene_explain", "TRIPS_REASON"),
        (material, edit_table(folder, material, codes[5], "is_need", "随便"), "is_need", "NOT_A_CHOICE"),
        (fee, edit_table(folder, fee, codes[1], "fee_stand", "面议"), "fee_stand", "TARIFF"),
    }
    before = state()
    faults = imported(folder).faults
    assert {(fault.place.sheet, fault.place.row, fault.place.column, fault.code) for fault in faults} == planted
    assert len(faults) == 7
    assert state() == before


def test_a_workbook_as_departments_send_it(own_database: str, tmp_path: Path) -> None:
    """Titles above, merged codes, blank rows, full-width digits, numbers as text, a column less and a sheet less."""
    book = openpyxl.Workbook()
    items = book.active
    assert items is not None
    items.title = "事项"
    items.append(["宁波市政务服务事项表（2026年）"])
    items.merge_cells("A1:D1")
    items.append([])
    items.append(["事项编码 ", "事项名称", "平均办理分钟", "支持预约", "每日可预约量"])
    items.append(["ＮＢ-００１", "预购商品房预告登记", "２５", "√", None])
    items.append([None, "  ", None])
    items.append(["NB-002", "存量房转移登记", 30.0, "否", "１２"])
    papers = book.create_sheet("材料")
    papers.append(["事项编码", "序号", "材料名称"])
    for no, name in enumerate(("申请书", "身份证"), 1):
        papers.append(["NB-001", no, name])
    papers.merge_cells("A2:A3")
    papers.append(["NB-002", "1", "申请书"])
    file = tmp_path / "部门.xlsx"
    book.save(file)
    with db.transaction() as session:
        old = queries.item_in_force(session, "NB-002", clock.today())
    report = imported(file)
    assert [str(fault) for fault in report.faults] == []
    assert (report.items, report.changed) == (2, 2)
    with db.transaction() as session:
        first = queries.item_in_force(session, "NB-001", clock.today())
        second = queries.item_in_force(session, "NB-002", clock.today())
    assert (first.avg_handle_minutes, first.bookable) == (25, True)
    assert [paper.name for paper in first.materials] == ["申请书", "身份证"]
    assert (second.name, second.avg_handle_minutes, second.bookable) == ("存量房转移登记", 30, False)
    assert second.fee_lines == old.fee_lines


def test_gbk_tables_a_byte_order_mark_and_what_is_neither(own_database: str, tmp_path: Path) -> None:
    folder = exported(tmp_path, Format.EXCHANGE)
    file = folder / "up_task_general_basic.csv"
    said = file.read_bytes()
    assert said.startswith(b"\xef\xbb\xbf")
    file.write_bytes(said.decode("utf-8-sig").encode("gb18030"))
    report = imported(folder)
    assert (report.items, report.changed, report.faults) == (114, 0, ())
    file.write_bytes(said + b"\xff\xff\xff")
    (fault,) = imported(folder).faults
    assert (fault.code, fault.place.sheet) == ("ENCODING", "up_task_general_basic")
    document = exported(tmp_path, Format.JSON)
    document.write_bytes(b"\xef\xbb\xbf" + document.read_bytes())
    assert imported(document).faults == ()


def test_texts_that_look_like_formulas_stay_texts(own_database: str, tmp_path: Path) -> None:
    bad = ["=HYPERLINK(1)", "+86574", "@me", "'=1", "-1"]
    document = exported(tmp_path, Format.JSON)

    def change(items: dict[str, Any]) -> None:
        items["NB-001"].update(consult=bad[0], supervise=bad[1], hours=bad[2], address=bad[3], conditions=bad[4])

    edit_json(document, change)
    assert imported(document).changed == 1
    for wanted in Format:
        assert imported(exported(tmp_path, wanted)).changed == 0, wanted
    raw = (tmp_path / "tables" / "up_task_general_basic.csv").read_text(encoding="utf-8-sig")
    with io.StringIO(raw, newline="") as lines:
        first = next(row for row in csv.DictReader(lines) if row["link_way"].endswith("(1)"))
    assert [first[name] for name in ("link_way", "supervise_way", "transact_addr")] == [
        "'=HYPERLINK(1)",
        "'+86574",
        "''=1",
    ]
    sheet = openpyxl.load_workbook(tmp_path / "all.xlsx")["事项"]
    cell = next(cell for row in sheet.iter_rows() for cell in row if cell.value == bad[0])
    assert (cell.data_type, cell.quotePrefix) == ("s", True)


def refusal(data: bytes) -> Fault:
    with pytest.raises(Unreadable) as refused, opened(io.BytesIO(data), UPLOAD) as (_, holds):
        for sheet in holds:
            list(sheet.rows)
    return refused.value.fault


def zipped(name: str, data: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return made.getvalue()


def test_zip_bombs_damaged_and_foreign_files_are_refused_as_a_whole() -> None:
    bomb = zipped("up_task_general_basic.csv", bytes(101 * 1024 * 1024))
    assert len(bomb) < 200_000
    assert refusal(bomb).code == "TOO_LARGE"
    assert refusal(zipped("xl/workbook.xml", b"no workbook")).code == "UNREADABLE"
    assert refusal(b"PK\x03\x04 damaged").code == "UNREADABLE"
    assert refusal(zipped("notes.txt", b"x")).code == "UNKNOWN_FORMAT"
    assert refusal(b"%PDF-1.7").code == "UNKNOWN_FORMAT"
    assert refusal(b"").code == "EMPTY"
    assert refusal(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(512)).code == "OLD_EXCEL"
    assert refusal(b"{").code == "UNREADABLE"
    assert refusal(b"[" * 100_000).code == "UNREADABLE"
    rows = b"task_code,task_name\n" + b"x,y\n" * UPLOAD.rows
    assert refusal(rows).code == "TOO_MANY"


def test_a_second_import_is_refused_while_one_is_running(own_database: str, tmp_path: Path) -> None:
    file = exported(tmp_path, Format.JSON)
    with db.transaction() as first:
        assert service.import_file(first, file, actor=OPERATOR).faults == ()
        with pytest.raises(ImportRunning):
            imported(file)
    assert imported(file).changed == 0


def test_rules_and_elements_survive_every_format(own_database: str, tmp_path: Path) -> None:
    def change(items: dict[str, Any]) -> None:
        item = items["NB-001"]
        item["questions"].append(
            {"key": "loan", "text": "是否贷款？", "options": [{"value": "yes", "label": "是"}, {"value": "no", "label": "否"}],
             "asked_when": None}
        )  # fmt: skip
        item["rules"] = [
            {"no": 1, "condition": {"question": "loan", "is": YES}, "effect": "LEVEL", "params": {"level": 3}}
        ]
        item["steps"] = [{"no": 1, "name": "受理", "owner": "窗口", "days": None, "standard": "齐全", "result": ""}]
        item["use_levels"] = ["3", "5"]
        item["power_source"] = "2"
        item["common_questions"] = [{"no": 1, "question": "多久？", "answer": "一天，或更久"}]

    document = exported(tmp_path, Format.JSON)
    edit_json(document, change)
    report = imported(document)
    assert ([str(fault) for fault in report.faults], report.changed) == ([], 1)
    with db.transaction() as session:
        current = records.current(session, clock.today())["NB-001"].version_id
        before = dict(records.records(session, [current]))
    for wanted in Format:
        assert imported(exported(tmp_path, wanted)).changed == 0, wanted
    # The document of version 1.0 doesn't know rules and elements: they stay.
    with db.transaction() as session:
        sample = service.sample_document()
        next(item for item in sample["items"] if item["item_id"] == "NB-001")["avg_handle_minutes"] = 77
        assert service.import_sample(session, sample).changed >= 1
        current = records.current(session, clock.today())["NB-001"].version_id
        after = dict(records.records(session, [current]))
        assert after["NB-001"]["avg_handle_minutes"] == 77
        for name in ("rules", "steps", "use_levels", "power_source", "common_questions"):
            assert after["NB-001"][name] == before["NB-001"][name]


def test_the_database_lets_no_import_in_halfway(own_database: str, tmp_path: Path) -> None:
    """A fault in the middle of writing: everything is taken back."""

    def change(items: dict[str, Any]) -> None:
        for item in items.values():
            item.update(consult="x", trips_reason="x")

    file = exported(tmp_path, Format.JSON)
    edit_json(file, change)
    before = state()
    with db.engine().begin() as connection:
        connection.execute(
            text(
                "ALTER TABLE item_version ADD CONSTRAINT x CHECK (NOT (item_id = 'NB-090' AND consult = 'x')) NOT VALID"
            )
        )
    with pytest.raises(Exception, match="violates check constraint"):
        imported(file)
    assert state() == before
