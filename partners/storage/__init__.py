"""Adapters that keep the bytes of uploaded files, chosen by FILES_URL."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from casework.files.ports import FileStore
from partners.storage.local import LocalFolder


def store_for(files_url: str) -> FileStore:
    """The store at `files_url`: file:///folder. Raises `ValueError` for any other scheme."""
    parts = urlsplit(files_url)
    if parts.scheme != "file" or parts.netloc not in {"", "localhost"} or not parts.path.startswith("/"):
        raise ValueError("FILES_URL must be file:/// and an absolute folder")
    return LocalFolder(Path(unquote(parts.path)))
