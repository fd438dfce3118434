"""The settings of a local stack are complete, private and the same at the next start."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from core.settings import load
from gateway.local.environment import sandbox_credentials, stack_environment
from gateway.local.secrets import own_secrets
from gateway.local.state import Local

ROOT = Path(__file__).resolve().parents[3]
ADDRESSES = {
    "web": "http://127.0.0.1:8000",
    "sandbox": "http://127.0.0.1:9100",
    "database": "postgresql://ningbo@127.0.0.1:1/x",
    "redis": "redis://127.0.0.1:1",
}


@pytest.fixture
def local(tmp_path: Path) -> Local:
    """A checkout with the sandbox in it, so that its state lies in the test's own folder."""
    root = tmp_path / "a checkout"
    root.mkdir()
    shutil.copytree(ROOT / "sandbox", root / "sandbox", ignore=shutil.ignore_patterns("__pycache__"))
    made = Local(root)
    made.make()
    return made


def test_the_settings_are_complete_and_stay(local: Local) -> None:
    environment = stack_environment(local, sandbox_credentials(local), **ADDRESSES)
    settings = load(environment)
    assert settings.environment == "development"
    assert settings.wechat.api_url == "http://127.0.0.1:9100/wechat"
    assert len(settings.crypto.field_keys["k1"]) == 32
    assert stack_environment(local, sandbox_credentials(local), **ADDRESSES) == environment


def test_no_two_stacks_share_a_secret(tmp_path: Path) -> None:
    one, other = own_secrets(tmp_path / "one.env"), own_secrets(tmp_path / "other.env")
    assert {name for name in one if one[name] == other[name]} == {"FIELD_KEY_ACTIVE"}
    assert stat.S_IMODE((tmp_path / "one.env").stat().st_mode) == 0o600


def test_an_older_file_is_completed_and_what_it_holds_stays(tmp_path: Path) -> None:
    file = tmp_path / "secrets.env"
    whole = own_secrets(file)
    file.write_text("\n".join(line for line in file.read_text().splitlines() if not line.startswith("METRICS_TOKEN")))
    completed = own_secrets(file)
    assert len(completed.pop("METRICS_TOKEN")) > 20
    assert completed == {name: value for name, value in whole.items() if name != "METRICS_TOKEN"}
    assert own_secrets(file) == own_secrets(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
