"""The whole API against its own contract: no 5xx, no undocumented status, no answer of another shape, no open door.

Every operation gets made-up requests, right and wrong ones, with the tokens it asks for. A refusal that business rules
give to a well-formed request (404, 409, 422 …) is a right answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case
from schemathesis.config import (
    ChecksConfig,
    PositiveDataAcceptanceConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)

from auth.staff import roles
from core import cache, db
from tests.factories import auth as people

EXAMPLES = 12
REFUSALS = ["2xx", "3xx", "400", "401", "403", "404", "406", "409", "413", "415", "422", "429", "503"]
# Three administrators may not be one person, so the fuzzing clerk holds every role but two of them.
ROLES = sorted(roles.ALL - {roles.SECURITY_ADMIN, roles.AUDIT_ADMIN})


@pytest.fixture
def api(app: Flask) -> Any:
    checks = ChecksConfig(positive_data_acceptance=PositiveDataAcceptanceConfig(expected_statuses=REFUSALS))
    config = SchemathesisConfig(projects=ProjectsConfig(default=ProjectConfig(checks=checks)))
    return schemathesis.openapi.from_wsgi("/openapi.json", app, config=config)


schema = schemathesis.pytest.from_fixture("api")


@pytest.fixture
def tokens(app: Flask) -> Iterator[dict[str, dict[str, str]]]:
    """Headers of a citizen at the highest level and of a member of staff with every role."""
    with db.transaction() as session:
        actor = people.make_citizen(session, level=4)
        _staff, staff = people.make_staff(session, roles=ROLES)
        found = {"/api/": people.headers_for(actor), "/staff/": staff}
    yield found


@pytest.mark.fuzz
@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
def test_the_contract_holds(case: Case[Any], tokens: dict[str, dict[str, str]]) -> None:
    cache.client().flushdb()  # rate limits would answer most of the made-up requests
    headers = next((found for prefix, found in tokens.items() if case.path.startswith(prefix)), {})
    if "Idempotency-Key" in (case.headers or {}):
        headers = {**headers, "Idempotency-Key": str(uuid4())}
    case.call_and_validate(headers=headers)
