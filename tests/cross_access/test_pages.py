"""The pages of the sign-in belong to the browser that began it: another one learns nothing from the address."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from core import cache
from core.actors import Citizen
from tests.cross_access.answers import Told, state, told
from tests.cross_access.public_routes import PAGES, SECRETS
from tests.factories import cases, delivery, oidc
from tests.factories.catalogue import CITY_HALL
from tests.factories.delivery import Hands

UNKNOWN = "nobodys" + "A" * 15
_SITE = re.compile('class="site"|tax.example.gov.cn|href="/oidc/back|宁波税务')


def _pages(app: Flask) -> list[Rule]:
    found = [rule for rule in app.url_map.iter_rules() if rule.arguments and rule.endpoint.startswith(PAGES)]
    return [rule for rule in found if rule.endpoint not in SECRETS]


def _open(app: Flask, rule: Rule, client: FlaskClient, handle: str) -> TestResponse:
    (method,) = (rule.methods or {"GET"}) - {"HEAD", "OPTIONS"}
    values = {"handle": handle} | ({"kind": "RESIDENT_ID"} if "kind" in rule.arguments else {})
    return client.open(app.url_map.bind("localhost").build(rule.endpoint, values, method=method), method=method)


def _bare(shown: Told) -> Told:
    """Without the site that asked and the way back to it, which help whoever opens the address in another browser.

    They name nobody, and the address is a secret of 128 bits and more.
    """
    status, body, headers = shown
    return status, "\n".join(line for line in body.splitlines() if line and not _SITE.search(line)), headers


@pytest.fixture
def handles(app: Flask, client: FlaskClient, citizen: Callable[..., tuple[Citizen, Any]]) -> dict[str, str]:
    """A sign-in and a signing-out that the client's own browser has begun."""
    site = oidc.register()
    sign_in = oidc.interaction_of(client.get("/oidc/authorize", query_string=site.ask()))
    oidc.sign_in_browser(client, citizen(level=2)[0])
    answer = client.get("/oidc/logout", query_string={"client_id": site.client_id})
    assert answer.status_code in {302, 303}, answer.text
    assert app
    return {"sign-in": sign_in, "sign-out": answer.location.rsplit("/", 1)[1]}


def test_another_browser_can_tell_nothing(
    app: Flask, client: FlaskClient, handles: dict[str, str], citizen: Callable[..., tuple[Citizen, Any]]
) -> None:
    """One without a cookie, and one that is signed in and has begun a request of its own."""
    fresh, other = app.test_client(), app.test_client()
    other.get("/oidc/authorize", query_string=oidc.register().ask())
    oidc.sign_in_browser(other, citizen(level=3)[0])
    before, faults = state(), []
    for rule in _pages(app):
        cache.client().flushdb()
        real = handles["sign-out" if "sign-out" in rule.rule else "sign-in"]
        for name, browser in (("no cookie", fresh), ("another's", other)):
            shown = told(_open(app, rule, browser, real), [real, UNKNOWN])
            nothing = told(_open(app, rule, browser, UNKNOWN), [real, UNKNOWN])
            if _bare(shown) != _bare(nothing):
                faults.append(f"{name} can tell at {rule.rule}: {shown[:2]} is not {nothing[:2]}")
            if shown[0] < 400:
                faults.append(f"{name} gets {shown[0]} at {rule.rule}")
    # Who is signed in elsewhere answers with another browser's key: refused.
    assert other.post(f"/oidc/sign-out/{handles['sign-out']}", data={"answer": "yes"}).status_code == 403
    after = state()
    assert faults == [], "\n".join(faults)
    assert [name for name in after if after[name] != before[name]] == []
    for kind, handle in handles.items():
        assert client.get(f"/oidc/{kind}/{handle}").status_code < 400, kind


def test_a_carriers_address_tells_nothing_without_its_signature(
    client: FlaskClient, citizen: Callable[..., Any], staff: Callable[..., Any]
) -> None:
    """A forged report on a parcel that exists, on one that doesn't, and with a wrong secret."""
    owner, _ = citizen(level=3)
    packer, sealer = (staff("FRONT_CLERK", hall_id=CITY_HALL)[0] for _ in range(2))
    officer, _ = staff("BACK_OFFICER", hall_id=CITY_HALL, department_id=cases.DEPARTMENT)
    shipment = delivery.requested(Hands(owner, packer, sealer, officer))
    before = delivery.moves(shipment)
    for secret in (delivery.PATH_SECRET, "wrong"):
        answers = set()
        for identity in (shipment.id, uuid4()):
            body = delivery.signed(shipment, {"status": "polling"}, salt="forged")
            answer = client.post(
                f"/callbacks/kuaidi100/{secret}/{identity}", data=body, content_type="application/x-www-form-urlencoded"
            )
            answers.add(told(answer, [identity])[:2])
        assert len(answers) == 1, answers
        assert next(iter(answers))[0] in {401, 403, 404}
    assert delivery.moves(shipment) == before
