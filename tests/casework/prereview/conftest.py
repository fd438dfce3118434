"""The people of these tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from casework.places.rules import hall_id
from core.actors import Citizen, Staff
from tests.factories.catalogue import CITY_HALL

People = Callable[..., tuple[Any, dict[str, str]]]


@pytest.fixture
def zhang(citizen: People) -> Citizen:
    """A citizen of level 2."""
    actor: Citizen = citizen(level=2)[0]
    return actor


@pytest.fixture
def clerk(staff: People) -> Staff:
    """A front clerk of the city hall."""
    actor: Staff = staff("FRONT_CLERK", hall_id=CITY_HALL)[0]
    return actor


@pytest.fixture
def colleague(staff: People) -> Staff:
    """A back officer of the same hall."""
    actor: Staff = staff("BACK_OFFICER", hall_id=CITY_HALL)[0]
    return actor


@pytest.fixture
def elsewhere(staff: People) -> Staff:
    """A front clerk of another hall."""
    actor: Staff = staff("FRONT_CLERK", hall_id=hall_id("NB-330212"))[0]
    return actor
