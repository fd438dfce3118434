"""Authlib's own client, in a second process, signs a person in over HTTP, and hears when the person signs out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import requests

from auth.oidc.browser import service as browsers
from auth.oidc.consents.rules import Field
from auth.sessions import service as sessions
from core import clock
from core.actors import Citizen
from core.db import transaction
from core.settings import Settings
from tests.factories import oidc
from tests.sandbox_client import free_port
from tests.served import process, served, wait_for

MakeCitizen = Callable[..., tuple[Citizen, dict[str, str]]]


@dataclass
class Department:
    """The running site."""

    address: str
    known: oidc.Site

    def person(self, browser: requests.Session) -> dict[str, object]:
        """What the site knows of whoever sits at this browser."""
        found: dict[str, object] = browser.get(self.address, timeout=10).json()
        return found


@pytest.fixture
def department(settings: Settings, database: object) -> Iterator[Department]:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    known = oidc.register(
        redirect_uris=(address + "/callback",),
        post_logout_redirect_uris=(address + "/",),
        backchannel_logout_uri=address + "/backchannel",
    )
    with served(settings, worker=True) as issuer:
        arguments = ["-m", "tests.gateway.oidc.relying_party", str(port), issuer, known.client_id, str(known.secret)]
        with process(arguments, {}) as started:
            wait_for(address, started)
            yield Department(address, known)


def _browser(actor: Citizen) -> requests.Session:
    """A person's browser, signed in as the hosted pages do it."""
    now = clock.wall()
    with transaction() as session:
        opened = browsers.open_browser(session, now=now)
        signed_in = browsers.sign_in(
            session, browser=opened.browser, session_id=actor.session_id, amr=("sms",), now=now
        )
    found = requests.Session()
    found.cookies.set("sso", signed_in.cookie, domain="127.0.0.1", path="/")
    return found


@pytest.mark.slow
def test_authlibs_client_signs_in_and_hears_of_the_sign_out(department: Department, citizen: MakeCitizen) -> None:
    actor, _ = citizen(level=3, name="王小明")
    oidc.allow(actor, department.known, Field.NAME, Field.LEVEL)
    at_home, at_work = _browser(actor), _browser(actor)
    for browser in (at_home, at_work):
        landed = browser.get(department.address + "/sign-in", timeout=20)
        assert landed.url == department.address + "/", landed.text
        found = department.person(browser)
        assert found["signed_in"] is True
        assert found["acr"] == "level2"
        assert found["told"] == {"sub": found["sub"], "name": "王小明", "identity_level": 3}

    gone = at_home.get(department.address + "/sign-out", timeout=20)
    assert gone.url == department.address + "/"
    until = time.monotonic() + 20
    while department.person(at_work)["signed_in"] and time.monotonic() < until:
        time.sleep(0.2)
    assert department.person(at_work) == {"signed_in": False}


@pytest.mark.slow
def test_the_site_hears_when_the_person_ends_the_session_elsewhere(
    department: Department, citizen: MakeCitizen
) -> None:
    actor, _ = citizen(level=2)
    oidc.allow(actor, department.known, Field.NAME, Field.LEVEL)
    browser = _browser(actor)
    browser.get(department.address + "/sign-in", timeout=20)
    assert department.person(browser)["signed_in"] is True
    with transaction() as session:
        sessions.sign_out(session, actor=actor)
    until = time.monotonic() + 20
    while department.person(browser)["signed_in"] and time.monotonic() < until:
        time.sleep(0.2)
    assert department.person(browser)["signed_in"] is False
