"""Where a feature finds the adapter behind its port, and what adapters may raise.

A feature writes the port (a `Protocol` in its `ports.py`); `gateway.wiring` provides the one implementation; the feature's
service or job asks for it here. Partners are never called inside a transaction.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

P = TypeVar("P")


class PartnerUnavailable(Exception):
    """The partner couldn't be reached, was too slow or answered nonsense: the outcome is unknown, ask again later."""


class PartnerRefused(Exception):
    """The partner understood and said no. `code` is its own code, for our logs and tables only."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


_adapters: dict[type[Any], Any] = {}


def provide(port: type[P], adapter: P) -> None:
    """Make `adapter` the implementation of `port` in this process."""
    _adapters[port] = adapter


def get(port: type[P]) -> P:
    """The adapter of `port`. Raises `LookupError` when the wiring has none."""
    try:
        return cast(P, _adapters[port])
    except KeyError:
        raise LookupError(f"no adapter for {port.__name__}: gateway.wiring must provide one") from None
