"""Rules of signals (ID-12). Pure."""

from __future__ import annotations

from enum import StrEnum


class SignalKind(StrEnum):
    """What the source tells. Each freezes the subject; who may act for it is then for a person to decide."""

    DEATH = "DEATH"
    INCAPACITY = "INCAPACITY"
    CANCELLED = "CANCELLED"
    FRAUD = "FRAUD"


class SignalState(StrEnum):
    """`UNKNOWN_HERE`: nobody here has that document. `FROZEN_BEFORE`: the subject was frozen already."""

    APPLIED = "APPLIED"
    FROZEN_BEFORE = "FROZEN_BEFORE"
    UNKNOWN_HERE = "UNKNOWN_HERE"
