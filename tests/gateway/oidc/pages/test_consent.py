"""What the site gets to see, which account goes on, and signing out."""

from __future__ import annotations

from collections.abc import Callable

from core.actors import Citizen
from tests.factories import oidc
from tests.factories.oidc import Site, browser_of
from tests.gateway.oidc.pages.person import Person
from tests.sandbox_client import Sandbox

Jobs = Callable[..., None]
MakeCitizen = Callable[..., tuple[Citizen, dict[str, str]]]
SCOPE = "openid profile phone identity"


def test_exactly_the_fields_with_masked_values(person: Person, site: Site, citizen: MakeCitizen) -> None:
    actor, _ = citizen(level=2, name="王小明", phone="+8619900000031")
    oidc.sign_in_browser(person.http, actor)
    page = person.arrive(site, scope=SCOPE)
    assert page.name == "consent"
    for word in (
        "不动产登记网",
        "姓名",
        "王*明",
        "手机号码",
        "199****0031",
        "证件类型",
        "居民身份证",
        "证件号码",
        "出生日期",
    ):
        assert word in page.text, word
    assert "王小明" not in page.html
    assert "19900000031" not in page.html
    person.press(page, "/consent", answer="yes")
    made = site.exchange(person.http, person.back_with()["code"]).get_json()
    told = person.http.get("/oidc/userinfo", headers=oidc.bearer(made["access_token"])).get_json()
    assert (told["name"], told["phone_number"]) == ("王小明", "+8619900000031")
    person.left_to = ""
    person.arrive(site, scope=SCOPE)
    assert "code" in person.back_with(), "remembered"


def test_more_fields_are_asked_for_again(person: Person, site: Site, citizen: MakeCitizen) -> None:
    actor, _ = citizen(level=2)
    oidc.sign_in_browser(person.http, actor)
    person.press(person.arrive(site, scope="openid profile"), "/consent", answer="yes")
    page = person.arrive(site, scope="openid profile phone")
    assert page.name == "consent"
    assert "手机号码" in page.text


def test_not_agreeing_goes_back(person: Person, site: Site, citizen: MakeCitizen) -> None:
    actor, _ = citizen(level=2)
    oidc.sign_in_browser(person.http, actor)
    page = person.arrive(site, scope=SCOPE)
    person.press(page, "/consent", answer="no")
    assert person.back_with()["error"] == "access_denied"
    assert person.arrive(site, scope=SCOPE).name == "consent", "nothing was remembered"


def test_fields_other_than_those_shown_are_no_consent(person: Person, site: Site, citizen: MakeCitizen) -> None:
    actor, _ = citizen(level=2)
    oidc.sign_in_browser(person.http, actor)
    page = person.arrive(site, scope=SCOPE)
    for fields in ([], ["name"], ["name", "identity_level"], ["everything"]):
        assert person.press(page, "/consent", answer="yes", field=fields).status == 409
    assert person.arrive(site, scope=SCOPE).name == "consent"


def test_agreeing_twice_does_no_harm(person: Person, site: Site, citizen: MakeCitizen) -> None:
    actor, _ = citizen(level=2)
    oidc.sign_in_browser(person.http, actor)
    page = person.arrive(site, scope=SCOPE)
    first, second = (person.post(page, "/consent", answer="yes") for _ in range(2))
    assert first.status_code == second.status_code == 303
    person.follow(second)
    assert site.exchange(person.http, person.back_with()["code"]).status_code == 200


def test_asked_although_nothing_is_shown(person: Person, site: Site, citizen: MakeCitizen) -> None:
    actor, _ = citizen(level=2)
    oidc.sign_in_browser(person.http, actor)
    page = person.arrive(site, prompt="consent")
    assert "不提供任何个人信息" in page.text
    person.press(page, "/consent", answer="yes")
    assert "code" in person.back_with()


