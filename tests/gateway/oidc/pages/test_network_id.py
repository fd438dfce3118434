"""The national network ID as a step up: confirmed, refused, another person's, down, in another browser; and for foreigners."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from core.actors import Citizen
from core.identifiers import DocumentType, normalise_document
from tests.factories import oidc
from tests.factories.oidc import Site
from tests.gateway.oidc.pages.person import Page, Person
from tests.gateway.oidc.pages.test_step_up import LEVEL_3, fill, signed_in
from tests.sandbox_client import Sandbox

MakeCitizen = Callable[..., tuple[Citizen, dict[str, str]]]


def at_the_app(person: Person, page: Page) -> Page:
    """From the ways to the app; the page that was left."""
    page = person.open(next(link for link in page.links if link.endswith("/network-id")))
    assert page.name == "network-id"
    assert person.press(page, "/network-id").path == "/outside"
    return page


def decide(person: Person, persona: str, act: str = "confirm") -> str:
    """Confirm or refuse in the app; where the browser comes back to, as a path of ours."""
    answer = requests.post(person.left_to, {"persona": persona, "act": act}, allow_redirects=False, timeout=5)
    assert answer.headers["Location"].startswith("http://localhost/oidc/")
    return answer.headers["Location"].removeprefix("http://localhost")


def claims(person: Person, site: Site) -> dict[str, Any]:
    made = site.exchange(person.http, person.back_with()["code"]).get_json()
    return oidc.claims_of(made["id_token"])


def test_confirmed(person: Person, site: Site, citizen: MakeCitizen, sandbox: Sandbox) -> None:
    page = at_the_app(person, signed_in(person, site, citizen, 2, claims=LEVEL_3))
    assert "张*" in page.text
    person.open(decide(person, "zhang-wei"))
    told = claims(person, site)
    assert told["acr"] == "level3"
    assert "network-id" in told["amr"]


def test_a_foreigner_reaches_level_3(person: Person, site: Site, citizen: MakeCitizen, sandbox: Sandbox) -> None:
    """ID-10: Alipay compares resident cards only, the network ID takes a permanent resident's card too."""
    foreigner = next(one for one in sandbox.get("personas.json")["personas"] if one["key"] == "foreigner")
    page = signed_in(person, site, citizen, 1, claims=LEVEL_3)
    at_the_app(person, fill(person, page, foreigner))
    person.open(decide(person, "foreigner"))
    assert claims(person, site)["acr"] == "level3"


@pytest.mark.parametrize(
    ("persona", "act", "said"), [("zhang-wei", "refuse", "您已取消网络身份认证"), ("li-na", "confirm", "核验未通过")]
)
def test_refused_or_another_persons(
    person: Person, site: Site, citizen: MakeCitizen, sandbox: Sandbox, persona: str, act: str, said: str
) -> None:
    at_the_app(person, signed_in(person, site, citizen, 2, claims=LEVEL_3))
    page = person.open(decide(person, persona, act))
    assert page.name == "network-id"
    assert said in page.text
    assert person.press(page, "/network-id").path == "/outside"


def test_the_service_down_before_leaving(person: Person, site: Site, citizen: MakeCitizen, sandbox: Sandbox) -> None:
    page = signed_in(person, site, citizen, 2, claims=LEVEL_3)
    page = person.open(next(link for link in page.links if link.endswith("/network-id")))
    sandbox.fault("network-identity", "error", times=3)
    page = person.press(page, "/network-id")
    assert page.name == "network-id"
    assert "相关服务暂时不可用" in page.text


def test_the_service_down_on_the_way_back_and_reload(
    person: Person, site: Site, citizen: MakeCitizen, sandbox: Sandbox
) -> None:
    at_the_app(person, signed_in(person, site, citizen, 2, claims=LEVEL_3))
    back = decide(person, "zhang-wei")
    sandbox.fault("network-identity", "error", times=3)
    page = person.open(back)
    assert "相关服务暂时不可用" in page.text
    requests.delete(f"{sandbox.url}/_sandbox/faults", timeout=5)
    person.open(back)
    assert claims(person, site)["acr"] == "level3", "nothing was used up"


def test_another_browser_and_made_up_checks(
    person: Person, another: Callable[..., Person], site: Site, citizen: MakeCitizen, sandbox: Sandbox
) -> None:
    page = at_the_app(person, signed_in(person, site, citizen, 2, claims=LEVEL_3))
    back = decide(person, "zhang-wei")
    assert another().open(back).status == 410
    for query in ("", "?id=x&token=y", "?id=00000000-0000-0000-0000-000000000000&token=y"):
        assert "本次网络身份认证已失效" in person.open(page.path + "/back" + query).text
    stranger = another()
    actor, _ = citizen(level=2, channel="H5")
    oidc.sign_in_browser(stranger.http, actor)
    theirs = stranger.arrive(site, claims=LEVEL_3).path.replace("/proof", "/network-id/back")
    assert "本次网络身份认证已失效" in stranger.open(theirs + "?" + back.partition("?")[2]).text
    person.open(back)
    assert claims(person, site)["acr"] == "level3"


def test_it_needs_a_proven_name(person: Person, site: Site, citizen: MakeCitizen) -> None:
    page = signed_in(person, site, citizen, 1, claims=LEVEL_3)
    assert person.open(page.path.replace("/document", "/network-id")).name == "document"


def test_a_document_it_does_not_take(person: Person, site: Site, citizen: MakeCitizen) -> None:
    passport = normalise_document(DocumentType.PASSPORT, "E12345678")
    actor, _ = citizen(level=2, channel="H5", document=passport, name="JOHN SMITH")
    oidc.sign_in_browser(person.http, actor)
    page = person.arrive(site, claims=LEVEL_3)
    assert [link for link in page.links if link.endswith("/network-id")] == []
    page = person.open(page.path.replace("/proof", "/network-id"))
    page = person.press(page, "/network-id")
    assert page.name == "network-id"
    assert 'class="faults"' in page.html
