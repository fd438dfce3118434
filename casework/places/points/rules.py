"""Distances, coordinates, and whether a point is open. Pure: times of Shanghai, distances in metres."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from math import asin, cos, pi, radians, sin, sqrt
from typing import NamedTuple
from uuid import UUID, uuid5

from casework.places import rules as places
from casework.places.rules import Exceptional, Opening, Periods
from core import clock
from core.workdays import Calendar

EARTH_METRES = 6_371_008.8
"""Mean radius of the earth."""
SOUTH, NORTH, WEST, EAST = 28.0, 32.0, 118.0, 125.0
"""Where points may be, and positions near which the map is flat enough: the city with a wide margin around it."""
LEAST, MOST = 0.975, 1.025
"""In there the distance on the sphere is between these times that on the flat map (cos 28° and cos 32° by cos 29.8°)."""

_NAMESPACE = UUID("b1d7f6a0-1c3e-5e0a-8f57-2f4d90b7c6e3")
_MIDDLE = cos(radians(29.8))
# The ellipsoid behind GCJ-02.
_GCJ_AXIS, _GCJ_FLATNESS = 6_378_245.0, 0.006_693_421_622_965_943


class Kind(StrEnum):
    """What a point is: a hall of the city or a county, a counter in a town or a village, a machine."""

    HALL = "HALL"
    TOWN = "TOWN"
    VILLAGE = "VILLAGE"
    TERMINAL = "TERMINAL"


class Scope(StrEnum):
    """ItemScope (S12): at every point of the city (全市通办), or only in the district (属地)."""

    CITYWIDE = "CITYWIDE"
    LOCAL = "LOCAL"


class Datum(StrEnum):
    """What a position is measured in: WGS-84 as satellites do, GCJ-02 as maps in China do (some 500 m apart)."""

    WGS84 = "WGS84"
    GCJ02 = "GCJ02"


class Position(NamedTuple):
    """Degrees, GCJ-02."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Hours:
    """The periods of the week (1 = Monday); `rest_days`: also at weekends and on holidays, as a machine is."""

    week: Mapping[int, Periods]
    rest_days: bool


def point_id(code: str) -> UUID:
    """The key of the point with this code; the same in every installation."""
    return uuid5(_NAMESPACE, code)


def hours_id(stored: str) -> UUID:
    """The key of hours in their stored form."""
    return uuid5(_NAMESPACE, f"hours {stored}")


def metres(a: Position, b: Position) -> float:
    """The distance on the sphere (haversine)."""
    south, north = radians(a.latitude), radians(b.latitude)
    half = sin((north - south) / 2) ** 2
    half += cos(south) * cos(north) * sin(radians(b.longitude - a.longitude) / 2) ** 2
    return 2 * EARTH_METRES * asin(min(1.0, sqrt(half)))


def on_map(position: Position) -> tuple[float, float]:
    """Metres to the east and to the north on a flat map of the city, for the index."""
    return EARTH_METRES * _MIDDLE * radians(position.longitude), EARTH_METRES * radians(position.latitude)


def within_map(position: Position) -> bool:
    """Whether distances from here on the flat map are between `LEAST` and `MOST` of the true ones."""
    return SOUTH <= position.latitude <= NORTH and WEST <= position.longitude <= EAST


def gcj02(latitude: float, longitude: float, datum: Datum) -> Position:
    """The position in GCJ-02. Outside of the city's surroundings the shift isn't known and doesn't matter: none is made."""
    if datum is Datum.GCJ02 or not within_map(Position(latitude, longitude)):
        return Position(latitude, longitude)
    x, y = longitude - 105.0, latitude - 35.0
    waves = (20 * sin(6 * x * pi) + 20 * sin(2 * x * pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x)) + waves
    north += (20 * sin(y * pi) + 40 * sin(y / 3 * pi)) * 2 / 3
    north += (160 * sin(y / 12 * pi) + 320 * sin(y * pi / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x)) + waves
    east += (20 * sin(x * pi) + 40 * sin(x / 3 * pi)) * 2 / 3
    east += (150 * sin(x / 12 * pi) + 300 * sin(x / 30 * pi)) * 2 / 3
    bend = 1 - _GCJ_FLATNESS * sin(radians(latitude)) ** 2
    north *= 180 / (_GCJ_AXIS * (1 - _GCJ_FLATNESS) / (bend * sqrt(bend)) * pi)
    east *= 180 / (_GCJ_AXIS / sqrt(bend) * cos(radians(latitude)) * pi)
    return Position(latitude + north, longitude + east)


def opening(day: date, calendar: Calendar, hours: Hours, exception: Exceptional | None) -> Opening:
    """When a point is open on `day` (AP-4); one that is open on rest days goes by the week alone."""
    if exception is None and hours.rest_days:
        return Opening(day, hours.week.get(day.isoweekday(), ()), None, "", provisional=False)
    return places.opening(day, calendar, hours.week, exception)


def open_at(found: Opening, moment: datetime) -> bool:
    """Whether it is open at `moment`, of the same day."""
    now = clock.local(moment).time()
    return any(opens <= now and (now < closes or closes == places.MIDNIGHT) for opens, closes in found.periods)
