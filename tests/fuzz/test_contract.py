"""The whole API against its own contract: no 5xx, no undocumented status, no answer of another shape, no open door.

Every operation gets made-up requests, right and wrong ones, with the tokens it asks for. A refusal that business rules
give to a well-formed request (404, 409, 422 …) is a right answer.
"""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.config import (
    ChecksConfig,
    PositiveDataAcceptanceConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)
from schemathesis.core.result import Ok

from auth.staff import roles
from core import cache, db
from gateway import operations as commands
from tests.factories import auth as people

EXAMPLES = 8
BOUND_SECONDS = 90
REFUSALS = [
    *("2xx", "3xx", "400", "401", "403", "404", "406", "409"),
    *("410", "412", "413", "415", "422", "428", "429", "503"),
]
# Three administrators may not be one person, so the fuzzing clerk holds every role but two of them.
ROLES = sorted(roles.ALL - {roles.SECURITY_ADMIN, roles.AUDIT_ADMIN})

_BOUNDED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
)


def _headers(app: Flask) -> dict[str, dict[str, str]]:
    """Headers of a citizen at level 3 and of a member of staff with every role, by the beginning of the path."""
    with db.transaction() as session:
        actor = people.make_citizen(session, level=3)
        _staff, staff = people.make_staff(session, roles=ROLES)
        return {"/api/": people.headers_for(actor), "/staff/": staff}


def _try(operation: Any, mode: GenerationMode, headers: dict[str, str]) -> None:
    """A few made-up requests of one operation."""

    @_BOUNDED
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Case[Any]) -> None:
        cache.client().flushdb()  # rate limits would answer most of the made-up requests
        once = {"Idempotency-Key": str(uuid4())} if "Idempotency-Key" in (case.headers or {}) else {}
        case.call_and_validate(headers={"Accept-Encoding": "identity", **headers, **once})

    ask()


@pytest.mark.fuzz
def test_the_contract_holds(app: Flask, record_property: Any) -> None:
    checks = ChecksConfig(positive_data_acceptance=PositiveDataAcceptanceConfig(expected_statuses=REFUSALS))
    config = SchemathesisConfig(projects=ProjectsConfig(default=ProjectConfig(checks=checks)))
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app, config=config)
    found_all = list(schema.get_all_operations())
    operations = [found.ok() for found in found_all if isinstance(found, Ok)]
    assert len(operations) == len(found_all), "the contract can't be read"
    by_prefix = _headers(app)
    commands.build_bundle()  # without one the guide's download answers 503, as a system that isn't set up should
    faults: dict[str, str] = {}
    tried: set[str] = set()
    began = time.monotonic()
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        for operation in operations:
            if time.monotonic() - began > BOUND_SECONDS and operation.label in tried:
                continue
            tried.add(operation.label)
            headers = next((found for prefix, found in by_prefix.items() if operation.path.startswith(prefix)), {})
            try:
                _try(operation, mode, headers)
            except Unsatisfiable:
                continue  # nothing about this operation can be got wrong
            except BaseExceptionGroup as found:
                faults[f"{operation.label} ({mode.value})"] = "\n".join(str(fault) for fault in found.exceptions)
            except Exception as fault:  # every kind of fault is collected and told together
                faults[f"{operation.label} ({mode.value})"] = f"{type(fault).__name__}: {fault}"
    record_property("operations", len(tried))
    assert not faults, "\n\n".join(f"== {label}\n{text[:1500]}" for label, text in faults.items())
    assert tried == {operation.label for operation in operations}
