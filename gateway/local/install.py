"""Makes the virtual environment `.local/venv`. Standard library only: this is what runs before anything is installed.

uv installs, because pip unpacks the 36,604 files of alipay-sdk-python one by one; pip is the way back when uv fails. uv does
not read pip's configuration, so the index, certificate and proxy that a machine gave to pip are handed on.
"""

from __future__ import annotations

import ast
import fcntl
import hashlib
import importlib.util
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from gateway.local.state import Local, Trouble

UV = "uv==0.13.9"
NEEDED_BYTES = 1_500_000_000
_FULL_BYTES = 50_000_000
_UNFINISHED = "unfinished"
_FILES = {"run": ("requirements.txt",), "test": ("requirements.txt", "requirements-dev.txt")}

Purpose = Literal["run", "test"]


def command(arguments: Sequence[str]) -> int:
    """`run`, `test` or `reset`; the exit code. After `run` this process becomes the supervisor."""
    local = Local()
    try:
        match list(arguments):
            case ["reset"]:
                print(f"Removing {local.folder}", flush=True)
                local.reset()
                print("Removed: nothing of the local stack is left.")
            case ["run"]:
                ensure(local, "run")
                os.chdir(local.root)
                os.execv(local.python, [str(local.python), "-m", "gateway", "serve"])  # noqa: S606  # becomes the supervisor
            case ["test"]:
                ensure(local, "test")
            case _:
                print("usage: bootstrap.py run | test | reset")
                return 2
    except Trouble as trouble:
        print(f"\n{trouble}")
        return 1
    except OSError as error:
        print(f"\n{error}{_space(local)}")
        return 1
    except KeyboardInterrupt:
        again = "`make reset` removes the rest" if "reset" in arguments else "The next start goes on from here"
        print(f"\nStopped. {again}.")
        return 130
    return 0


def ensure(local: Local, purpose: Purpose) -> None:
    """Make sure that `.local/venv` holds what `purpose` needs, exactly. Quick and without network when it already does.

    Raises `Trouble` when it can't be done.
    """
    _check_python()
    local.make()
    if is_done(local, purpose):
        return
    with _alone(local):
        if not is_done(local, purpose):
            _install(local, purpose)


def _check_python() -> None:
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise Trouble(
            f"{sys.executable} (Python {version}) lacks its module {' and '.join(missing)}.\n"
            f"Install it: apt-get install python{version}-venv (Debian, Ubuntu) or the like."
        )


def _stamp(local: Local, purpose: Purpose) -> dict[str, str]:
    """What identifies a finished environment."""
    digest = hashlib.sha256()
    for name in (*_FILES[purpose], "vendor/dlib-shim/pyproject.toml"):
        digest.update((local.root / name).read_bytes())
    return {"python": f"{platform.python_version()} {sys.prefix}", "requirements": digest.hexdigest(), "installer": UV}


def write_stamp(local: Local, purpose: Purpose) -> None:
    """Say that the environment is finished for `purpose`."""
    draft = local.stamp.with_suffix(".new")
    draft.write_text(json.dumps({purpose: _stamp(local, purpose)}), encoding="utf-8")
    draft.replace(local.stamp)


def is_done(local: Local, purpose: Purpose) -> bool:
    """Whether the environment holds what `purpose` needs by the files as they are now."""
    try:
        stamps = json.loads(local.stamp.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return False
    enough: tuple[Purpose, ...] = ("run", "test") if purpose == "run" else ("test",)
    return any(stamps.get(name) == _stamp(local, name) for name in enough)


@contextmanager
def _alone(local: Local) -> Iterator[None]:
    """`make run` and `make test` at the same time: one installs, the other waits."""
    with (local.folder / "install.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another command is installing; waiting for it.", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _install(local: Local, purpose: Purpose) -> None:
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - started:5.1f} s] {text}", flush=True)

    if not _works(local):
        free = shutil.disk_usage(local.folder).free
        if free < NEEDED_BYTES:
            raise Trouble(
                f"Not enough space: {local.folder} has {free / 1e9:.1f} GB free, {NEEDED_BYTES / 1e9:.1f} GB are needed."
            )
        say(f"making the virtual environment {local.venv}")
        shutil.rmtree(local.venv, ignore_errors=True)
        _call(local, [sys.executable, "-m", "venv", str(local.venv)], "the virtual environment could not be made")
    unfinished = local.venv / _UNFINISHED
    unfinished.touch()
    local.stamp.unlink(missing_ok=True)
    say(f"installing the packages of {_FILES[purpose][-1]} (about 300 MB: a minute or two)")
    if not _with_uv(local, purpose):
        say("uv did not succeed (above): pip installs instead, which takes longer")
        pip = [str(local.python), "-m", "pip", "install", "--no-compile", "--disable-pip-version-check", "-qq"]
        _call(local, [*pip, "-r", _FILES[purpose][-1]], "the packages could not be installed")
    # Kept until here so that a start that was cut short goes on where it stopped; the packages are links to the same data.
    shutil.rmtree(_cache(local), ignore_errors=True)
    write_stamp(local, purpose)
    unfinished.unlink()
    say("installed")


