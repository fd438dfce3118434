"""A notice for 2027 (invented: the real one isn't out), as a file and as rows."""

from __future__ import annotations

import json
from collections.abc import Iterable

SOURCE = "国务院办公厅关于2027年部分节假日安排的通知（测试）"

_REST = {
    "元旦": ("01-01",),
    "春节": ("02-05", "02-06", "02-07", "02-08", "02-09", "02-10", "02-11"),
    "清明节": ("04-05",),
    "劳动节": ("05-01", "05-02", "05-03", "05-04", "05-05"),
    "端午节": ("06-09",),
    "中秋节": ("09-15",),
    "国庆节": ("10-01", "10-02", "10-03", "10-04", "10-05", "10-06", "10-07"),
}
_MAKE_UP = {"春节": ("02-14",), "劳动节": ("05-08",), "国庆节": ("10-09",)}

Rows = Iterable[tuple[str, bool, str]]

ROWS = sorted(
    [(f"2027-{day}", False, name) for name, days in _REST.items() for day in days]
    + [(f"2027-{day}", True, name) for name, days in _MAKE_UP.items() for day in days]
)
"""What is special in the year: day, whether people work, name."""


def as_csv(rows: Rows = ROWS) -> bytes:
    """Rows as CSV."""
    lines = [f"{day},{str(worked).lower()},{name}" for day, worked, name in rows]
    return "\n".join(["day,is_workday,name", *lines, ""]).encode()


def as_json(rows: Rows = ROWS) -> bytes:
    """Rows as JSON."""
    return json.dumps([{"day": day, "is_workday": worked, "name": name} for day, worked, name in rows]).encode()
