"""Acting for others over HTTP: families, mandates, guardians (3.8)."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from auth.accounts import queries as people
from auth.consent import queries as consents
from auth.consent.rules import ConsentKind
from auth.delegation.rules import Kind
from auth.identity import service as identity
from auth.identity.rules import Purpose
from core import clock, db
from core.actors import Action, Citizen
from tests.factories import delegation as make
from tests.factories import prereview as papers
from tests.factories.catalogue import CITY_HALL
from tests.factories.delegation import DISABLED, FRIENDLY, OTHER, TUESDAY, Phone, offer, told

People = Callable[..., tuple[Any, dict[str, str]]]


@pytest.fixture(autouse=True)
def _on_tuesday() -> Iterator[None]:
    with clock.at(TUESDAY):
        yield


# The family delegation (DG-6) ----------------------------------------------------------------------------------------


def test_family_agent_by_a_code_read_over_the_phone(client: FlaskClient, citizen: People) -> None:
    old, old_headers = citizen(level=2, name="徐阿公")
    child, child_headers = citizen(level=2, name="徐小明")
    elder, agent = Phone(client, old_headers), Phone(client, child_headers)
    delegation_id, code = offer(elder)
    taken = agent.post("/delegations/take", {"code": f"{code[:4].lower()} {code[4:]}"})
    assert (taken["state"], taken["standing"], taken["principal"]) == ("ACCEPTED", "NOT_YET", "徐*公")
    assert agent.acting(delegation_id).get("/prereviews", status=403)["code"] == "DELEGATION_OUT_OF_SCOPE"
    confirmation = re.search(r"确认码 (\d{6})", "".join(told(old)))
    assert confirmation is not None
    assert "徐*明申请为您代办" in "".join(told(old))
    assert confirmation[1] not in "".join(told(child))
    wrong = f"{(int(confirmation[1]) + 1) % 10**6:06d}"
    assert (
        elder.post(f"/delegations/{delegation_id}/confirm", {"code": wrong}, status=422)["code"]
        == "DELEGATION_CODE_WRONG"
    )
    begun = elder.post(f"/delegations/{delegation_id}/confirm", {"code": confirmation[1]})
    assert (begun["state"], begun["evidence"]) == ("ACTIVE", "SMS_CODE")
    assert "可以为您代办" in told(old)[-1]
    assert "可以为徐*公代办" in told(child)[-1]
    started = agent.acting(delegation_id).post("/prereviews", DISABLED, status=201)
    assert started["acted_by"] == "FAMILY"
    assert [one["id"] for one in elder.get("/prereviews")["items"]] == [started["id"]]
    assert agent.get("/prereviews")["items"] == []
    refused = agent.acting(delegation_id).post(
        "/prereviews", {"item_id": OTHER, "answers": papers.NO_SPECIALS}, status=403
    )
    assert refused["code"] == "DELEGATION_OUT_OF_SCOPE"


def test_five_wrong_codes_burn_the_confirmation(client: FlaskClient, citizen: People) -> None:
    old, old_headers = citizen(level=2)
    _, child_headers = citizen(level=2)
    elder, agent = Phone(client, old_headers), Phone(client, child_headers)
    delegation_id, code = offer(elder)
    agent.post("/delegations/take", {"code": code})
    right = re.findall(r"确认码 (\d{6})", "".join(told(old)))[-1]
    wrong = f"{(int(right) + 1) % 10**6:06d}"
    for _ in range(5):
        elder.post(f"/delegations/{delegation_id}/confirm", {"code": wrong}, status=422)
    elder.post(f"/delegations/{delegation_id}/confirm", {"code": right}, status=422)
    elder.post(f"/delegations/{delegation_id}/resend-code")
    again = re.findall(r"确认码 (\d{6})", "".join(told(old)))[-1]
    with clock.shift(timedelta(minutes=10)):
        elder.post(f"/delegations/{delegation_id}/confirm", {"code": again}, status=422)
    assert elder.post(f"/delegations/{delegation_id}/confirm", {"code": again})["state"] == "ACTIVE"


def test_a_family_delegation_collects_nothing_and_is_not_passed_on(client: FlaskClient, citizen: People) -> None:
    principal, headers = citizen(level=2)
    agent, agent_headers = citizen(level=3)
    body = {"kind": "FAMILY", "scope": "AGENT_FRIENDLY", "actions": ["COLLECT"]}
    assert Phone(client, headers).post("/delegations", body, status=403)["code"] == "DELEGATION_OUT_OF_SCOPE"
    with db.transaction() as session:
        row = make.delegate(session, principal, agent, items=[FRIENDLY])
    passing_on = Phone(client, agent_headers, row.id).post("/delegations", {**body, "actions": ["VIEW"]}, status=403)
    assert passing_on["code"] == "DELEGATION_OUT_OF_SCOPE"


def test_one_cannot_take_ones_own_offer_nor_guess_one(client: FlaskClient, citizen: People) -> None:
    _, headers = citizen(level=2)
    phone = Phone(client, headers)
    _, code = offer(phone)
    assert phone.post("/delegations/take", {"code": code}, status=403)["code"] == "DELEGATION_CONFLICT"
    assert phone.post("/delegations/take", {"code": "ZZZZ2222"}, status=422)["code"] == "DELEGATION_CODE_WRONG"
    with clock.shift(timedelta(hours=24)):
        _, other = citizen(level=2)
        assert (
            Phone(client, other).post("/delegations/take", {"code": code}, status=422)["code"]
            == "DELEGATION_CODE_WRONG"
        )


def test_an_agent_acts_for_five_people_at_most(client: FlaskClient, citizen: People) -> None:
    """黄牛: a sixth person is refused; another mandate of the fifth isn't (DG-4)."""
    _, agent_headers = citizen(level=2)
    agent = Phone(client, agent_headers)
    codes = []
    for _ in range(6):
        _, headers = citizen(level=2)
        codes.append(offer(Phone(client, headers))[1])
    fifth = Phone(client, headers)
    for code in codes[1:]:
        agent.post("/delegations/take", {"code": code})
    assert agent.post("/delegations/take", {"code": codes[0]}, status=409)["code"] == "DELEGATION_LIMIT"
    agent.post("/delegations/take", {"code": offer(fifth)[1]})


