"""Organisations over HTTP: the representative by the market registry, handlers, and what a change there does (ID-11)."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from auth.organisations.jobs import ask_all_again
from core import clock, db
from core.clock import SHANGHAI
from tests.factories import delegation as make
from tests.factories.delegation import Phone, told
from tests.sandbox_client import Sandbox

People = Callable[..., tuple[Any, dict[str, str]]]
TUESDAY = datetime(2026, 11, 24, 10, tzinfo=SHANGHAI)
LICENCE, PERSONAL = "NB-041", "NB-092"
WORK = {"role": "HANDLER", "scope": "ITEMS", "scope_values": [LICENCE], "actions": ["SUBMIT", "CORRECT", "VIEW"]}


@pytest.fixture(autouse=True)
def _on_tuesday() -> Iterator[None]:
    with clock.at(TUESDAY):
        yield


class Company:
    """A company, its representative and a handler."""

    def __init__(self, client: FlaskClient, sandbox: Sandbox) -> None:
        self.sandbox, self.client = sandbox, client
        self.boss, boss_headers = make.signed_in(sandbox, "zhang-wei")
        self.handler, handler_headers = make.signed_in(sandbox, "wang-fang")
        self.alone = Phone(client, boss_headers)
        self.role = self.alone.post("/organisations", {"credit_code": make.credit_code(sandbox, "yongjiang")})
        self.boss_phone = self.alone.acting(self.role["id"])
        self.handler_alone = Phone(client, handler_headers)

    def appoint(self, **more: Any) -> dict[str, Any]:
        person = make.persona(self.sandbox, "wang-fang")
        body = {name: person[name] for name in ("name", "document_type", "document_number")}
        made: dict[str, Any] = self.boss_phone.post("/organisations/people", {**body, **WORK, **more}, status=201)
        return made

    def hire(self, **more: Any) -> Phone:
        offered = self.appoint(**more)
        self.handler_alone.post(f"/organisations/roles/{offered['id']}/accept")
        return self.handler_alone.acting(offered["id"])

    def change(self, **what: Any) -> None:
        self.sandbox.post("market-registry/change", organisation="yongjiang", **what)


@pytest.fixture
def company(client: FlaskClient, sandbox: Sandbox) -> Company:
    return Company(client, sandbox)


def test_a_handler_files_for_the_company_until_its_representative_changes(company: Company) -> None:
    assert (company.role["role"], company.role["organisation"]) == ("LEGAL_REPRESENTATIVE", "宁波甬江贸易有限公司")
    acting = company.hire()
    assert any("王*" in body and "宁波甬江贸易有限公司" in body for body in told(company.boss))
    started = acting.post("/prereviews", {"item_id": LICENCE}, status=201)
    assert started["acted_by"] == "HANDLER"
    assert [one["id"] for one in company.boss_phone.get("/prereviews")["items"]] == [started["id"]]
    assert company.handler_alone.get("/prereviews")["items"] == []
    assert acting.post("/prereviews", {"item_id": PERSONAL}, status=403)["code"] == "DELEGATION_OUT_OF_SCOPE"
    company.change(representative="li-na")
    assert acting.get(f"/prereviews/{started['id']}")["state"] == "DRAFT"
    with clock.at(TUESDAY + timedelta(hours=25)):
        refused = acting.post(f"/prereviews/{started['id']}/submit", status=403)
        assert refused["code"] == "DELEGATION_REVOKED"
        assert company.boss_phone.get("/prereviews", status=403)["code"] == "DELEGATION_REVOKED"
        assert company.alone.get("/delegations/acting")["items"] == []
        # The new one finds what was begun; nobody who was appointed by the former one goes on.
        _, new_headers = make.signed_in(company.sandbox, "li-na")
        successor = Phone(company.client, new_headers)
        role = successor.post("/organisations", {"credit_code": company.role["credit_code"]})
        assert [one["id"] for one in successor.acting(role["id"]).get("/prereviews")["items"]] == [started["id"]]
        assert len(successor.acting(role["id"]).get("/organisations/people")["items"]) == 1


def test_the_successor_need_not_wait(company: Company) -> None:
    company.change(representative="li-na")
    _, headers = make.signed_in(company.sandbox, "li-na")
    Phone(company.client, headers).post("/organisations", {"credit_code": company.role["credit_code"]})
    assert company.boss_phone.get("/cases", status=403)["code"] == "DELEGATION_REVOKED"


def test_a_deregistered_company(company: Company) -> None:
    acting = company.hire()
    company.change(deregistered=True)
    with clock.at(TUESDAY + timedelta(hours=25)):
        assert acting.get("/cases", status=403)["code"] == "DELEGATION_REVOKED"
    again = company.alone.post("/organisations", {"credit_code": company.role["credit_code"]}, status=409)
    assert again["code"] == "ORGANISATION_CLOSED"


@pytest.mark.parametrize(
    ("who", "organisation", "code"),
    [("li-na", "yongjiang", "REPRESENTATIVE_NOT_CONFIRMED"), ("zhang-wei", "closed", "ORGANISATION_CLOSED")],
)
def test_who_is_not_the_representative(
    client: FlaskClient, sandbox: Sandbox, who: str, organisation: str, code: str
) -> None:
    _, headers = make.signed_in(sandbox, who)
    body = {"credit_code": make.credit_code(sandbox, organisation)}
    assert Phone(client, headers).post("/organisations", body, status=409)["code"] == code


def test_a_code_that_nobody_has_and_a_code_that_is_none(client: FlaskClient, sandbox: Sandbox) -> None:
    _, headers = make.signed_in(sandbox, "zhang-wei")
    phone = Phone(client, headers)
    unknown = phone.post("/organisations", {"credit_code": "91350100M000100Y43"}, status=409)
    assert unknown["code"] == "REPRESENTATIVE_NOT_CONFIRMED"
    assert phone.post("/organisations", {"credit_code": "91350100M000100Y44"}, status=422)["code"] == "INVALID_INPUT"


@pytest.mark.parametrize("fault", ["error", "garbage", "wrong_signature", "drop_response_after_effect"])
def test_the_registry_is_down(company: Company, fault: str) -> None:
    """No new role; those there go on until the registry's word is too old (ID-11)."""
    acting = company.hire()
    company.sandbox.fault("market-registry", fault, times=99)
    refused = company.alone.post("/organisations", {"credit_code": company.role["credit_code"]}, status=503)
    assert refused["code"] == "SOURCE_UNAVAILABLE"
    with clock.at(TUESDAY + timedelta(hours=71)):
        acting.get("/cases")
    with clock.at(TUESDAY + timedelta(hours=72, minutes=1)):
        assert acting.get("/cases", status=503)["code"] == "SOURCE_UNAVAILABLE"
        company.sandbox.post("reset")
        acting.get("/cases")
        acting.get("/cases")


