"""States of an export, and its two readable forms. Pure."""

from __future__ import annotations

import html
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from core import clock
from core.errors import StateConflict
from core.limits import Limit


class State(StrEnum):
    """Where an export stands. `FORGOTTEN`: its day is over."""

    QUEUED = "QUEUED"
    READY = "READY"
    FORGOTTEN = "FORGOTTEN"


TRANSITIONS: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.READY, State.FORGOTTEN}),
    State.READY: frozenset({State.FORGOTTEN}),
    State.FORGOTTEN: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """The city's choices [D]."""

    kept_for: timedelta = timedelta(hours=24)
    link_lifetime: timedelta = timedelta(minutes=5)


POLICY = Policy()
ASKED_A_DAY = Limit("data-export", 3, 86_400)


def check_move(before: State, after: State) -> None:
    """Raises `StateConflict` unless the table allows the move."""
    if after not in TRANSITIONS[before]:
        raise StateConflict()


@dataclass(frozen=True, slots=True)
class Part:
    """What one feature knows."""

    name: str
    title: tuple[str, str]
    values: Mapping[str, Any]


def as_json(parts: Sequence[Part], made_at: datetime) -> str:
    """Everything for programs: times in Asia/Shanghai, money in fen."""
    whole = {"made_at": made_at, **{part.name: part.values for part in parts}}
    return json.dumps(whole, ensure_ascii=False, indent=2, default=_plain)


def as_html(parts: Sequence[Part], made_at: datetime) -> str:
    """Everything for people: one page that opens without a network. Whatever somebody typed is shown as text."""
    body = "".join(f"<h2>{_text(part.title[0])} · {_text(part.title[1])}</h2>{_block(part.values)}" for part in parts)
    made = f"{clock.local(made_at):%Y-%m-%d %H:%M}"
    return (
        '<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>我的个人信息</title>'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        "<style>body{font:16px/1.6 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}"
        "table{border-collapse:collapse;margin:.5em 0}th,td{border:1px solid #999;padding:.3em .6em;text-align:left;"
        "vertical-align:top}</style>"
        f"<h1>我的个人信息 · My personal information</h1><p>{made}</p>{body}</html>\n"
    )


def pack(parts: Sequence[Part], made_at: datetime) -> bytes:
    """The zip: `data.json` and `data.html`."""
    packed = io.BytesIO()
    moment = clock.local(made_at)
    stamp = (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second)
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (("data.json", as_json(parts, made_at)), ("data.html", as_html(parts, made_at))):
            archive.writestr(zipfile.ZipInfo(name, stamp), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return clock.local(value).isoformat(timespec="seconds")
    return value.isoformat() if isinstance(value, date) else str(value)


def _block(value: Any) -> str:
    if isinstance(value, Mapping):
        rows = "".join(f"<tr><th>{_text(key)}</th><td>{_block(inner)}</td></tr>" for key, inner in value.items())
        return f"<table>{rows}</table>" if rows else "—"
    if isinstance(value, list | tuple):
        return "".join(_block(inner) for inner in value) or "—"
    if value is None or value == "":
        return "—"
    return _text(value)


def _text(value: object) -> str:
    return html.escape(value if isinstance(value, str) else _plain(value))