# Mandates signed at level 4 ------------------------------------------------------------------------------------------


def test_a_mandate_is_signed_with_a_fresh_proof(client: FlaskClient, citizen: People, staff: People) -> None:
    principal, headers = citizen(level=3)
    _, agent_headers = citizen(level=3)
    clerk, _ = staff("FRONT_CLERK", hall_id=CITY_HALL)
    signer, agent = Phone(client, headers), Phone(client, agent_headers)
    delegation_id, code = offer(signer, "MANDATE", scope="ITEMS", scope_values=[OTHER])
    agent.post("/delegations/take", {"code": code})
    refused = signer.post(f"/delegations/{delegation_id}/sign", status=401)
    assert (refused["code"], refused["needed_level"], refused["purpose"]) == ("AUTH_LEVEL_TOO_LOW", 4, "DELEGATE")
    with db.transaction() as session:
        document = people.document(session, principal.subject_id)
        assert document is not None
        identity.record_counter_check(
            session, actor=clerk, subject_id=principal.subject_id, document=document, purpose=Purpose.DELEGATE
        )
    assert agent.post(f"/delegations/{delegation_id}/sign", status=401)["code"] == "AUTH_LEVEL_TOO_LOW"
    signed = signer.post(f"/delegations/{delegation_id}/sign")
    assert (signed["state"], signed["evidence"]) == ("ACTIVE", "E_SIGNED")
    whom = agent.get("/delegations/acting")["items"]
    assert [(one["id"], one["capacity"], one["scope_values"]) for one in whom] == [(delegation_id, "AGENT", [OTHER])]


# What an agent may do and see ----------------------------------------------------------------------------------------


