"""Signing out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

# How long the question "sign out?" may stay on the screen.
LASTS = timedelta(minutes=10)
TOKEN_LASTS = timedelta(minutes=2)
TOKEN_TYPE = "logout+jwt"  # noqa: S105  # a media type
EVENTS: Mapping[str, Mapping[str, str]] = {"http://schemas.openid.net/event/backchannel-logout": {}}
