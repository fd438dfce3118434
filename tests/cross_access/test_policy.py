"""Role × route, generated from the table of DOMAIN 3.16: what isn't in it, nobody may do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from flask import Flask

from auth.staff import roles
from core.web import access
from tests.cross_access.policy import CAN, CANNOT, THEMSELVES, allowed
from tests.factories.catalogue import CITY_HALL


def _staff_routes(app: Flask) -> dict[str, tuple[str, str]]:
    """Endpoint → method and address, with ids of nothing in it."""
    found = {}
    for rule in app.url_map.iter_rules():
        declared = access.declared(app.view_functions[rule.endpoint])
        if declared is None or declared.kind != "staff":
            continue
        (method,) = (rule.methods or {"GET"}) - {"HEAD", "OPTIONS"}
        values: dict[str, Any] = {name: str(uuid4()) for name in rule.arguments}
        if "no" in values:
            values["no"] = 1
        found[rule.endpoint] = (method, app.url_map.bind("localhost").build(rule.endpoint, values, method=method))
    return found


def test_the_table_says_what_the_routes_declare(app: Flask) -> None:
    routes = set(_staff_routes(app)) - THEMSELVES
    assert set(CAN) == roles.ALL
    for role in roles.ALL:
        declared = {name for name in routes if role in _roles(app, name)}
        assert declared == allowed(role), role
    for name in THEMSELVES:
        assert _roles(app, name) == frozenset()


def _roles(app: Flask, endpoint: str) -> frozenset[str]:
    declared = access.declared(app.view_functions[endpoint])
    assert declared is not None
    return declared.roles


def test_nobody_can_what_the_rule_says_they_cannot(app: Flask) -> None:
    known = set(_staff_routes(app))
    for role, endpoints in CANNOT.items():
        assert endpoints <= known
        assert not endpoints & allowed(role), role


def test_every_role_at_every_route(app: Flask, staff: Callable[..., tuple[Any, dict[str, str]]]) -> None:
    """Over HTTP: 403 FORBIDDEN exactly where the table doesn't say yes, before anything else is looked at."""
    routes, client, wrong = _staff_routes(app), app.test_client(), []
    for role in sorted(roles.ALL):
        _, headers = staff(role, hall_id=CITY_HALL, department_id="D11")
        for endpoint, (method, address) in routes.items():
            if endpoint in THEMSELVES:
                continue
            answer = client.open(address, method=method, headers=headers, json=None if method == "GET" else {})
            refused = answer.status_code == 403 and (answer.get_json() or {}).get("code") == "FORBIDDEN"
            if refused == (endpoint in allowed(role)):
                wrong.append(f"{role} at {endpoint}: {answer.status_code}")
            if answer.status_code >= 500:
                wrong.append(f"{role} at {endpoint}: {answer.get_data(as_text=True)[:200]}")
    assert wrong == []


def test_a_member_without_a_role_reaches_only_the_own_account(
    app: Flask, staff: Callable[..., tuple[Any, dict[str, str]]]
) -> None:
    _, headers = staff()
    client = app.test_client()
    for endpoint, (method, address) in _staff_routes(app).items():
        if endpoint not in THEMSELVES:
            answer = client.open(address, method=method, headers=headers)
            assert (answer.status_code, answer.get_json()["code"]) == (403, "FORBIDDEN"), endpoint
    assert client.get("/staff/v1/me", headers=headers).status_code == 200