def test_a_handler_appoints_nobody_and_an_administrator_no_administrator(company: Company) -> None:
    person = make.persona(company.sandbox, "mother")
    body = {name: person[name] for name in ("name", "document_type", "document_number")}
    handler = company.hire()
    assert handler.post("/organisations/people", {**body, **WORK}, status=403)["code"] == "DELEGATION_OUT_OF_SCOPE"
    assert (
        company.alone.post("/organisations/people", {**body, **WORK}, status=403)["code"] == "DELEGATION_OUT_OF_SCOPE"
    )
    administrator = company.hire(role="ADMINISTRATOR", scope="ALL", scope_values=[])
    administrator.post("/organisations/people", {**body, **WORK}, status=201)
    refused = administrator.post("/organisations/people", {**body, **WORK, "role": "ADMINISTRATOR"}, status=403)
    assert refused["code"] == "DELEGATION_OUT_OF_SCOPE"


def test_an_offer_is_the_named_persons_alone(company: Company, client: FlaskClient, citizen: People) -> None:
    """Whether we know the person is not told; somebody else finds nothing."""
    offered = company.appoint()
    _, thief = citizen(level=3, name="王芳")
    assert Phone(client, thief).post(f"/organisations/roles/{offered['id']}/accept", status=404)["code"] == "NOT_FOUND"
    assert company.handler_alone.acting(offered["id"]).get("/cases", status=404)["code"] == "NOT_FOUND"
    shown = company.handler_alone.get("/organisations/roles")["items"]
    assert [(one["id"], one["state"]) for one in shown] == [(offered["id"], "OFFERED")]
    assert company.handler_alone.post(f"/organisations/roles/{offered['id']}/decline")["state"] == "DECLINED"
    company.handler_alone.post(f"/organisations/roles/{offered['id']}/accept", status=409)


