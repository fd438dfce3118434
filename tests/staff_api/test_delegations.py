"""The counter's side of delegations: paper, guardians, disputes, the hotline, agencies, project officers (3.8)."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from core import clock, db
from core.clock import SHANGHAI
from tests.factories import auth as people
from tests.factories import delegation as make
from tests.factories import prereview as papers
from tests.factories.catalogue import CITY_HALL
from tests.factories.delegation import DISABLED, OTHER, Phone, offer, told
from tests.sandbox_client import Sandbox

People = Callable[..., tuple[Any, dict[str, str]]]
TUESDAY = datetime(2026, 11, 24, 10, tzinfo=SHANGHAI)
PATH = "/staff/v1/delegations"


@pytest.fixture(autouse=True)
def _on_tuesday() -> Iterator[None]:
    with clock.at(TUESDAY):
        yield


class Desk:
    """The calls of a clerk's browser."""

    def __init__(self, client: FlaskClient, headers: dict[str, str]) -> None:
        self.client, self.headers = client, headers

    def post(self, path: str, body: Any = None, *, status: int = 200) -> Any:
        headers = {**self.headers, "Idempotency-Key": str(uuid4())}
        answer = self.client.post(PATH + path, json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json


@pytest.fixture
def desk(client: FlaskClient, staff: People) -> Desk:
    return Desk(client, staff("FRONT_CLERK", hall_id=CITY_HALL)[1])


def card(name: str, document: Any = None, **more: Any) -> dict[str, Any]:
    document = document or people.resident_id()
    return {"name": name, "document_type": document.type.value, "document_number": document.number, **more}


def shown(person: dict[str, Any]) -> dict[str, Any]:
    return {name: person[name] for name in ("document_type", "document_number")}


def wish(*items: str, **more: Any) -> dict[str, Any]:
    return {"scope": "ITEMS", "scope_values": list(items), "actions": ["SUBMIT", "CORRECT", "VIEW"], **more}


def test_a_paper_delegation_counts_at_once(desk: Desk, client: FlaskClient, citizen: People) -> None:
    """Both sides are told; the agent's phone never becomes the principal's (DG-2)."""
    own, agent_card = people.resident_id(), people.resident_id()
    principal, _ = citizen(level=2, name="徐阿公", document=own, phone="+8619911110001")
    agent, agent_headers = citizen(level=2, name="徐小明", document=agent_card)
    body = {
        "principal": card("徐阿公", own),
        "agent": card("徐小明", agent_card, phone="19911110002"),
        "wish": wish(OTHER),
        "evidence": "PAPER",
        "document_seen": "授权委托书原件",
    }
    made = desk.post("", body, status=201)
    assert (made["state"], made["principal"], made["agent"]) == ("ACTIVE", "徐*公", "徐*明")
    assert "可以为您代办" in told(principal)[-1]
    assert "可以为徐*公代办" in told(agent)[-1]
    Phone(client, agent_headers, made["id"]).post(
        "/prereviews", {"item_id": OTHER, "answers": papers.NO_SPECIALS}, status=201
    )
    ended = desk.post(f"/{made['id']}/revoke", shown(card("徐阿公", own)))
    assert ended["state"] == "REVOKED"
    refused = Phone(client, agent_headers, made["id"]).get("/prereviews", status=403)
    assert refused["code"] == "DELEGATION_REVOKED"


def test_nobody_ends_it_with_a_strangers_card(desk: Desk, citizen: People) -> None:
    own, agent_card = people.resident_id(), people.resident_id()
    body = {"principal": card("徐阿公", own), "agent": card("徐小明", agent_card), "wish": wish(OTHER)}
    made = desk.post("", {**body, "evidence": "NOTARISED", "document_seen": "公证书"}, status=201)
    assert desk.post(f"/{made['id']}/revoke", shown(card("徐小明", agent_card)), status=404)["code"] == "NOT_FOUND"


def test_the_clerk_is_no_side_of_it(client: FlaskClient, staff: People) -> None:
    """A clerk doesn't write down what serves themselves, nor act for others at the own hall (PEERS 4.2)."""
    _, headers = staff("FRONT_CLERK", hall_id=CITY_HALL)
    desk, own = Desk(client, headers), people.resident_id()
    answer = client.put(f"{PATH}/own-identity", json=card("钱多", own), headers=headers)
    assert answer.status_code == 204, answer.text
    again: Any = client.put(f"{PATH}/own-identity", json=card("钱多", own), headers=headers)
    assert again.json["code"] == "STATE_CONFLICT"
    body = {"principal": card("徐阿公"), "agent": card("钱多", own), "wish": wish(OTHER)}
    refused = desk.post("", {**body, "evidence": "PAPER", "document_seen": "委托书"}, status=403)
    assert refused["code"] == "DELEGATION_CONFLICT"


def test_a_clerk_does_not_act_for_others_at_the_own_hall(client: FlaskClient, staff: People, citizen: People) -> None:
    _, headers = staff("FRONT_CLERK", hall_id=CITY_HALL)
    _, colleague = staff("FRONT_CLERK", hall_id=CITY_HALL)
    own, principal_card = people.resident_id(), people.resident_id()
    _, own_headers = citizen(level=3, name="钱多", document=own)
    client.put(f"{PATH}/own-identity", json=card("钱多", own), headers=headers)
    body = {"principal": card("徐阿公", principal_card), "agent": card("钱多", own), "wish": wish(OTHER)}
    made = Desk(client, colleague).post("", {**body, "evidence": "PAPER", "document_seen": "委托书"}, status=201)
    acting = Phone(client, own_headers, made["id"])
    start = {"item_id": OTHER, "answers": papers.NO_SPECIALS, "hall_id": str(CITY_HALL)}
    assert acting.post("/prereviews", start, status=403)["code"] == "DELEGATION_CONFLICT"
    assert acting.get("/prereviews")["items"] == []


# Without a smartphone ------------------------------------------------------------------------------------------------


def test_an_elder_without_a_smartphone(desk: Desk, client: FlaskClient, citizen: People) -> None:
    """At the counter: the clerk reads the code out, the old phone rings, the clerk types the answer (DG-6)."""
    own = people.resident_id()
    child, headers = citizen(level=2, name="徐小明")
    body = {
        "principal": card("徐阿公", own, phone="19911110003"),
        "wish": {**wish(), "kind": "FAMILY", "scope": "AGENT_FRIENDLY"},
        "present": True,
    }
    made = desk.post("/offers", body, status=201)
    delegation_id = made["delegation"]["id"]
    taken = Phone(client, headers).post("/delegations/take", {"code": made["code"]})
    assert taken["state"] == "ACCEPTED"
    assert not re.search(r"\d{6}", "".join(told(child)))
    assert desk.post(f"/{delegation_id}/confirm", {"code": "000000"}, status=422)["code"] == "DELEGATION_CODE_WRONG"
    signed = {**shown(card("徐阿公", own)), "document_seen": "亲友代办委托书"}
    agreed = desk.post(f"/{delegation_id}/confirm-in-person", signed)
    assert (agreed["state"], agreed["evidence"]) == ("ACTIVE", "PAPER")
    Phone(client, headers, delegation_id).post("/prereviews", DISABLED, status=201)


def test_the_hotline_helps_whom_we_know(client: FlaskClient, staff: People, citizen: People) -> None:
    _, headers = staff("HOTLINE_OFFICER")
    hotline, own = Desk(client, headers), people.resident_id()
    body = {"principal": card("徐阿公", own), "wish": {**wish(), "kind": "FAMILY", "scope": "AGENT_FRIENDLY"}}
    assert hotline.post("/offers", {**body, "present": False}, status=404)["code"] == "NOT_FOUND"
    elder, _ = citizen(level=2, name="徐阿公", document=own)
    made = hotline.post("/offers", {**body, "present": False}, status=201)
    _, agent_headers = citizen(level=2, name="徐小明")
    Phone(client, agent_headers).post("/delegations/take", {"code": made["code"]})
    code = re.findall(r"确认码 (\d{6})", "".join(told(elder)))[-1]
    agreed = hotline.post(f"/{made['delegation']['id']}/confirm", {"code": code})
    assert (agreed["state"], agreed["evidence"]) == ("ACTIVE", "SMS_CODE")


# Guardians -----------------------------------------------------------------------------------------------------------


def test_a_guardian_by_paper_and_a_dispute(desk: Desk, client: FlaskClient, citizen: People) -> None:
    """While the parents are in dispute nobody acts online; the judgement says who goes on (DG-5)."""
    birth = {"document_type": "117", "document_number": "R330000777", "name": "林小小"}
    links, phones = [], []
    for name in ("林大", "李娜"):
        own = people.resident_id()
        _, headers = citizen(level=3, name=name, document=own)
        body = {"minor": birth, "guardian": card(name, own), "relation": "PARENT", "document_seen": "户口簿"}
        assert desk.post("/guardians", body, status=422)["code"] == "INVALID_INPUT"
        made = desk.post("/guardians", {**body, "born_on": "2020-05-01"}, status=201)
        links.append(made["id"])
        phones.append(Phone(client, headers, made["id"]))
    for phone in phones:
        phone.get("/cases")
    dispute = {**shown(birth), "note": "离婚诉讼中"}
    assert {one["standing"] for one in desk.post("/disputes", dispute)["items"]} == {"DISPUTED"}
    for phone in phones:
        assert phone.get("/cases", status=403)["code"] == "GUARDIANSHIP_DISPUTED"
    settled = desk.post("/disputes/settle", {**dispute, "keep": [links[1]]})["items"]
    assert {(one["id"], one["state"]) for one in settled} == {(links[0], "REVOKED"), (links[1], "ACTIVE")}
    assert phones[0].get("/cases", status=403)["code"] == "DELEGATION_REVOKED"
    phones[1].get("/cases")


def test_an_institution_is_guardian_and_its_staff_act(desk: Desk, client: FlaskClient, sandbox: Sandbox) -> None:
    head, head_headers = make.signed_in(sandbox, "wang-fang")
    make.represent(sandbox, head, "childrens-home")
    child = make.persona(sandbox, "child-institution")
    body = {
        "minor": {name: child[name] for name in ("name", "document_type", "document_number")},
        "credit_code": make.credit_code(sandbox, "childrens-home"),
        "document_seen": "监护权证明",
    }
    made = desk.post("/institutions", body, status=201)
    whom = Phone(client, head_headers).get("/delegations/acting")["items"]
    assert {(one["capacity"], one["name"]) for one in whom} == {
        ("LEGAL_REPRESENTATIVE", "宁波市儿童福利院（演示）"),
        ("GUARDIAN", "宁*"),
    }
    Phone(client, head_headers, made["id"]).get("/cases")
    _, stranger = make.signed_in(sandbox, "li-na")
    assert Phone(client, stranger, made["id"]).get("/cases", status=404)["code"] == "NOT_FOUND"


# Agencies and project officers ---------------------------------------------------------------------------------------


def test_an_agency_acts_by_its_contract(client: FlaskClient, sandbox: Sandbox, staff: People, citizen: People) -> None:
    """Named staff, as many people as the contract says, and nobody once it has ended (DG-4)."""
    head, head_headers = make.signed_in(sandbox, "li-na")
    role = make.represent(sandbox, head, "agency")
    agency = Phone(client, head_headers, role)
    _, manager_headers = staff("DEPARTMENT_MANAGER", department_id="D11")
    _, headers = citizen(level=3)
    wanted = {"scope": "ITEMS", "scope_values": [OTHER], "actions": ["SUBMIT", "VIEW"]}
    _, code = offer(Phone(client, headers), "AGENCY", **wanted)
    assert agency.post("/delegations/take", {"code": code}, status=409)["code"] == "DELEGATION_LIMIT"
    contract = {
        "credit_code": make.credit_code(sandbox, "agency"),
        "number": "甬代办2026-001",
        "principals": 1,
        "valid_from": TUESDAY.isoformat(),
        "valid_until": (TUESDAY + timedelta(days=10)).isoformat(),
    }
    Desk(client, manager_headers).post("/contracts", contract, status=201)
    alone = Phone(client, head_headers).post("/delegations/take", {"code": code}, status=403)
    assert alone["code"] == "DELEGATION_OUT_OF_SCOPE"
    assert agency.post("/delegations/take", {"code": code})["agent"] is not None
    _, second_headers = citizen(level=3)
    _, second = offer(Phone(client, second_headers), "AGENCY", **wanted)
    assert agency.post("/delegations/take", {"code": second}, status=409)["code"] == "DELEGATION_LIMIT"


def test_a_project_officer_by_written_request(
    client: FlaskClient, sandbox: Sandbox, staff: People, citizen: People
) -> None:
    boss, _ = make.signed_in(sandbox, "zhang-wei")
    make.represent(sandbox, boss)
    officer, officer_headers = staff("PROJECT_OFFICER")
    clerk, _ = staff("FRONT_CLERK", hall_id=CITY_HALL)
    _, manager_headers = staff("HALL_MANAGER", hall_id=CITY_HALL)
    manager = Desk(client, manager_headers)
    body = {
        "officer_id": str(officer.staff_id),
        "credit_code": make.credit_code(sandbox, "yongjiang"),
        "wish": wish("NB-012", "NB-041"),
        "document_seen": "代办申请书",
    }
    made = manager.post("/projects", body, status=201)
    assert made["kind"] == "PROJECT"
    answer: Any = client.get(f"{PATH}/projects", headers=officer_headers)
    listed = answer.json["items"]
    assert [one["id"] for one in listed] == [made["id"]]
    paying = {**body, "wish": {**wish("NB-012"), "actions": ["SUBMIT", "PAY"]}}
    assert manager.post("/projects", paying, status=403)["code"] == "DELEGATION_OUT_OF_SCOPE"
    other = manager.post("/projects", {**body, "officer_id": str(clerk.staff_id)}, status=422)
    assert other["code"] == "INVALID_INPUT"
    assert any("代办员" in body for body in told(boss))
    # In the app, signed in as the citizen they are: filing and tracking, shown as 代办员, and nothing else.
    own = people.resident_id()
    citizen_side, citizen_headers = citizen(level=3, name="代小办", document=own)
    phone = Phone(client, citizen_headers)
    assert phone.acting(made["id"]).get("/prereviews", status=404)["code"] == "NOT_FOUND"
    client.put(f"{PATH}/own-identity", json=card("代小办", own), headers=officer_headers)
    assert [one["capacity"] for one in phone.get("/delegations/acting")["items"]] == ["PROJECT_OFFICER"]
    started = phone.acting(made["id"]).post("/prereviews", {"item_id": "NB-041"}, status=201)
    assert started["acted_by"] == "PROJECT_OFFICER"
    paid = phone.acting(made["id"]).post(f"/prepayment/bills/{uuid4()}/orders", {"scene": "APP"}, status=403)
    assert paid["code"] == "DELEGATION_OUT_OF_SCOPE"
    with db.transaction() as session:
        session.execute(text("UPDATE staff_member SET active = false WHERE id = :id"), {"id": officer.staff_id})
    assert phone.acting(made["id"]).get("/prereviews", status=404)["code"] == "NOT_FOUND"
    assert told(citizen_side) == []
