"""The people of every delivery."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.factories import cases
from tests.factories.catalogue import CITY_HALL
from tests.factories.delivery import Hands

People = Callable[..., tuple[Any, dict[str, str]]]


@pytest.fixture
def hands(citizen: People, staff: People) -> Hands:
    return Hands(
        citizen(level=3, name="张三丰")[0],
        staff("FRONT_CLERK", hall_id=CITY_HALL)[0],
        staff("FRONT_CLERK", hall_id=CITY_HALL)[0],
        staff("BACK_OFFICER", department_id=cases.DEPARTMENT)[0],
    )
