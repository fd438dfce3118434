"""The subscribe-message templates of the mini-program's account, and WeChat's rules for their values.

A key is a type and a number; the type decides what the value may be (lengths in characters).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.credentials import Credentials


@dataclass(frozen=True)
class Template:
    """A template: our short key, its title, and the label of each data key."""

    key: str
    title: str
    labels: dict[str, str]


TEMPLATES = (
    Template(
        "CASE_PROGRESS",
        "办理进度通知",
        {"thing1": "事项", "character_string2": "编号", "phrase3": "状态", "time4": "时间", "thing5": "说明"},
    ),
    Template(
        "APPOINTMENT",
        "预约通知",
        {"thing1": "事项", "time2": "时间", "thing3": "地点", "character_string4": "预约号", "thing5": "说明"},
    ),
    Template(
        "PAYMENT",
        "缴费通知",
        {"thing1": "项目", "amount2": "金额", "character_string3": "单号", "time4": "时间", "thing5": "说明"},
    ),
    Template(
        "DELIVERY",
        "送达通知",
        {"thing1": "内容", "character_string2": "运单号", "phrase3": "状态", "time4": "时间", "thing5": "说明"},
    ),
)

_TIME = r"(?:\d{1,2}:\d{2}(?::\d{2})?)"
_DATE = r"(?:\d{4}年\d{1,2}月\d{1,2}日|\d{4}([-/.])\d{1,2}\1\d{1,2})"
_MOMENT = rf"(?:{_DATE}(?: ?{_TIME})?|{_TIME})"


def _moment(value: str) -> bool:
    """A time or a date with or without time, or a range of two joined by ~."""
    return all(re.fullmatch(_MOMENT, part.strip()) for part in value.split("~", 1))


_RULES: dict[str, Callable[[str], object]] = {
    "thing": lambda value: len(value) <= 20,
    "number": lambda value: re.fullmatch(r"\d+(\.\d+)?", value) and len(value) <= 32,
    "letter": lambda value: re.fullmatch(r"[A-Za-z]{1,32}", value),
    "symbol": lambda value: re.fullmatch(r"[^\w\s]{1,5}", value),
    "character_string": lambda value: re.fullmatch(r"[\x21-\x7e]{1,32}", value),
    "time": _moment,
    "date": _moment,
    "amount": lambda value: re.fullmatch(r"[¥￥$€£]?\d{1,10}(\.\d+)?元?", value),
    "phone_number": lambda value: re.fullmatch(r"[\d+\-() ]{1,17}", value),
    "car_number": lambda value: len(value) <= 8,
    # A mixed name counts as Chinese.
    "name": lambda value: len(value) <= 10 or re.fullmatch(r"[\x20-\x7e]{1,20}", value),
    "phrase": lambda value: re.fullmatch(r"[\u4e00-\u9fff]{1,5}", value),
}


def find(credentials: Credentials, template_id: str) -> Template | None:
    """The template with this id."""
    ids = credentials.product["wechat"]["template_ids"]
    return next((template for template in TEMPLATES if ids.get(template.key) == template_id), None)


def fault_in(template: Template, data: Any) -> str:
    """Which value breaks its rule, in the words of errmsg ("" when none does)."""
    if not isinstance(data, dict):
        return "data"
    for key in template.labels:
        entry = data.get(key)
        value = entry.get("value") if isinstance(entry, dict) else None
        if not isinstance(value, str) or not value.strip():
            return f"data.{key}.value is empty"
        if any(ord(character) < 32 or ord(character) == 127 for character in value):
            return f"data.{key}.value invalid"
        if not _RULES[key.rstrip("0123456789")](value):
            return f"data.{key}.value invalid"
    unknown = next((key for key in data if key not in template.labels), None)
    return f"data.{unknown} not in template" if unknown else ""


def text_of(template: Template, values: dict[str, str]) -> str:
    """The message as the phone shows it, in one line."""
    return f"{template.title}：" + "；".join(f"{label} {values[key]}" for key, label in template.labels.items())
