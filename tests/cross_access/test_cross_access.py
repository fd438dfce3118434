"""Every route with an object in its address: whoever isn't meant to have it can't tell whether it exists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from casework.places.models import ServiceHall
from core import cache, clock
from core.db import transaction
from core.web import access
from core.web.access import Access
from tests.cross_access import citizen_objects, matter_objects, staff_objects
from tests.cross_access.answers import Told, state, told
from tests.cross_access.public_routes import OPEN, PAGES, SECRETS
from tests.cross_access.registry import OBJECTS, Headers, Target
from tests.cross_access.world import World
from tests.factories.appointments import NOW
from tests.factories.catalogue import CITY_HALL
from tests.sandbox_client import Sandbox

assert citizen_objects
assert matter_objects
assert staff_objects


@pytest.fixture
def world(app: Flask, own_database: str, sandbox: Sandbox) -> Iterator[World]:
    assert own_database
    with clock.at(NOW):
        with transaction() as session:
            other = session.scalars(
                select(ServiceHall.id).where(ServiceHall.id != CITY_HALL).order_by(ServiceHall.code)
            ).first()
        assert other is not None
        yield World(app, sandbox, other)


def _routes(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if rule.arguments]


def _declared(app: Flask, endpoint: str) -> Access:
    found = access.declared(app.view_functions[endpoint])
    assert found is not None
    return found


def test_every_route_with_an_object_has_its_proof(app: Flask) -> None:
    wanted = {rule.endpoint for rule in _routes(app)} - {"static"}
    known = {*OBJECTS, *OPEN, *SECRETS, "kuaidi100.report"}
    assert {name for name in wanted - known if not name.startswith(PAGES)} == set(), "make an entry for these routes"
    assert known - wanted == set(), "these routes are no more"
    for name in OPEN:
        assert _declared(app, name).kind in {"public", "citizen", "staff"}, name


class Caller:
    """Makes the same call to the real object and to nothing."""

    def __init__(self, app: Flask, rule: Rule, target: Target) -> None:
        self.app, self.rule, self.target = app, rule, target
        (self.method,) = rule.methods - {"HEAD", "OPTIONS"} if rule.methods else {"GET"}

    def call(self, path: dict[str, Any], headers: Headers, query: dict[str, Any]) -> TestResponse:
        client: FlaskClient = self.app.test_client()
        adapter = self.app.url_map.bind("localhost")
        address = adapter.build(self.rule.endpoint, path, method=self.method)
        sent = {"Idempotency-Key": uuid4().hex, **headers}
        if self.target.tag:
            sent["If-Match"] = f'"{next(iter(path.values()))}{self.target.tag}"'
        return client.open(address, method=self.method, headers=sent, json=self.target.body, query_string=query)

    def compare(self, headers: Headers, query: dict[str, Any]) -> tuple[Told, Told]:
        """What is told of the real object, and of nothing."""
        missing = self.target.missing()
        ids = [*self.target.path.values(), *missing.values()]
        real = told(self.call(self.target.path, headers, query), ids)
        return real, told(self.call(missing, headers, query), ids)


def test_nobody_else_can_tell_whether_it_exists(world: World) -> None:
    """DOMAIN 3.16, P-5, DG-1. All routes in one go, on one database, so that it stays quick; every fault is listed."""
    faults: list[str] = []
    for rule in _routes(world.app):
        if rule.endpoint in OBJECTS:
            try:
                faults += [f"{rule.rule} ({rule.endpoint}): {fault}" for fault in _faults(world, rule)]
            except Exception as problem:  # one broken entry mustn't hide the others
                faults.append(f"{rule.rule} ({rule.endpoint}): could not be tried: {problem!r}")
    assert faults == [], "\n".join(["", *faults])


def _faults(world: World, rule: Rule) -> Iterator[str]:
    declared = _declared(world.app, rule.endpoint)
    cache.client().flushdb()
    target = OBJECTS[rule.endpoint](world, rule.endpoint)
    callers: dict[str, tuple[Headers, dict[str, Any]]]
    with clock.at(target.moment or clock.now()):
        caller = Caller(world.app, rule, target)
        if declared.kind == "public":
            callers = {name: ({}, query) for name, query in target.outsiders.items()}
        elif declared.kind == "citizen":
            found = world.citizens_without(declared.purpose)
            if target.agent is not None:
                found["agent of the owner, out of scope"] = target.agent
            callers = {name: (headers, target.query) for name, headers in found.items()}
        else:
            found = world.staff_without(declared.roles, bounded=not target.citywide) | target.outsiders
            callers = {name: (headers, target.query) for name, headers in found.items()}
        before = state()
        for name, (headers, query) in callers.items():
            real, nothing = caller.compare(headers, query)
            if not 400 <= real[0] < 500 or real[0] in {409, 422, 428}:
                yield f"{name} gets {real[0]} {real[1][:160]}"
            elif real != nothing:
                yield f"{name} can tell: {real[:2]} is not {nothing[:2]}"
        after = state()
        changed = sorted(name for name in after if after[name] != before[name])
        if changed:
            yield f"a stranger changed {', '.join(changed)}"
        answer = caller.call(target.path, target.may, target.query)
        wanted = answer.status_code == target.gets if target.gets else answer.status_code < 300
        if not wanted:
            yield f"who is meant to have it gets {answer.status_code} {answer.get_data(as_text=True)[:300]}"
