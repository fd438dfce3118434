"""The documents are true: error codes, settings, reference pages, and every path the README names."""

import re
from collections import Counter
from pathlib import Path

from flask import Flask

from core.errors import all_problems
from core.settings import Settings
from gateway import reference

ROOT = Path(__file__).resolve().parent.parent.parent


def test_error_codes_are_unique_and_well_formed(app: Flask) -> None:
    codes = Counter(problem.code for problem in all_problems() if problem.__module__.split(".")[0] != "tests")
    assert [code for code, count in codes.items() if count > 1] == []
    for problem in all_problems():
        assert re.fullmatch(r"[A-Z][A-Z0-9_]+", problem.code)
        assert problem.zh, problem.code
        assert problem.en, problem.code
        assert 400 <= problem.status <= 503


def test_generated_reference_pages_are_up_to_date(settings: Settings, app: Flask) -> None:
    assert reference.write(settings, only_check=True) == [], "run `make reference`"


def test_every_setting_is_documented() -> None:
    named = set(re.findall(r'read\.get\("([A-Z0-9_]+)"', (ROOT / "core/settings/loading.py").read_text()))
    page = (ROOT / "docs/reference/settings.md").read_text()
    assert {name for name in named if f"`{name}`" not in page} == set()


def test_the_readme_names_only_paths_that_exist() -> None:
    text = (ROOT / "README.md").read_text()
    paths = re.findall(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:md|txt|toml))`", text) + re.findall(r"\]\(([^)#:]+)\)", text)
    assert len(paths) > 20
    assert [path for path in paths if not (ROOT / path).exists()] == []


PACKAGES = "auth bench casework core gateway miniprogram_api notifications partners payments sandbox staff_api tests"


def test_files_stay_short() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for package in PACKAGES.split()
        for path in (ROOT / package).rglob("*.py")
    }
    assert {path: lines for path, lines in lengths.items() if lines > 400} == {}
