"""import-catalogue, export-catalogue and import-points, as an operator types them, with files as departments send them."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select

from casework.catalogue.generator import rules as generator
from casework.catalogue.models import ItemVersion
from casework.catalogue.service import sample_document
from casework.places.points.models import ServicePoint
from core import db
from core.settings import Settings
from gateway.catalogue_commands import export_catalogue, import_catalogue, import_points

Run = Callable[..., Result]


@pytest.fixture
def run(settings: Settings, own_database: str) -> Run:
    """Run a command on the test's own database."""
    own = settings.database_url.rpartition("/")[0] + f"/{own_database}"

    def invoke(command: Any, *arguments: object) -> Result:
        made = CliRunner().invoke(
            command, [str(one) for one in arguments], obj=lambda: replace(settings, database_url=own)
        )
        assert made.exception is None or isinstance(made.exception, SystemExit), made.exc_info
        return made

    return invoke


def versions() -> int:
    with db.transaction() as session:
        return session.scalars(select(func.count()).select_from(ItemVersion)).one()


def workbook(*rows: list[Any], sheet: str = "事项") -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    cells = book.active
    assert cells is not None
    cells.title = sheet
    for row in (["事项编码", "平均办理分钟", "支持预约", "咨询方式"], *rows):
        cells.append(row)
    return book


def test_out_and_in_again_in_every_format(run: Run, tmp_path: Path) -> None:
    for name, more in (("all.json", ""), ("all.xlsx", ""), ("all.zip", "questions"), ("tables", "questions")):
        out = run(export_catalogue, tmp_path / name)
        assert (out.exit_code, out.output.splitlines()[-1]) == (0, "114 items")
        assert ("no place for: questions" in out.output) is bool(more)
        back = run(import_catalogue, tmp_path / name)
        assert (back.exit_code, back.stdout) == (0, "114 items, unchanged\n")
        assert "check 114 / 114" in back.stderr
    # Twice into the same place; nothing is left beside it.
    assert run(export_catalogue, tmp_path / "tables").exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"all.json", "all.xlsx", "all.zip", "tables"}
    assert len(list((tmp_path / "tables").iterdir())) == 5


def test_where_an_export_can_not_go(run: Run, tmp_path: Path) -> None:
    folder = run(export_catalogue, "--format", "json", tmp_path)
    assert (folder.exit_code, "is a folder" in folder.stderr) == (2, True)
    nowhere = run(export_catalogue, tmp_path / "missing" / "all.json")
    assert (nowhere.exit_code, "can't be written" in nowhere.stderr) == (1, True)
    assert list(tmp_path.iterdir()) == []


