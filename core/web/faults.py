"""What a schema objects to, flat by field and in both languages. marshmallow says it in English and nested."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_IN_CHINESE = (
    (r"Missing data for required field\.", "必填"),
    (r"Field may not be null\.", "不能为空值"),
    (r"Unknown field\.", "没有此项"),
    (r"Invalid (?:input type|type|value)\.", "类型或取值不对"),
    (r"Not a valid string\.", "须为文本"),
    (r"Not a valid utf-8 string\.", "文本编码有误"),
    (r"Not a valid (?:integer|number|decimal)\.", "须为数字"),
    (r"Not a valid boolean\.", "须为是或否"),
    (r"Not a valid UUID\.", "编号格式有误"),
    (r"Not a valid (?:list|tuple)\.", "须为列表"),
    (r"Not a valid (?:mapping|nested) type\.", "须为对象"),
    (r"Not a valid file\.", "须为文件"),
    (
        r"Not a valid (?:date|datetime|naive datetime|aware datetime|time|timedelta|period of time|(?:naive|aware) date)\.",
        "日期或时间格式有误",
    ),
    (r".+ cannot be formatted as a (?:date|datetime|time|timedelta)\.", "日期或时间格式有误"),
    (r"Not a valid (?:email address|URL|IP(?:v4|v6)? (?:address|interface))\.", "地址格式有误"),
    (r"Special numeric values \(nan or infinity\) are not permitted\.", "须为数字"),
    (r"Number too large\.", "数字过大"),
    (r"Must be one of: (.*)\.", "须为以下之一：{0}"),
    (r"Must be greater than or equal to (\S+) and less than or equal to (\S+)\.", "须在{0}至{1}之间"),
    (r"Must be greater than or equal to (\S+)\.", "不能小于{0}"),
    (r"Must be less than or equal to (\S+)\.", "不能大于{0}"),
    (r"Must be greater than (\S+)\.", "须大于{0}"),
    (r"Must be less than (\S+)\.", "须小于{0}"),
    (r"Must be equal to (.+)\.", "须为{0}"),
    (r"Length must be between (\d+) and (\d+)\.", "须为{0}至{1}字（项）"),
    (r"Length must be (\d+)\.", "须为{0}字（项）"),
    (r"Longer than maximum length (\d+)\.", "不能超过{0}字（项）"),
    (r"Shorter than minimum length (\d+)\.", "不能少于{0}字（项）"),
    (r"String does not match expected pattern\.", "含有不允许的字符或格式不对"),
)


def in_both(message: str) -> str:
    """A schema's message as "中文 / English"; what already is in both, or in words of our own, stays as it is."""
    for says, zh in _IN_CHINESE:
        if found := re.fullmatch(says, message, re.DOTALL):
            return f"{zh.format(*found.groups())} / {message}"
    return message


def flat(path: str, messages: Any) -> Iterator[tuple[str, list[str]]]:
    """Nested messages as `("materials.0.note", ["…"])`, below `path` ("" for the top)."""
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from flat(f"{path}.{key}" if path else str(key), inner)
    elif isinstance(messages, list):
        yield path, [in_both(str(message)) for message in messages]
    else:
        yield path, [in_both(str(messages))]