def test_a_phones_new_owner_sees_no_name(person: Person, site: Site, citizen: MakeCitizen) -> None:
    """ID-4: below level 2 neither name nor document is shown, and none is passed on."""
    actor, _ = citizen(level=1)
    oidc.sign_in_browser(person.http, actor)
    page = person.arrive(site, scope=SCOPE)
    assert "*" not in page.text.replace("199****", "")


# Which account -------------------------------------------------------------------------------------------------------


def test_going_on_as_who_is_signed_in(person: Person, site: Site, citizen: MakeCitizen) -> None:
    actor, _ = citizen(level=2, name="王小明", phone="+8619900000032")
    oidc.sign_in_browser(person.http, actor)
    page = person.arrive(site, prompt="select_account")
    assert page.name == "account"
    assert "王*明 199****0032" in page.text
    person.press(page, "/account", use="current")
    assert "code" in person.back_with()


def test_another_account(person: Person, site: Site, citizen: MakeCitizen, sandbox: Sandbox, run_jobs: Jobs) -> None:
    actor, _ = citizen(level=2)
    oidc.sign_in_browser(person.http, actor)
    page = person.press(person.arrive(site, prompt="select_account"), "/account", use="other")
    assert page.name == "ways"
    person.sign_in(page, sandbox, run_jobs)
    assert "code" in person.back_with()
    seen = browser_of(person.http)
    assert seen is not None
    assert seen.live is not None
    assert seen.live.subject_id != actor.subject_id


def test_a_fresh_sign_in_is_asked_for(
    person: Person, site: Site, citizen: MakeCitizen, sandbox: Sandbox, run_jobs: Jobs
) -> None:
    actor, _ = citizen(level=2)
    oidc.sign_in_browser(person.http, actor)
    page = person.arrive(site, prompt="login")
    assert page.name == "ways"
    assert person.open(page.path.replace("/ways", "/account")).name == "ways"
    person.sign_in(page, sandbox, run_jobs)
    assert "code" in person.back_with()


# Signing out ---------------------------------------------------------------------------------------------------------


def test_signing_out_is_asked_and_done(person: Person, site: Site, citizen: MakeCitizen) -> None:
    actor, _ = citizen(level=2)
    oidc.sign_in_browser(person.http, actor)
    asked = {"client_id": site.client_id, "post_logout_redirect_uri": oidc.AFTER, "state": "s"}
    page = person.follow(person.http.get("/oidc/logout", query_string=asked))
    assert "要退出登录吗" in page.text
    assert "不动产登记网" in page.text
    assert "form-action 'self' https://tax.example.gov.cn" in page.answer.headers["Content-Security-Policy"]
    answer = person.post(page, page.name, answer="yes")
    assert (answer.status_code, answer.location) == (303, oidc.AFTER + "?state=s")
    assert answer.headers["Clear-Site-Data"]
    assert browser_of(person.http) is None
    again = person.http.post(page.path, data={"answer": "yes"})
    assert again.status_code == 200
    assert "您已退出登录" in again.text


def test_staying_signed_in(person: Person, site: Site, citizen: MakeCitizen) -> None:
    actor, _ = citizen(level=2)
    oidc.sign_in_browser(person.http, actor)
    page = person.follow(person.http.get("/oidc/logout"))
    stayed = person.press(page, page.name, answer="no")
    assert "您没有退出" in stayed.text
    seen = browser_of(person.http)
    assert seen is not None
    assert seen.live is not None


def test_a_sign_out_without_its_key_or_in_another_browser(
    person: Person, another: Callable[..., Person], site: Site, citizen: MakeCitizen
) -> None:
    actor, _ = citizen(level=2)
    oidc.sign_in_browser(person.http, actor)
    page = person.follow(person.http.get("/oidc/logout"))
    assert person.press(page, page.name, answer="yes", form_key="").status == 403
    other = another()
    other.arrive(site)
    assert other.press(page, page.name, answer="yes").status == 403
    assert other.open("/oidc/sign-out/" + "x" * 43).status == 410
    seen = browser_of(person.http)
    assert seen is not None
    assert seen.live is not None
