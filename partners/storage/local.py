"""Files in a folder of this machine, outside anything a web server serves.

A file appears whole or not at all: it is written beside its place, flushed to the disk, then renamed.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from core.ports import PartnerUnavailable

_KEY = re.compile(r"[0-9a-f]+(?:/[0-9a-f]+)*")


class LocalFolder:
    """A `FileStore` in `folder`, which is made when the first file arrives."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, key: str, content: bytes) -> None:
        """Keep `content` under `key`, on the disk when this returns. Raises `PartnerUnavailable`."""
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".new-", delete=False) as beside:
                beside.write(content)
                beside.flush()
                os.fsync(beside.fileno())
            Path(beside.name).replace(path)
            _flush_folder(path.parent)
        except OSError as fault:
            raise PartnerUnavailable(f"file store: {type(fault).__name__}") from fault

    def get(self, key: str) -> bytes:
        """The bytes under `key`. Raises `KeyError` if there are none, `PartnerUnavailable`."""
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            raise KeyError(key) from None
        except OSError as fault:
            raise PartnerUnavailable(f"file store: {type(fault).__name__}") from fault

    def delete(self, key: str) -> None:
        """Forget `key`; a missing one is no fault. Raises `PartnerUnavailable`."""
        try:
            self._path(key).unlink(missing_ok=True)
        except OSError as fault:
            raise PartnerUnavailable(f"file store: {type(fault).__name__}") from fault

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError("a key is lower-case hex in folders")
        return self._folder / key


def _flush_folder(folder: Path) -> None:
    """A rename is durable only when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