@pytest.fixture
def pair(citizen: People) -> tuple[Citizen, dict[str, str], Citizen, dict[str, str]]:
    principal, headers = citizen(level=3)
    agent, agent_headers = citizen(level=3)
    return principal, headers, agent, agent_headers


def test_revoked_in_the_middle(client: FlaskClient, pair: Any) -> None:
    """The next request is refused, what was done stays, and who may act no more hears no more (DG-1)."""
    principal, headers, agent, agent_headers = pair
    with db.transaction() as session:
        grant = make.delegate(session, principal, agent, items=[OTHER]).id
    acting = Phone(client, agent_headers, grant)
    started = acting.post("/prereviews", {"item_id": OTHER, "answers": papers.NO_SPECIALS}, status=201)
    own = Phone(client, headers)
    assert own.post(f"/delegations/{grant}/end")["state"] == "REVOKED"
    refused = acting.post(f"/prereviews/{started['id']}/submit", status=403)
    assert refused["code"] == "DELEGATION_REVOKED"
    assert own.get(f"/prereviews/{started['id']}")["state"] == "DRAFT"
    assert "不能再为" in told(agent)[-1]
    history = own.get(f"/delegations/{grant}")["history"]
    assert [step["state"] for step in history] == ["OFFERED", "ACCEPTED", "ACTIVE", "REVOKED"]


def test_out_of_scope_and_not_there(client: FlaskClient, pair: Any, citizen: People) -> None:
    """An item out of scope is refused; the principal's other matters, and foreign ones, are not there (DG-1)."""
    principal, _, agent, agent_headers = pair
    stranger, _ = citizen(level=3)
    with db.transaction() as session:
        grant = make.delegate(session, principal, agent, items=[OTHER], actions=[Action.VIEW, Action.SUBMIT]).id
        private = papers.draft(session, principal, item_id=FRIENDLY, answers=DISABLED["answers"]).id
        shared = papers.draft(session, principal).id
        foreign = papers.draft(session, stranger).id
    acting = Phone(client, agent_headers, grant)
    assert [one["id"] for one in acting.get("/prereviews")["items"]] == [str(shared)]
    assert acting.get(f"/prereviews/{shared}")["id"] == str(shared)
    for hidden in (private, foreign, uuid4()):
        acting.get(f"/prereviews/{hidden}", status=404)
        acting.post(f"/prereviews/{hidden}/submit", status=404)
        acting.post(f"/prereviews/{hidden}/withdraw", status=404)
    refused = acting.post("/prereviews", DISABLED, status=403)
    assert refused["code"] == "DELEGATION_OUT_OF_SCOPE"
    assert acting.get("/bills", status=200)["items"] == []
    paying = acting.post(f"/prepayment/bills/{uuid4()}/orders", {"scene": "APP"}, status=403)
    assert paying["code"] == "DELEGATION_OUT_OF_SCOPE"
    assert Phone(client, agent_headers).get(f"/prereviews/{shared}", status=404)["code"] == "NOT_FOUND"


def test_marriage_has_no_agent(client: FlaskClient, pair: Any) -> None:
    """DG-3, even when the delegation names it."""
    principal, _, agent, agent_headers = pair
    with db.transaction() as session:
        grant = make.delegate(session, principal, agent, items=["NB-100", "NB-052"]).id
    acting = Phone(client, agent_headers, grant)
    for item in ("NB-100", "NB-052"):
        refused = acting.post("/prereviews", {"item_id": item}, status=403)
        assert refused["code"] == "DELEGATION_OUT_OF_SCOPE", item


def test_an_agent_does_not_govern_the_principals_delegations(client: FlaskClient, pair: Any, citizen: People) -> None:
    """Neither ends another agent's, nor takes offers in the principal's name, nor consents for an adult."""
    principal, _, agent, agent_headers = pair
    other, other_headers = citizen(level=3)
    with db.transaction() as session:
        grant = make.delegate(session, principal, agent, items=[OTHER]).id
        rival = make.delegate(session, principal, other, items=[OTHER]).id
    acting = Phone(client, agent_headers, grant)
    _, code = offer(Phone(client, other_headers), "AGENCY", scope="ITEMS", scope_values=[OTHER])
    for path, body in (
        (f"/delegations/{rival}/end", None),
        ("/delegations/take", {"code": code}),
        ("/account/consents", {"kind": "FACE", "text_version": consents.texts()[ConsentKind.FACE].version}),
    ):
        assert acting.post(path, body, status=403)["code"] == "DELEGATION_OUT_OF_SCOPE", path
    Phone(client, other_headers, rival).get("/cases")


