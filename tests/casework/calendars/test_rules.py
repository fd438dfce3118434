"""What a file may say of days: every fault in its place, whole years, both formats as spreadsheets and people write them."""

from __future__ import annotations

from datetime import date

import pytest

from casework.calendars import rules
from casework.calendars.faults.rules import TEXTS, Fault
from casework.calendars.files.rules import MOST_ROWS, read
from core.workdays import Calendar, Day
from tests.factories import calendars as notice

TODAY = date(2026, 11, 24)
PUBLISHED = Calendar(rules.whole_year(2026))


def judged(content: bytes, year: int | None = None) -> tuple[list[Day], list[Fault]]:
    rows, unread = read(content)
    return rules.settle(rows, year=year, published=PUBLISHED, today=TODAY, unread=unread)


def places(content: bytes, year: int | None = None) -> list[tuple[str, int | None, str]]:
    days, faults = judged(content, year)
    assert faults or days
    for fault in faults:
        told = fault.told()
        assert "{" not in told["problem"] + told["mend"] + str(fault)
        assert " / " in told["problem"]
        assert " / " in told["mend"]
    return [(fault.code, fault.row, fault.column) for fault in faults]


def test_a_notice_makes_a_whole_year() -> None:
    days, faults = judged(notice.as_csv(), 2027)
    assert faults == []
    known = Calendar(days)
    assert known.published_years == {2027}
    assert known.day(date(2027, 2, 5)) == Day(date(2027, 2, 5), is_workday=False, name="春节")
    assert known.day(date(2027, 2, 14)) == Day(date(2027, 2, 14), is_workday=True, name="春节")
    assert known.day(date(2027, 3, 1)) == Day(date(2027, 3, 1), is_workday=True)
    assert known.day(date(2027, 3, 6)) == Day(date(2027, 3, 6), is_workday=False)


def test_all_days_of_a_year_are_a_whole_year_too_and_one_fewer_is_not() -> None:
    special = {day: (worked, name) for day, worked, name in notice.ROWS}
    rows = [(str(plain.day), *special.get(str(plain.day), (plain.is_workday, ""))) for plain in rules.whole_year(2027)]
    assert judged(notice.as_csv(rows)) == judged(notice.as_csv(), 2027)
    assert places(notice.as_csv(rows[1:])) == [("YEAR_NOT_PUBLISHED", None, "")]
    assert places(notice.as_csv([("2027-01-01", False, "元旦")])) == [("YEAR_NOT_PUBLISHED", None, "")]


def test_of_a_published_year_only_the_named_days_change() -> None:
    closed = Day(date(2026, 12, 2), is_workday=False, name="临时放假")
    assert judged("day,is_workday,name\n2026-12-02,否,临时放假\n".encode()) == ([closed], [])


@pytest.mark.parametrize(
    "content",
    [
        "﻿day,is_workday,name\r\n2026-12-02,false,临时放假\r\n2026-12-05,TRUE,\r\n,,\r\n".encode(),
        "日期,是否工作日,名称\n2026/12/2,否,临时放假\n2026年12月5日,是,\n".encode("gb18030"),
        'name,day,is_workday,,\n"临时放假",2026.12.2,休息,,\n,2026-12-05,工作日,,\n'.encode(),
        '[{"day":"2026-12-02","is_workday":false,"name":" 临时放假 "},{"day":"2026-12-05","is_workday":true}]'.encode(),
    ],
)
def test_what_people_and_spreadsheets_write_is_read_alike(content: bytes) -> None:
    days, faults = judged(content)
    assert faults == []
    assert days == [Day(date(2026, 12, 2), is_workday=False, name="临时放假"), Day(date(2026, 12, 5), is_workday=True)]


FAULTY = """day,is_workday,name
2026-02-30,false,元旦
2026-12-02,maybe,临时放假
2026-12-03,false,
2026-12-04,false,临时放假
2026-12-04,true,
2072-12-05,true,
2025-12-05,true,,多余
2026-12-06,true,{long}
,,
,true,
"""


