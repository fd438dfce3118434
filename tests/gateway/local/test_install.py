"""What pip was told on a machine reaches uv; an environment counts as done only when it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.local import install
from gateway.local.state import Local

ROOT = Path(__file__).resolve().parents[3]


def test_pip_options_become_uv_flags_and_variables(tmp_path: Path) -> None:
    pip = {
        "index-url": "https://mirror.example/simple",
        "extra-index-url": "https://more.example/simple file:///not/there",
        "find-links": f"{tmp_path} /not/there",
        "trusted-host": "mirror.example",
        "cert": "/etc/ca.crt",
        "proxy": "http://proxy.example:3128",
        "timeout": "180",
    }
    flags, variables = install.uv_configuration(pip, {"HTTPS_PROXY": "http://other.example"})
    assert flags == [
        *("--default-index", "https://mirror.example/simple"),
        *("--index", "https://more.example/simple", "--index-strategy", "unsafe-best-match"),
        *("--find-links", str(tmp_path), "--allow-insecure-host", "mirror.example"),
    ]
    assert variables == {
        "SSL_CERT_FILE": "/etc/ca.crt",
        "HTTP_PROXY": "http://proxy.example:3128",
        "UV_HTTP_TIMEOUT": "180",
    }


def test_what_was_said_to_uv_itself_stands() -> None:
    flags, variables = install.uv_configuration(
        {"index-url": "https://mirror.example/simple", "cert": "/a"}, {"UV_DEFAULT_INDEX": "x", "SSL_CERT_FILE": "/b"}
    )
    assert (flags, variables) == ([], {})


@pytest.fixture
def checkout(tmp_path: Path) -> Local:
    """The files that decide what is installed, in a folder of their own."""
    for name in ("requirements.txt", "requirements-dev.txt", "vendor/dlib-shim/pyproject.toml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    local = Local(tmp_path)
    local.venv.mkdir(parents=True)
    return local


def test_an_environment_is_done_when_its_stamp_is_of_these_files(checkout: Local) -> None:
    assert not install.is_done(checkout, "run")
    install.write_stamp(checkout, "run")
    assert install.is_done(checkout, "run")
    assert not install.is_done(checkout, "test")
    install.write_stamp(checkout, "test")
    assert install.is_done(checkout, "run")  # the tests' packages include the others
    with (checkout.root / "requirements.txt").open("a") as file:
        file.write("another==1.0\n")
    assert not install.is_done(checkout, "run")


def test_a_broken_stamp_is_no_stamp(checkout: Local) -> None:
    checkout.stamp.write_text("{")
    assert not install.is_done(checkout, "run")


def _bootstrap(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "gateway/local/bootstrap.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", env={})


def test_the_first_script_runs_with_nothing_in_the_environment_and_from_any_folder() -> None:
    refused = _bootstrap("nonsense")
    assert (refused.returncode, refused.stdout, refused.stderr) == (2, "usage: bootstrap.py run | test | reset\n", "")