def test_routes_for_oneself_refuse_the_header(client: FlaskClient, pair: Any) -> None:
    principal, _, agent, agent_headers = pair
    with db.transaction() as session:
        grant = make.delegate(session, principal, agent, items=[OTHER]).id
    acting = Phone(client, agent_headers, grant)
    for path in ("/account", "/delegations", "/delegations/acting"):
        assert acting.get(path, status=403)["code"] == "DELEGATION_OUT_OF_SCOPE", path
    assert Phone(client, agent_headers, "nonsense").get("/prereviews", status=422)["code"] == "INVALID_INPUT"


def test_somebody_elses_delegation_is_as_good_as_none(client: FlaskClient, pair: Any, citizen: People) -> None:
    principal, headers, agent, _ = pair
    _, thief = citizen(level=3)
    with db.transaction() as session:
        grant = make.delegate(session, principal, agent, items=[OTHER]).id
    for other in (thief, headers):
        assert Phone(client, other, grant).get("/prereviews", status=404)["code"] == "NOT_FOUND"
    assert Phone(client, thief, uuid4()).get("/prereviews", status=404)["code"] == "NOT_FOUND"
    assert Phone(client, thief).get(f"/delegations/{grant}", status=404)["code"] == "NOT_FOUND"
    assert Phone(client, thief).post(f"/delegations/{grant}/end", status=404)["code"] == "NOT_FOUND"


def test_one_key_is_not_for_two_principals(client: FlaskClient, pair: Any, citizen: People) -> None:
    """Three principals one after another: a repeated tap never answers for another of them (PEERS 4.4)."""
    principal, _, agent, agent_headers = pair
    second, _ = citizen(level=3)
    key = str(uuid4())
    with db.transaction() as session:
        grants = [make.delegate(session, who, agent, items=[OTHER]).id for who in (principal, second)]
    body = {"item_id": OTHER, "answers": papers.NO_SPECIALS}
    first = Phone(client, agent_headers, grants[0])
    made = first.post("/prereviews", body, status=201, key=key)
    assert first.post("/prereviews", body, status=201, key=key) == made
    other = Phone(client, agent_headers, grants[1]).post("/prereviews", body, status=422, key=key)
    assert other["code"] == "IDEMPOTENCY_KEY_REUSED"


def test_acting_costs_one_query_more(client: FlaskClient, pair: Any, count_queries: Any) -> None:
    principal, _, agent, agent_headers = pair
    with db.transaction() as session:
        grant = make.delegate(session, principal, agent, items=[OTHER]).id
    acting, alone = Phone(client, agent_headers, grant), Phone(client, agent_headers)
    acting.get("/cases")
    alone.get("/cases")
    with count_queries() as of_own:
        alone.get("/cases")
    with count_queries() as of_other:
        acting.get("/cases")
    # The delegation itself, and which items of the catalogue it covers.
    assert len(of_other) - len(of_own) == 2


def test_agents_of_every_kind_are_listed(client: FlaskClient, citizen: People) -> None:
    principal, headers = citizen(level=3, name="王芳")
    agent, agent_headers = citizen(level=3, name="李娜")
    with db.transaction() as session:
        row = make.delegate(session, principal, agent, kind=Kind.FAMILY, actions=[Action.VIEW])
    given = Phone(client, headers).get("/delegations")["items"]
    held = Phone(client, agent_headers).get("/delegations?side=held")["items"]
    assert given == held
    assert (given[0]["id"], given[0]["principal"], given[0]["agent"]) == (str(row.id), "王*", "李*")
