"""What every feature that knows something of persons offers; `gateway.wiring` lists them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class OpenMatter:
    """Something unfinished that keeps an account open: what it is and where it stands, in Chinese and English."""

    kind: str
    number: str
    name: str
    state: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Source:
    """One feature's part: `export` gives plain values of this person only, never of third persons."""

    name: str
    title: tuple[str, str]
    export: Callable[[Session, UUID], Mapping[str, Any]]
    open_matters: Callable[[Session, UUID], Sequence[OpenMatter]] | None = None


@dataclass(frozen=True, slots=True)
class Sources:
    """All of them, in the order in which a person reads them."""

    all: tuple[Source, ...]
