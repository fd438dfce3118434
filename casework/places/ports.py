"""Hours as they come from outside: documents and the staff of halls."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from typing import Any

import marshmallow as ma

from casework.places.rules import MIDNIGHT, read_time, written_time

_FORMAT = "%H:%M"


class TimeOfDay(ma.fields.Time):
    """A time of Shanghai, "HH:MM"."""

    def __init__(self, **options: Any) -> None:
        super().__init__(format=_FORMAT, **options)


class Closing(TimeOfDay):
    """The end of a period, "HH:MM" or "24:00": `rules.MIDNIGHT`."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> time:
        if value == written_time(MIDNIGHT):
            return read_time(value)
        found: time = super()._deserialize(value, attr, data, **kwargs)
        return found


def period() -> ma.fields.Field[Any]:
    """A period of a document: ["09:00", "12:00"]."""
    return ma.fields.Tuple((TimeOfDay(), Closing()))
