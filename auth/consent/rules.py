"""Kinds of consent and the texts in force. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class ConsentKind(StrEnum):
    """What is consented to: data that needs separate consent (P-1), and the general notice."""

    PRIVACY = "PRIVACY"
    FACE = "FACE"
    LOCATION = "LOCATION"
    HEALTH = "HEALTH"
    FINANCE = "FINANCE"
    MINOR = "MINOR"


# The version of each text that a person is shown now [?]; another version is a new consent.
TEXTS: Mapping[ConsentKind, str] = MappingProxyType(dict.fromkeys(ConsentKind, "2026-11"))
