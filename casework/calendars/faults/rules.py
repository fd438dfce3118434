"""Faults of a calendar that is to be published. Pure. The codes never change their sense."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TEXTS: dict[str, tuple[str, str, str, str]] = {
    "UNREADABLE": (
        "文件无法识别", "the file can't be read",
        "请使用 UTF-8 或 GB18030 编码的 CSV，或 JSON", "send CSV in UTF-8 or GB18030, or JSON",
    ),
    "TOO_LARGE": (
        "文件为空，或超过{most}行", "the file is empty, or has more than {most} rows",
        "一次提交一年的日期", "send the days of one year at a time",
    ),
    "HEADING": (
        "表头须为 day,is_workday,name，缺少或不识别：{name}", "the heading must be day,is_workday,name; missing or unknown: {name}",
        "请更正第一行", "mend the first row",
    ),
    "ROW_SHAPE": (
        "此行不是一个日期的记录", "the row isn't the record of a day",
        "每行须有 day、is_workday、name", "each row has day, is_workday and name",
    ),
    "UNKNOWN_COLUMN": (
        "多出的内容：{name}", "something that has no column: {name}",
        "请删除，或给含逗号的名称加引号", "take it out, or put a name that holds a comma into quotes",
    ),
    "DAY_INVALID": (
        "不是有效日期：{value}", "not a day of the calendar: {value}",
        "请写成 2027-02-08", "write it as 2027-02-08",
    ),
    "WORKDAY_INVALID": (
        "不能判断是否工作日：{value}", "neither yes nor no: {value}",
        "请写 true 或 false（是／否、1／0 亦可）", "write true or false (or 是/否, 1/0)",
    ),
    "NAME_INVALID": (
        "名称过长或含有不允许的字符", "the name is too long or holds characters that are not allowed",
        "不超过{longest}字，不含换行", "at most {longest} characters, no line breaks",
    ),
    "NAME_MISSING": (
        "{day} 休息但没有名称", "{day} is a rest day without a name",
        "请写明节日或原因，群众会看到", "name the holiday or the reason: citizens read it",
    ),
    "DAY_TWICE": (
        "{day} 重复，第{first}行已有", "{day} is there twice, first in row {first}",
        "请只保留一行", "keep one of the rows",
    ),
    "DAY_OUTSIDE_YEAR": (
        "{day} 不属于{year}年", "{day} isn't a day of {year}",
        "请更正日期，或分年提交", "mend the day, or send each year by itself",
    ),
    "YEAR_UNLIKELY": (
        "{day} 不在{first}至{last}年之间", "{day} isn't within {first} to {last}",
        "请更正年份", "mend the year",
    ),
    "YEAR_NOT_PUBLISHED": (
        "{year}年尚未公布，不能只公布其中几天", "{year} isn't published yet, and a few days of it can't be",
        "请提交全年，或指明年份 year={year}（未列出的日期按平常周末计算）",
        "send all its days, or say year={year}: what isn't listed is then plain",
    ),
    "HOLIDAY_MISSING": (
        "{year}年没有名称含“{holiday}”的休息日", "{year} has no rest day with the name {holiday}",
        "请按放假通知补全", "fill in what the notice arranges",
    ),
    "STATUTORY_DAY_WORKED": (
        "{day} 是法定节假日，不能是工作日", "{day} is a statutory holiday and can't be a working day",
        "请更正 is_workday", "mend is_workday",
    ),
}  # fmt: skip
"""Code → what is wrong (zh, en), how to mend it (zh, en)."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong. `row` counts from 1 as the file does, its heading included; None: all of it."""

    code: str
    row: int | None = None
    column: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)

    def _told(self, which: int) -> str:
        return TEXTS[self.code][which].format_map(self.params)

    def told(self) -> dict[str, Any]:
        """The fault as an answer."""
        return {
            "code": self.code,
            "row": self.row,
            "column": self.column,
            "problem": f"{self._told(0)} / {self._told(1)}",
            "mend": f"{self._told(2)} / {self._told(3)}",
        }

    def __str__(self) -> str:
        place = " ".join(part for part in (f"row {self.row}" if self.row else "", self.column) if part)
        return f"{place or 'file'}: {self._told(1)} [{self.code}] {self._told(0)}；{self._told(2)} / {self._told(3)}"