def _works(local: Local) -> bool:
    """Whether the environment is whole: its own Python starts, has pip, and is the version that made this call."""
    if (local.venv / _UNFINISHED).exists():
        return False  # an installation was cut short, perhaps in the middle of a package
    probe = "import sys, pip; print(sys.version_info[:3] == tuple(map(int, sys.argv[1].split('.')[:3])))"
    version = ".".join(map(str, sys.version_info[:3]))
    try:
        found = subprocess.run(
            [local.python, "-c", probe, version], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except OSError:
        return False
    return found.stdout.strip() == "True"


def _with_uv(local: Local, purpose: Purpose) -> bool:
    pip = [str(local.python), "-m", "pip", "install", "--no-compile", "--disable-pip-version-check", "-qq", UV]
    if _run(local, pip, os.environ) != 0:
        return False
    flags, variables = uv_configuration(_pip_configuration(local), os.environ)
    command = [str(local.python), "-m", "uv", "pip", "install", "--python", str(local.python), "--system-certs", *flags]
    if not sys.stdout.isatty():
        command.append("--quiet")
    variables.setdefault("UV_CACHE_DIR", str(_cache(local)))
    return _run(local, [*command, "-r", _FILES[purpose][-1]], {**os.environ, **variables}) == 0


def _cache(local: Local) -> Path:
    return local.folder / "cache"


def _pip_configuration(local: Local) -> dict[str, str]:
    """Pip's effective options, environment included; the last line of `pip config list` for a name wins, as in pip."""
    listed = subprocess.run(
        [local.python, "-m", "pip", "config", "list"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    found: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in listed.stdout.splitlines():
        name, separator, value = line.partition("=")
        section, _dot, option = name.rpartition(".")
        if separator and section in found:
            found[section][option] = str(ast.literal_eval(value))
    return {**found["global"], **found["install"], **found[":env:"]}


def uv_configuration(pip: Mapping[str, str], environ: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """Pip's options as uv's flags and variables. What the environment already says to uv is left alone."""
    flags: list[str] = []
    if "UV_DEFAULT_INDEX" not in environ and "UV_INDEX_URL" not in environ and "index-url" in pip:
        flags += ["--default-index", pip["index-url"]]
    extra = [url for url in pip.get("extra-index-url", "").split() if _there(url)]
    for url in extra:
        flags += ["--index", url]
    if extra:
        flags += ["--index-strategy", "unsafe-best-match"]  # what pip does: the newest of all indexes
    for place in filter(_there, pip.get("find-links", "").split()):
        flags += ["--find-links", place]
    for file in pip.get("constraint", "").split():
        flags += ["--constraint", file]
    for host in pip.get("trusted-host", "").split():
        flags += ["--allow-insecure-host", host]
    if pip.get("no-index", "").lower() in {"1", "true", "yes", "on"}:
        flags.append("--no-index")
    variables = {}
    for option, names in {
        "cert": ("SSL_CERT_FILE",),
        "client-cert": ("SSL_CLIENT_CERT",),
        "proxy": ("HTTP_PROXY", "HTTPS_PROXY"),
        "timeout": ("UV_HTTP_TIMEOUT",),
    }.items():
        if option in pip:
            variables.update({name: pip[option] for name in names if name not in environ})
    return flags, variables


def _there(place: str) -> bool:
    """Whether an address is worth asking: pip warns of a local folder that is missing, uv stops."""
    if urlsplit(place).scheme not in {"", "file"}:
        return True
    return Path(unquote(urlsplit(place).path)).exists()


def _run(local: Local, command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run `command` in the checkout's root (requirements.txt names a folder relative to it); its exit code."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, cwd=local.root, env=dict(environ))
    before = signal.signal(signal.SIGTERM, lambda _number, _frame: process.terminate())
    try:
        code = process.wait()
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
    if code == -signal.SIGTERM:
        raise KeyboardInterrupt
    return code


def _call(local: Local, command: Sequence[str], failure: str) -> None:
    if _run(local, command, os.environ) != 0:
        raise Trouble(f"{failure[0].upper()}{failure[1:]} (above).{_space(local)}")


def _space(local: Local) -> str:
    """A sentence when the disk is full, since programs seldom say so clearly."""
    try:
        free = shutil.disk_usage(local.folder).free
    except OSError:
        return ""
    return f"\nThe disk is full: {free / 1e6:.0f} MB free in {local.folder}." if free < _FULL_BYTES else ""
