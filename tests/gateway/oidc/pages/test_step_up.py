"""Proving more because the site needs it: name and number, Alipay's real name, what waits, what is closed and why."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from core.actors import Citizen
from core.identifiers import DocumentType, normalise_document
from tests.factories import oidc
from tests.factories.oidc import Site
from tests.gateway.oidc.pages.person import Page, Person
from tests.gateway.oidc.pages.test_alipay import WECHAT, decide
from tests.sandbox_client import Sandbox

Jobs = Callable[..., None]
MakeCitizen = Callable[..., tuple[Citizen, dict[str, str]]]
LEVEL_3 = json.dumps({"id_token": {"acr": {"essential": True, "value": "level3"}}})


@pytest.fixture
def personas(sandbox: Sandbox) -> dict[str, dict[str, Any]]:
    return {persona["key"]: persona for persona in sandbox.get("personas.json")["personas"]}


def signed_in(person: Person, site: Site, citizen: MakeCitizen, level: int, **asked: str) -> Page:
    """Arrive as somebody who is signed in at `level`."""
    actor, _ = citizen(level=level, channel="H5", **({"name": "张伟", "document": ZHANG_WEI} if level >= 2 else {}))
    oidc.sign_in_browser(person.http, actor)
    oidc.allow(actor, site)
    return person.arrive(site, **asked)


ZHANG_WEI = normalise_document(DocumentType.RESIDENT_ID, "330299199003070013")


def fill(person: Person, page: Page, persona: dict[str, Any], **other: str) -> Page:
    """From the kinds of document to the page after name and number."""
    kind = persona["document_type"]
    page = person.open(page.path.split("/document")[0] + f"/document/{kind}")
    return person.press(
        page, f"/document/{kind}", name=persona["name"], document_number=persona["document_number"], **other
    )


def acr(person: Person, site: Site) -> str:
    made = site.exchange(person.http, person.back_with()["code"]).get_json()
    return str(oidc.claims_of(made["id_token"])["acr"])


def test_name_and_number(person: Person, site: Site, citizen: MakeCitizen, personas: dict[str, Any]) -> None:
    page = signed_in(person, site, citizen, 1, acr_values="level2")
    assert page.name == "document"
    assert "您用哪种证件" in page.text
    fill(person, page, personas["zhang-wei"])
    assert acr(person, site) == "level2"


def test_every_kind_of_document_has_its_page(person: Person, site: Site, citizen: MakeCitizen) -> None:
    page = signed_in(person, site, citizen, 1, acr_values="level2")
    kinds = [link for link in page.links if "/document/" in link]
    assert len(kinds) == 7
    for link in kinds:
        shown = person.open(link)
        assert shown.input("name")["autocomplete"] == "name"
        assert shown.input("document_number")
    assert person.open(page.path + "/999").status == 404


def test_a_foreign_document(person: Person, site: Site, citizen: MakeCitizen, personas: dict[str, Any]) -> None:
    page = signed_in(person, site, citizen, 1, claims=LEVEL_3)
    page = fill(person, page, personas["foreigner"])
    assert page.name == "proof"
    assert "您的证件类型不支持此方式" in page.text
    assert [link for link in page.links if link.endswith("/real-name")] == []
    assert [link for link in page.links if link.endswith("/halls")]


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("mismatch", "姓名与证件号码核验未通过"),
        ("not-found", "姓名与证件号码核验未通过"),
        ("expired", "证件已过有效期"),
        ("deceased", "该证件目前不能在网上核验"),
    ],
)
def test_refusals_keep_what_was_typed(
    person: Person, site: Site, citizen: MakeCitizen, personas: dict[str, Any], key: str, said: str
) -> None:
    page = signed_in(person, site, citizen, 1, acr_values="level2")
    page = fill(person, page, personas[key])
    assert page.name == "111"
    assert said in page.text
    assert page.input("name")["value"] == personas[key]["name"]
    assert page.input("document_number")["value"] == personas[key]["document_number"]


@pytest.mark.parametrize(
    ("name", "number", "field"),
    [
        ("张伟", "330299199003070014", "document_number"),
        ("", "330299199003070013", "name"),
        ("张伟", "", "document_number"),
    ],
)
def test_typing_mistakes_are_told_at_the_field(
    person: Person, site: Site, citizen: MakeCitizen, sandbox: Sandbox, name: str, number: str, field: str
) -> None:
    page = signed_in(person, site, citizen, 1, acr_values="level2")
    page = person.open(page.path + "/111")
    page = person.press(page, "/document/111", name=name, document_number=number)
    assert page.input(field)["aria-invalid"] == "true"
    assert f"#{field}" in page.links


def test_a_review_says_when_to_look_again(
    person: Person, site: Site, citizen: MakeCitizen, personas: dict[str, Any]
) -> None:
    page = signed_in(person, site, citizen, 1, acr_values="level2")
    page = fill(person, page, personas["review"])
    assert page.name == "review"
    assert "请在这个时间以后再看" in page.text
    again = person.open(page.path.replace("/review", "/document"))
    assert again.name == "document", "who made a mistake may fill in again"
    person.press(page, "/refuse")
    assert person.back_with()["error"] == "access_denied"


def test_the_source_down(
    person: Person, site: Site, citizen: MakeCitizen, personas: dict[str, Any], sandbox: Sandbox
) -> None:
    page = signed_in(person, site, citizen, 1, acr_values="level2")
    sandbox.fault("identity-authority", "error", times=3)
    page = fill(person, page, personas["zhang-wei"])
    assert "相关服务暂时不可用" in page.text
    sandbox.post("reset")
    person.press(page, "/document/111", name="张伟", document_number=personas["zhang-wei"]["document_number"])
    assert acr(person, site) == "level2"


def test_without_the_level_where_the_site_lets_one(person: Person, site: Site, citizen: MakeCitizen) -> None:
    page = signed_in(person, site, citizen, 2, acr_values="level3")
    assert page.name == "proof"
    person.press(page, "/proof/decline")
    assert acr(person, site) == "level2"


def test_an_essential_level_refused(person: Person, site: Site, citizen: MakeCitizen) -> None:
    page = signed_in(person, site, citizen, 2, claims=LEVEL_3)
    assert not any(form.action.endswith("/decline") for form in page.forms)
    answer = person.http.post(page.path + "/decline", data=page.form("/refuse").fields)
    assert answer.status_code == 409
    person.press(page, "/refuse")
    assert person.back_with()["error"] == "unmet_authentication_requirements"


def test_the_ways_to_level_3(person: Person, site: Site, citizen: MakeCitizen) -> None:
    page = signed_in(person, site, citizen, 2, claims=LEVEL_3)
    assert [link for link in page.links if link.endswith("/real-name")]
    assert "刷脸核验 此方式暂未开通" in page.text
    halls = person.open(next(link for link in page.links if link.endswith("/halls")))
    assert "到大厅核验身份" in halls.text
    assert "宁波" in halls.text


def test_inside_wechat_alipay_is_closed(another: Callable[..., Person], site: Site, citizen: MakeCitizen) -> None:
    person = another(User_Agent=WECHAT)
    page = signed_in(person, site, citizen, 2, claims=LEVEL_3)
    assert "不能使用支付宝" in page.text
    assert [link for link in page.links if link.endswith("/real-name")] == []


# Alipay's real name --------------------------------------------------------------------------------------------------


def at_alipay(person: Person, site: Site, citizen: MakeCitizen) -> Page:
    page = signed_in(person, site, citizen, 2, claims=LEVEL_3)
    page = person.open(next(link for link in page.links if link.endswith("/real-name")))
    assert "张*" in page.text
    assert person.press(page, "/real-name").path == "/outside"
    return page


def test_alipays_real_name_to_level_3(person: Person, site: Site, citizen: MakeCitizen, sandbox: Sandbox) -> None:
    at_alipay(person, site, citizen)
    person.open(decide(person, "zhang-wei"))
    made = site.exchange(person.http, person.back_with()["code"]).get_json()
    claims = oidc.claims_of(made["id_token"])
    assert claims["acr"] == "level3"
    assert "alipay" in claims["amr"]


def test_another_persons_alipay(person: Person, site: Site, citizen: MakeCitizen, sandbox: Sandbox) -> None:
    at_alipay(person, site, citizen)
    page = person.open(decide(person, "li-na"))
    assert page.name == "real-name"
    assert "请用您本人的支付宝授权" in page.text
    assert person.press(page, "/real-name").path == "/outside"
    person.open(decide(person, "zhang-wei"))
    assert acr(person, site) == "level3"


def test_cancelled_at_alipay(person: Person, site: Site, citizen: MakeCitizen, sandbox: Sandbox) -> None:
    at_alipay(person, site, citizen)
    page = person.open(decide(person, None))
    assert page.name == "real-name"
    assert "您已取消支付宝授权" in page.text


def test_alipay_down_before_leaving(person: Person, site: Site, citizen: MakeCitizen, sandbox: Sandbox) -> None:
    page = signed_in(person, site, citizen, 2, claims=LEVEL_3)
    page = person.open(next(link for link in page.links if link.endswith("/real-name")))
    sandbox.fault("alipay", "error", times=3)
    page = person.press(page, "/real-name")
    assert page.name == "real-name"
    assert "相关服务暂时不可用" in page.text


def test_alipay_down_on_the_way_back(person: Person, site: Site, citizen: MakeCitizen, sandbox: Sandbox) -> None:
    at_alipay(person, site, citizen)
    back = decide(person, "zhang-wei")
    sandbox.fault("alipay", "error", times=3)
    page = person.open(back)
    assert page.name == "real-name"
    assert "相关服务暂时不可用" in page.text


def test_alipays_answer_replayed(person: Person, site: Site, citizen: MakeCitizen, sandbox: Sandbox) -> None:
    at_alipay(person, site, citizen)
    back = decide(person, "zhang-wei")
    onward = person.http.get(back).location.removeprefix("http://localhost")
    person.open(onward)
    first = person.left_to
    assert "code=" in first
    again = person.open(onward)
    assert again.path == "/outside", "the step is over: the browser goes back to the site"


def test_another_browser_brings_the_answer(
    person: Person, another: Callable[..., Person], site: Site, citizen: MakeCitizen, sandbox: Sandbox
) -> None:
    at_alipay(person, site, citizen)
    onward = person.http.get(decide(person, "zhang-wei")).location.removeprefix("http://localhost")
    assert another().open(onward).status == 410
    person.open(onward)
    assert acr(person, site) == "level3"


def test_the_alipay_page_needs_a_proven_name(person: Person, site: Site, citizen: MakeCitizen) -> None:
    page = signed_in(person, site, citizen, 1, claims=LEVEL_3)
    assert person.open(page.path.replace("/document", "/real-name")).name == "document"


def test_what_is_told_to_sandbox_pages_is_no_name(
    person: Person, site: Site, citizen: MakeCitizen, sandbox: Sandbox
) -> None:
    at_alipay(person, site, citizen)
    assert "张伟" not in person.left_to
    assert "330299" not in person.left_to
    assert requests.get(person.left_to, timeout=5).status_code == 200
