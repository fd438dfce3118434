"""What the tests of identity share."""

from collections.abc import Iterator
from typing import Any

import pytest

from auth.accounts.events import AccountChanged, PhoneReplaced, SubjectFrozen, SubjectsMerged
from auth.identity.events import IdentityRaised, IdentityReviewed
from core import events
from tests.sandbox_client import Sandbox

_heard: list[Any] = []


def _hear(_session: object, event: Any) -> None:
    _heard.append(event)


@pytest.fixture
def heard() -> Iterator[list[Any]]:
    """The events about persons that are published from now on."""
    for kind in (SubjectsMerged, AccountChanged, IdentityRaised, IdentityReviewed, SubjectFrozen, PhoneReplaced):
        events.subscribe(kind, _hear)
    _heard.clear()
    yield _heard
    _heard.clear()


@pytest.fixture
def personas(sandbox: Sandbox) -> dict[str, dict[str, Any]]:
    """The people of the sandbox by their keys."""
    return {persona["key"]: persona for persona in sandbox.get("personas.json")["personas"]}
