"""A person at a browser, and a site that asks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from tests.factories import oidc
from tests.factories.oidc import Site
from tests.gateway.oidc.pages.person import Person


@pytest.fixture
def site(app: Flask) -> Site:
    return oidc.register(
        name_zh="不动产登记网", name_en="Property Registry", initiate_login_uri="https://tax.example.gov.cn/login"
    )


@pytest.fixture
def person(app: Flask) -> Person:
    return Person(app.test_client())


@pytest.fixture
def another(app: Flask) -> Callable[..., Person]:
    """Make another person, at a browser of its own."""

    def make(**headers: str) -> Person:
        return Person(app.test_client(), {name.replace("_", "-"): value for name, value in headers.items()})

    return make
