"""Writes the generated reference pages, and tells whether the committed ones are true."""

from __future__ import annotations

from pathlib import Path

import orjson

from core.errors import all_problems
from core.settings import Settings
from gateway import openapi
from gateway.app import create_app

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"


def write(settings: Settings, *, only_check: bool) -> list[str]:
    """Write openapi.json and errors.md; returns the names of those that were out of date."""
    app = create_app(settings)
    pages = {
        "openapi.json": orjson.dumps(openapi.document(app), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode()
        + "\n",
        "errors.md": errors_page(),
    }
    stale = []
    for name, content in pages.items():
        path = FOLDER / name
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            stale.append(name)
            if not only_check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content, encoding="utf-8")
    return stale


def errors_page() -> str:
    """The table of every error code (Markdown)."""
    lines = [
        "# Error codes",
        "",
        "Every refusal is `application/problem+json` with one of these codes. Generated: `make reference`.",
        "",
        "| Code | Status | 中文 | English | When |",
        "|---|---|---|---|---|",
    ]
    for problem in sorted(all_problems(), key=lambda found: found.code):
        why = " ".join((problem.__doc__ or "").split()).replace("|", "\\|")
        lines.append(f"| `{problem.code}` | {problem.status} | {problem.zh} | {problem.en} | {why} |")
    return "\n".join(lines) + "\n"
