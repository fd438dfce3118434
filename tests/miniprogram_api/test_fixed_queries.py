"""No public look-up asks the database more often because more is found: every route, one answer of few and one of many."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from casework.catalogue.answers import service as answers
from casework.catalogue.answers.queries import LOOK_SECONDS
from core.db import transaction
from core.web import access
from tests.factories.catalogue import CITY_HALL

MOST = 8
"""Statements of one answer that nothing is kept of."""

# Route → addresses that find little, and much.
ASKED: dict[str, tuple[str, str]] = {
    "/api/v1/calendar": ("?year=2027", "?year=2026"),
    "/api/v1/catalogue/items": ("?limit=1", "?limit=100"),
    "/api/v1/catalogue/items/<item_id>": ("/NB-014", "/NB-002"),
    "/api/v1/catalogue/suggestions": ("?q=婚", "?q=办"),
    "/api/v1/catalogue/popular": ("", ""),
    "/api/v1/catalogue/zones": ("", ""),
    "/api/v1/catalogue/departments": ("", ""),
    "/api/v1/catalogue/regions": ("", ""),
    "/api/v1/catalogue/dev-zones": ("", ""),
    "/api/v1/catalogue/topics": ("", ""),
    "/api/v1/catalogue/packages": ("", ""),
    "/api/v1/catalogue/tiles": ("", ""),
    "/api/v1/tiles": ("", ""),
    "/api/v1/consent-texts": ("", ""),
    "/api/v1/places/halls": ("?limit=1", "?limit=100"),
    "/api/v1/places/halls/<uuid:hall_id>": (f"/{CITY_HALL}", f"/{CITY_HALL}"),
    "/api/v1/places/near": ("?lat=29.87&lng=121.55&limit=1", "?lat=29.87&lng=121.55&limit=50"),
}
# One row by its key, or counted in a test of its own.
ELSEWHERE = {
    "/api/v1/appointments/queue",
    "/api/v1/appointments/slots",
    "/api/v1/catalogue/bundle",
    "/api/v1/catalogue/bundle/changes",
    "/api/v1/catalogue/bundle/keys",
    "/api/v1/consent-texts/<kind>/<version>",
    "/api/v1/files/content/<uuid:file_id>",
    "/api/v1/login/alipay/return",
    "/api/v1/personal-data/exports/content/<uuid:export_id>",
    "/api/v1/places/points/<uuid:point_id>",
    "/api/v1/prepayment/pay-codes/<string:code>",
}


def _asked_by_anybody(app: Flask) -> set[str]:
    found = set()
    for rule in app.url_map.iter_rules():
        declared = access.declared(app.view_functions[rule.endpoint])
        public = declared is not None and declared.kind == "public"
        if public and "GET" in (rule.methods or ()) and rule.rule.startswith("/api/v1/"):
            found.add(rule.rule)
    return found


def test_every_public_look_up_is_counted(app: Flask) -> None:
    assert _asked_by_anybody(app) - ELSEWHERE - set(ASKED) == set()


@pytest.mark.parametrize("route", ASKED)
def test_much_takes_no_more_statements_than_little(
    client: FlaskClient, own_database: str, count_queries: Callable[[], Any], route: str
) -> None:
    base = route.split("/<", maxsplit=1)[0]
    client.get(base + ASKED[route][1])  # what a process reads once
    taken = []
    for rest in ASKED[route]:
        with transaction() as session:
            answers.touch(session)
        time.sleep(LOOK_SECONDS + 0.01)
        with count_queries() as queries:
            answer = client.get(base + rest)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        taken.append(len(queries))
    assert taken[0] == taken[1], queries
    assert taken[1] <= MOST, queries