def test_every_fault_is_found_in_its_row_and_column() -> None:
    found = places(FAULTY.format(long="名" * 51).encode(), 2026)
    assert found == [
        ("DAY_INVALID", 2, "day"),
        ("WORKDAY_INVALID", 3, "is_workday"),
        ("NAME_MISSING", 4, "name"),
        ("DAY_TWICE", 6, "day"),
        ("DAY_OUTSIDE_YEAR", 7, "day"),
        ("UNKNOWN_COLUMN", 8, ""),
        ("DAY_OUTSIDE_YEAR", 8, "day"),
        ("NAME_INVALID", 9, "name"),
        ("DAY_INVALID", 11, "day"),
    ]
    assert places(b"day,is_workday\n2072-12-05,true\n") == [
        ("YEAR_UNLIKELY", 2, "day"),
        ("YEAR_NOT_PUBLISHED", None, ""),
    ]


def test_a_whole_year_has_its_holidays() -> None:
    rows = [row for row in notice.ROWS if row[2] != "中秋节" and row[0] != "2027-10-02"]
    assert places(notice.as_csv([*rows, ("2027-10-02", True, "国庆节")]), 2027) == [
        ("HOLIDAY_MISSING", None, "name"),
        ("STATUTORY_DAY_WORKED", len(rows) + 2, "is_workday"),
    ]
    # Both on one day in some years: one name says both.
    shared = [(day, worked, "国庆节、中秋节" if day == "2027-10-01" else name) for day, worked, name in rows]
    assert places(notice.as_csv([*shared, ("2027-10-02", False, "国庆节")]), 2027) == []


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", ("TOO_LARGE", None, "")),
        (b"day,is_workday,name\n", ("TOO_LARGE", None, "")),
        (b"day,is_workday,name\n" + b"2026-12-05,true,\n" * (MOST_ROWS + 1), ("TOO_LARGE", None, "")),
        (b"[" + b" " * 1024 * 1024 + b"]", ("TOO_LARGE", None, "")),
        (b"PK\x03\x04\x00\x00", ("UNREADABLE", None, "")),
        (b"\xff\xff\xff", ("UNREADABLE", None, "")),
        (b'{"days": []}', ("UNREADABLE", None, "")),
        (b"[" * 100_000, ("UNREADABLE", None, "")),
        (b"[1]", ("ROW_SHAPE", 1, "")),
        (b'[{"day": "2026-12-05", "is_workday": true, "note": ""}]', ("UNKNOWN_COLUMN", 1, "")),
        (b'[{"day": "2026-12-05", "is_workday": 1}]', ("WORKDAY_INVALID", 1, "is_workday")),
        (b'[{"day": "2026-12-05", "is_workday": true, "name": 5}]', ("NAME_INVALID", 1, "name")),
        (b"2026-12-05,true,\n", ("HEADING", 1, "")),
        (b"\nday,name\n2026-12-05,x\n", ("HEADING", 2, "")),
        (b"day,day,is_workday\n", ("HEADING", 1, "")),
        (b'day,is_workday,name\n2026-12-05,true,"open\n', ("ROW_SHAPE", 2, "")),
    ],
)
def test_what_is_no_calendar_at_all(content: bytes, expected: tuple[str, int | None, str]) -> None:
    assert places(content) == [expected]


def test_each_fault_says_what_and_how_to_mend_in_both_languages() -> None:
    for code, texts in TEXTS.items():
        assert len(texts) == 4, code
        assert all(texts), code
        assert texts[1].isascii(), code
        assert texts[3].replace("是", "").replace("否", "").isascii(), code


def test_a_year_is_missing_only_after_its_usual_publication() -> None:
    """K-10: the alarm of metrics, readiness and log."""
    assert rules.missing_year(date(2026, 11, 30), PUBLISHED) is None
    assert rules.missing_year(date(2026, 12, 1), PUBLISHED) == 2027
    assert rules.missing_year(date(2027, 1, 1), PUBLISHED) == 2027