def test_dismissed_at_once(company: Company) -> None:
    acting = company.hire()
    role = company.handler_alone.get("/organisations/roles")["items"][0]["id"]
    acting.get("/cases")
    assert company.boss_phone.post(f"/organisations/roles/{role}/end")["state"] == "ENDED"
    assert acting.get("/cases", status=403)["code"] == "DELEGATION_REVOKED"
    assert "不能再为宁波甬江贸易有限公司办事" in told(company.handler)[-1]


def test_one_may_resign_but_not_dismiss_a_stranger(company: Company, client: FlaskClient, citizen: People) -> None:
    company.hire()
    role = company.handler_alone.get("/organisations/roles")["items"][0]["id"]
    _, other = citizen(level=3)
    assert Phone(client, other).post(f"/organisations/roles/{role}/end", status=404)["code"] == "NOT_FOUND"
    assert company.handler_alone.post(f"/organisations/roles/{role}/end")["state"] == "ENDED"


def test_a_handlers_time_runs_out(company: Company) -> None:
    acting = company.hire(valid_until=(TUESDAY + timedelta(hours=2)).isoformat())
    with clock.at(TUESDAY + timedelta(hours=1, minutes=59)):
        acting.get("/cases")
    with clock.at(TUESDAY + timedelta(hours=2)):
        assert acting.get("/cases", status=403)["code"] == "DELEGATION_REVOKED"


def test_an_organisation_never_signs_in(company: Company) -> None:
    columns = "id, subject_id, channel, created_at, last_seen_at, expires_at"
    forged = text(
        f"INSERT INTO citizen_session ({columns}) VALUES (gen_random_uuid(), :subject, 'APP', now(), now(), now())"
    )
    with pytest.raises(DBAPIError, match="does not sign in"), db.transaction() as session:
        session.execute(forged, {"subject": company.role["organisation_id"]})


def test_frozen_company_matters_rest(company: Company) -> None:
    """A freeze of the principal counts from the next request on (ID-12)."""
    company.boss_phone.get("/cases")
    with db.transaction() as session:
        session.execute(
            text("UPDATE subject SET state = 'FROZEN' WHERE id = :id"), {"id": company.role["organisation_id"]}
        )
    assert company.boss_phone.get("/cases", status=403)["code"] == "DELEGATION_REVOKED"


def test_the_nightly_question(company: Company, run_jobs: Callable[..., None]) -> None:
    company.change(representative="li-na")
    with clock.at(TUESDAY + timedelta(hours=30)):
        ask_all_again()
        run_jobs()
        assert company.alone.get("/organisations/roles")["items"] == []


def test_who_acts_for_a_company_is_listed(company: Company) -> None:
    company.hire()
    people = company.boss_phone.get("/organisations/people")["items"]
    assert {(one["holder"], one["role"]) for one in people} == {("张*", "LEGAL_REPRESENTATIVE"), ("王*", "HANDLER")}
    whom = company.handler_alone.get("/delegations/acting")["items"]
    assert [(one["name"], one["organisation"], one["capacity"]) for one in whom] == [
        ("宁波甬江贸易有限公司", True, "HANDLER")
    ]