def test_faults_are_a_table_with_row_column_fault_and_remedy(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "部门.xlsx"
    workbook(
        ["NB-001", "二十五", None, None],
        ["NB-002", 30, "也许", None],
        ["NB-003", 30, "是", "=1+1"],
    ).save(file)
    before = versions()
    done = run(import_catalogue, file)
    assert done.exit_code == 1
    lines = done.stderr.splitlines()
    head = next(line for line in lines if "how to mend it" in line)
    assert ("行 / row" in head, "列 / column" in head) == (True, True)
    for row, column, zh, en, mend in (
        ("2", "平均办理分钟", "“二十五”不是整数", "no whole number", "请填写整数，如 5"),
        ("3", "支持预约", "“也许”不是“是”或“否”", "neither yes nor no", "请填写“是”或“否”"),
        ("4", "咨询方式", "单元格是公式", "the cell is a formula", "请选择性粘贴为数值"),
    ):
        at = next(number for number, line in enumerate(lines) if zh in line)
        assert lines[at].split()[:3] == ["事项", row, column]
        assert mend in lines[at]
        assert en in lines[at + 1]
    assert lines[-1] == "Error: 3 faults; nothing was changed"
    assert versions() == before


def test_a_dry_run_says_what_would_be_and_changes_nothing(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "one.xlsx"
    workbook(["NB-001", "25", "√", "0574-1"]).save(file)
    before = versions()
    assert "1 items, 1 would be new or changed" in run(import_catalogue, "--dry-run", file).stdout
    assert versions() == before
    assert "1 items, 1 new or changed" in run(import_catalogue, file).stdout
    assert "1 items, unchanged" in run(import_catalogue, file).stdout


def test_workbooks_as_people_make_them(run: Run, tmp_path: Path) -> None:
    """Macros are never run, merged cells count for all, texts are numbers; a day where a text belongs is written out."""
    day = datetime(2026, 11, 24)  # noqa: DTZ001  # a day of a spreadsheet has no zone
    book = workbook(["NB-001", "２５", 1.0, day], ["NB-002", 25.0, "否", 12345])
    book.active.merge_cells("D3:E3")  # type: ignore[union-attr]
    lists = book.create_sheet("下拉选项")
    lists.append(["是", "否"])
    lists.sheet_state = "hidden"
    plain, macros = tmp_path / "plain.xlsx", tmp_path / "macros.xlsm"
    book.save(plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(macros, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            data = source.read(name)
            if name == "[Content_Types].xml":
                data = data.replace(b"spreadsheetml.sheet.main+xml", b"ms-excel.sheet.macroEnabled.main+xml").replace(
                    b"vnd.openxmlformats-officedocument.ms-excel", b"vnd.ms-excel"
                )
            target.writestr(name, data)
        target.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0 never run")
    done = run(import_catalogue, macros)
    assert (done.exit_code, done.stdout) == (0, "2 items, 2 new or changed\n"), done.stderr
    with db.transaction() as session:
        said = session.execute(
            select(ItemVersion.item_id, ItemVersion.avg_handle_minutes, ItemVersion.bookable, ItemVersion.consult)
            .where(ItemVersion.item_id.in_(("NB-001", "NB-002")), ItemVersion.version == 2)
            .order_by(ItemVersion.item_id)
        ).all()
    assert [tuple(row) for row in said] == [("NB-001", 25, True, "2026-11-24"), ("NB-002", 25, False, "12345")]
    assert run(import_catalogue, plain).stdout == "2 items, unchanged\n"


def test_hidden_rows_are_told_and_nothing_comes_in(run: Run, tmp_path: Path) -> None:
    book = workbook(["NB-001", 26, None, None], ["NB-002", 26, None, None])
    book.active.row_dimensions[3].hidden = True  # type: ignore[union-attr]
    book.save(tmp_path / "filtered.xlsx")
    before = versions()
    done = run(import_catalogue, tmp_path / "filtered.xlsx")
    assert (done.exit_code, "此行是隐藏的" in done.stderr, "1 faults" in done.stderr) == (1, True, True)
    assert versions() == before


def _files(folder: Path) -> dict[str, tuple[bytes, str]]:
    bomb = io.BytesIO()
    with (
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("up_task_general_basic.csv", "w", force_zip64=True) as member,
    ):
        for _ in range(1_025):
            member.write(bytes(1024 * 1024))
    laughs = io.BytesIO()
    workbook(["NB-001", 26, None, None]).save(folder / "plain.xlsx")
    with zipfile.ZipFile(folder / "plain.xlsx") as source, zipfile.ZipFile(laughs, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name.startswith("xl/worksheets/"):
                data = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + data.split(b"?>", 1)[-1]
            target.writestr(name, data)
    (folder / "plain.xlsx").unlink()
    return {
        "empty.xlsx": (b"", "文件是空的"),
        "text.xlsx": (b"no workbook at all", "无法识别的文件"),
        "cut.xlsx": (b"PK\x03\x04 cut off", "文件损坏"),
        "old.xls": (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600), "旧版Excel"),
        "list.json": (b"[1, 2]", "文件损坏"),
        "latin.csv": (b"task_code,task_name\nx,caf\xff\xff\xff\n", "不是UTF-8，也不是GBK"),
        "bomb.zip": (bomb.getvalue(), "文件过大"),
        "laughs.xlsx": (laughs.getvalue(), "文件损坏"),
    }


def test_files_that_are_none_are_refused_with_a_reason(run: Run, tmp_path: Path) -> None:
    before = versions()
    for name, (data, zh) in _files(tmp_path).items():
        file = tmp_path / name
        file.write_bytes(data)
        done = run(import_catalogue, file)
        assert (done.exit_code, zh in done.stderr, "nothing was changed" in done.stderr) == (1, True, True), (
            name, done.stderr,
        )  # fmt: skip
        assert "Traceback" not in done.output
        file.unlink()
    empty_folder = run(import_catalogue, tmp_path)
    assert (empty_folder.exit_code, "无法识别的文件" in empty_folder.stderr) == (1, True)
    with (tmp_path / "huge.json").open("wb") as huge:
        huge.truncate(1_100 * 1024 * 1024)
    assert "文件过大" in run(import_catalogue, tmp_path / "huge.json").stderr
    assert run(import_catalogue, tmp_path / "nothing.json").exit_code == 2
    assert run(import_catalogue).exit_code == 2
    wrong = tmp_path / "one.xlsx"
    workbook(["NB-001", 26, None, None]).save(wrong)
    assert "文件是excel格式，不是json" in run(import_catalogue, "--format", "json", wrong).stderr
    assert versions() == before


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_tables_in_the_encodings_of_spreadsheets(run: Run, tmp_path: Path, encoding: str) -> None:
    run(export_catalogue, tmp_path / "tables")
    with (tmp_path / "tables" / "up_task_general_basic.csv").open(encoding="utf-8-sig", newline="") as lines:
        head, first, *_ = csv.reader(lines)
    first[head.index("link_way")] = "宁波市鄞州区宁穿路1901号"
    file = tmp_path / "up_task_general_basic.csv"
    with file.open("w", encoding=encoding, newline="") as out:
        csv.writer(out).writerows([head, first])
    done = run(import_catalogue, file)
    assert (done.exit_code, done.stdout) == (0, "1 items, 1 new or changed\n"), done.stderr


def test_points_in_again_and_with_faults(run: Run, tmp_path: Path) -> None:
    made = generator.points(sample_document()["lookups"]["regions"], count=20, seed=1, items=sample_document()["items"])
    file = tmp_path / "points.json"
    file.write_text(json.dumps(made, ensure_ascii=False), encoding="utf-8")
    assert "20 points" in run(import_points, "--dry-run", file).stdout
    with db.transaction() as session:
        before = session.scalars(select(func.count()).select_from(ServicePoint)).one()
    done = run(import_points, file)
    assert (done.exit_code, done.stdout.startswith("20 points, ")) == (0, True)
    assert run(import_points, file).stdout == "20 points, 0 rows new or changed\n"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert run(import_points, file).exit_code == 0
    made["points"][4]["items"] = ["NB-777"]
    made["item_scopes"] = [{"item_id": "NB-888", "scope": "LOCAL"}]
    file.write_text(json.dumps(made, ensure_ascii=False), encoding="utf-8")
    wrong = run(import_points, file)
    assert wrong.exit_code == 1
    lines = wrong.stderr.splitlines()
    assert next(line for line in lines if "NB-777" in line).split()[:3] == ["points", "5", "items"]
    assert next(line for line in lines if "NB-888" in line).split()[:3] == ["item_scopes", "1", "item_id"]
    assert lines[-1] == "Error: 2 faults; nothing was changed"
    with db.transaction() as session:
        assert session.scalars(select(func.count()).select_from(ServicePoint)).one() == before + 20


def test_files_that_hold_no_points(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "points.json"
    for data, zh in ((b"", "文件是空的"), (b"{", "文件损坏"), (b"[]", "文件损坏"), (b"x", "无法识别的文件"),
                     (b"task_code,x\n", "不是json")):  # fmt: skip
        file.write_bytes(data)
        done = run(import_points, file)
        assert (done.exit_code, zh in done.stderr) == (1, True), (data, done.stderr)
    file.write_text("{}")
    assert "此处必须填写" in run(import_points, file).stderr
    assert run(import_points, tmp_path).exit_code == 2
