"""Embedded PostgreSQL and Valkey survive what happens to them."""

from __future__ import annotations

import os
import signal
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from gateway.local import postgres
from gateway.local.embedded import start_postgres, start_valkey
from gateway.local.process import PartFailed
from gateway.local.state import elsewhere


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user can reach, with a space and Chinese in its path."""
    with tempfile.TemporaryDirectory(prefix="nb 测试 ") as made:
        Path(made).chmod(0o755)
        yield Path(made) / "data"


def _ask(url: str, statement: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(statement).fetchone()
    return None if row is None else row[0]


def _run(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


def test_postgres_keeps_what_was_committed_through_sigkill(folder: Path) -> None:
    first = start_postgres(folder)
    _run(first.url, "CREATE TABLE kept (word text)")
    _run(first.url, "INSERT INTO kept VALUES ('承诺')")
    family = psutil.Process(first.running.pid).children(recursive=True)
    os.kill(first.running.pid, signal.SIGKILL)
    psutil.wait_procs(family, timeout=5)
    first.running.process.wait()
    # The killed server's number has gone to a program that lives: this one.
    lock = first.running.part.command[first.running.part.command.index("-D") + 1] + "/postmaster.pid"
    content = Path(lock).read_text().splitlines()
    Path(lock).write_text("\n".join([str(os.getpid()), *content[1:]]) + "\n")
    second = start_postgres(folder)
    try:
        assert _ask(second.url, "SELECT word FROM kept") == "承诺"
    finally:
        second.stop()


def test_postgres_made_halfway_is_made_again_and_wants_its_password(folder: Path) -> None:
    (folder / "data" / "base").mkdir(parents=True)
    (folder / "data" / "PG_VERSION").write_text("18\n")
    server = start_postgres(folder, fast=True)
    try:
        assert _ask(server.url, "SELECT current_setting('fsync')") == "off"
        password = (folder / "password").read_text().strip()
        assert stat.S_IMODE((folder / "password").stat().st_mode) == 0o600
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(server.url.replace(password, "wrong"))
        assert postgres.create_database(server.url, "extra-1").endswith("/extra-1")
        assert _ask(postgres.create_database(server.url, "extra-1"), "SELECT current_database()") == "extra-1"
    finally:
        server.stop()


def test_data_of_another_version_are_left_alone(folder: Path) -> None:
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "PG_VERSION").write_text("9\n")
    (folder / "password").write_text("x\n")
    with pytest.raises(PartFailed, match="made by PostgreSQL 9"):
        postgres.prepare(folder)
    assert (folder / "data" / "PG_VERSION").read_text() == "9\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")
def test_a_folder_that_postgres_can_not_reach_is_replaced_by_one_it_can(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    server = start_postgres(tmp_path / "data", fast=True)
    place = elsewhere(tmp_path / "data")
    try:
        assert place is not None
        assert _ask(server.url, "SELECT 1") == 1
        assert psutil.Process(server.running.pid).username() != "root"
        data_folder = server.running.part.command[2]
        assert data_folder == f"{place}/data"
        assert stat.S_IMODE(Path(data_folder).stat().st_mode) == 0o700
    finally:
        server.stop()
    assert not place.exists()


def test_valkey_wants_its_password_and_keeps_its_data(folder: Path) -> None:
    server = start_valkey(folder)
    with redis.Redis.from_url(server.url) as client:
        client.set("word", "话")
    with (
        redis.Redis.from_url(server.url.split("@")[1].join(["redis://", ""])) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.get("word")
    server.stop()
    again = start_valkey(folder)
    try:
        with redis.Redis.from_url(again.url) as client:
            assert client.get("word") == "话".encode()
    finally:
        again.stop()
    assert stat.S_IMODE((folder / "valkey.conf").stat().st_mode) == 0o600
