"""Where the bytes are kept."""

from __future__ import annotations

from typing import Protocol


class FileStore(Protocol):
    """Keeps sealed bytes by key. Keys are ours: lower-case hex and slashes. Raises `core.ports.PartnerUnavailable`."""

    def put(self, key: str, content: bytes) -> None:
        """Keep `content` under `key`; when this returns it survives a crash. The same key again replaces it."""
        ...

    def get(self, key: str) -> bytes:
        """The bytes under `key`. Raises `KeyError` if there are none."""
        ...

    def delete(self, key: str) -> None:
        """Forget `key`; a missing one is no fault."""
        ...
