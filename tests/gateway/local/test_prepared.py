"""A database counts as prepared while it, the sources, the secrets and the kept demo staff belong together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.local import postgres, prepared
from gateway.local.state import Local
from tests.servers import Services, admin

STAFF = [{"username": "clerk", "password": "made at the start"}]
NAME = "prepared_or_not"
SITE = {"client_id": "demo", "base": "http://127.0.0.1:9100/department"}


@pytest.fixture
def local(tmp_path: Path) -> Local:
    made = Local(tmp_path)
    made.make()
    made.secrets.write_text("LINK_KEY=a\n")
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "rules.py").write_text("ONE = 1\n")
    return made


@pytest.fixture
def database(services: Services, worker_number: int) -> str:
    """An empty database."""
    admin(services.postgres, f"DROP DATABASE IF EXISTS {NAME}_{worker_number} WITH (FORCE)")
    return postgres.create_database(services.postgres, f"{NAME}_{worker_number}")


def test_what_was_prepared_is_recalled(local: Local, database: str) -> None:
    assert prepared.recall(local, database, prepared.digest(local, SITE)) is None
    prepared.remember(local, database, prepared.digest(local, SITE), STAFF)
    assert prepared.recall(local, database, prepared.digest(local, SITE)) == STAFF


def _change_source(local: Local) -> None:
    (local.root / "core" / "rules.py").write_text("ONE = 2\n")


def _rename_source(local: Local) -> None:
    (local.root / "core" / "rules.py").rename(local.root / "core" / "laws.py")


def _change_secrets(local: Local) -> None:
    local.secrets.write_text("LINK_KEY=b\n")


def _lose_staff(local: Local) -> None:
    (local.folder / "demo-staff.json").unlink()


@pytest.mark.parametrize("change", [_change_source, _rename_source, _change_secrets, _lose_staff])
def test_a_change_asks_for_preparing_again(local: Local, database: str, change: Callable[[Local], None]) -> None:
    prepared.remember(local, database, prepared.digest(local, SITE), STAFF)
    change(local)
    assert prepared.recall(local, database, prepared.digest(local, SITE)) is None


def test_another_address_of_the_department_asks_for_preparing_again(local: Local, database: str) -> None:
    prepared.remember(local, database, prepared.digest(local, SITE), STAFF)
    moved = {**SITE, "base": "http://127.0.0.1:9200/department"}
    assert prepared.recall(local, database, prepared.digest(local, moved)) is None


def test_tests_and_the_stack_itself_are_no_sources(local: Local) -> None:
    before = prepared.digest(local, SITE)
    for name in ("tests/test_x.py", ".local/logs/web.log", "core/__pycache__/rules.pyc", "docs/page.md"):
        path = local.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("something")
    assert prepared.digest(local, SITE) == before


def test_a_database_made_anew_is_not_prepared(
    local: Local, database: str, services: Services, worker_number: int
) -> None:
    prepared.remember(local, database, prepared.digest(local, SITE), STAFF)
    admin(services.postgres, f"DROP DATABASE {NAME}_{worker_number} WITH (FORCE)")
    again = postgres.create_database(services.postgres, f"{NAME}_{worker_number}")
    assert prepared.recall(local, again, prepared.digest(local, SITE)) is None
