"""Guardians and minors over HTTP (DG-5)."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from auth.consent import queries as consents
from auth.consent.rules import ConsentKind
from core import clock, db
from core.clock import SHANGHAI
from tests.factories import appointments as slots
from tests.factories import delegation as make
from tests.factories.delegation import API, CHILD_CARD, DISABLED, FOR_CHILD, TUESDAY, Phone, told
from tests.sandbox_client import Sandbox

People = Callable[..., tuple[Any, dict[str, str]]]


@pytest.fixture(autouse=True)
def _on_tuesday() -> Iterator[None]:
    with clock.at(TUESDAY):
        yield


def link(phone: Phone, sandbox: Sandbox, key: str, *, status: int = 200) -> Any:
    person = make.persona(sandbox, key)
    body = {name: person[name] for name in ("name", "document_type", "document_number")}
    return phone.post("/delegations/guardianships", body, status=status)


def consent_for(phone: Phone) -> None:
    version = consents.texts()[ConsentKind.MINOR].version
    phone.post("/account/consents", {"kind": "MINOR", "text_version": version})


def test_the_mother_books_for_her_child(client: FlaskClient, sandbox: Sandbox) -> None:
    """Both parents can act; under 14 the data need a guardian's consent; the other parent is told (DG-2, DG-5)."""
    mother, mother_headers = make.signed_in(sandbox, "mother")
    father, father_headers = make.signed_in(sandbox, "zhang-wei")
    phone, dad = Phone(client, mother_headers), Phone(client, father_headers)
    with clock.at(slots.NOW):
        child = link(phone, sandbox, "child")
        assert (child["kind"], child["standing"], child["relation"]) == ("GUARDIAN", "LIVE", "PARENT")
        assert link(phone, sandbox, "child")["id"] == child["id"]
        dads = link(dad, sandbox, "child")
        assert dads["id"] != child["id"]
        with db.transaction() as session:
            slot_id = slots.slot(session, zone_code="Z8")
        acting = phone.acting(child["id"])
        wanted = {"slot_id": str(slot_id), "item_id": FOR_CHILD}
        refused = acting.post("/appointments", wanted, status=403)
        assert refused["code"] == "CONSENT_REQUIRED"
        consent_for(acting)
        booked = acting.post("/appointments", wanted, status=201)
        assert (booked["comes"], booked["acted_by"]) == ("GUARDIAN", "GUARDIAN")
        assert dad.acting(dads["id"]).get(f"/appointments/{booked['id']}")["number"] == booked["number"]
        assert phone.get("/appointments")["items"] == []
        for parent in (mother, father):
            assert any(booked["number"] in body for body in told(parent))
        cancelled = dad.acting(dads["id"]).post(f"/appointments/{booked['id']}/cancel")
        assert cancelled["state"] == "CANCELLED"


def test_the_link_ends_at_midnight(client: FlaskClient, sandbox: Sandbox) -> None:
    _, headers = make.signed_in(sandbox, "zhang-wei")
    phone = Phone(client, headers)
    child = link(phone, sandbox, "teenager")["id"]
    with clock.at(datetime(2027, 1, 14, 23, 59, 30, tzinfo=SHANGHAI)):
        phone.acting(child).get("/cases")
        assert [one["id"] for one in phone.get("/delegations/acting")["items"]] == [child]
    with clock.at(datetime(2027, 1, 15, tzinfo=SHANGHAI)):
        assert phone.acting(child).get("/cases", status=403)["code"] == "DELEGATION_REVOKED"
        assert phone.get("/delegations/acting")["items"] == []
        assert phone.get(f"/delegations/{child}")["standing"] == "ENDED"


def test_a_newborn_without_a_number(client: FlaskClient, sandbox: Sandbox) -> None:
    _, headers = make.signed_in(sandbox, "zhang-wei")
    phone = Phone(client, headers)
    child = link(phone, sandbox, "newborn")
    acting = phone.acting(child["id"])
    assert acting.post("/prereviews", CHILD_CARD, status=403)["code"] == "CONSENT_REQUIRED"
    consent_for(acting)
    assert acting.post("/prereviews", CHILD_CARD, status=201)["acted_by"] == "GUARDIAN"


@pytest.mark.parametrize(
    ("guardian", "child", "status", "code"),
    [
        ("li-na", "child-disputed", 403, "GUARDIANSHIP_DISPUTED"),
        ("wang-fang", "child", 409, "GUARDIAN_NOT_CONFIRMED"),
        ("wang-fang", "child-institution", 409, "GUARDIAN_NOT_CONFIRMED"),
        ("zhang-wei", "li-na", 409, "GUARDIAN_NOT_CONFIRMED"),
    ],
)
def test_what_the_household_data_do_not_confirm(
    client: FlaskClient, sandbox: Sandbox, guardian: str, child: str, status: int, code: str
) -> None:
    _, headers = make.signed_in(sandbox, guardian)
    assert link(Phone(client, headers), sandbox, child, status=status)["code"] == code


@pytest.mark.parametrize("fault", ["error", "garbage", "wrong_signature", "drop_response_after_effect"])
def test_household_data_that_can_not_be_had(client: FlaskClient, sandbox: Sandbox, fault: str) -> None:
    _, headers = make.signed_in(sandbox, "zhang-wei")
    sandbox.fault("household-registry", fault, times=9)
    assert link(Phone(client, headers), sandbox, "child", status=503)["code"] == "SOURCE_UNAVAILABLE"
    assert Phone(client, headers).get("/delegations?side=held")["items"] == []


def test_a_minor_acts_alone_only_with_agreement(client: FlaskClient, sandbox: Sandbox) -> None:
    _, headers = make.signed_in(sandbox, "zhang-wei")
    _, teen_headers = make.signed_in(sandbox, "teenager")
    father, own = Phone(client, headers), Phone(client, teen_headers)
    assert own.post("/prereviews", CHILD_CARD, status=403)["code"] == "GUARDIAN_REQUIRED"
    assert own.get("/prereviews")["items"] == []
    body = {"kind": "FAMILY", "scope": "AGENT_FRIENDLY", "actions": ["VIEW"]}
    assert own.post("/delegations", body, status=403)["code"] == "GUARDIAN_REQUIRED"
    child = link(father, sandbox, "teenager")["id"]
    until = (TUESDAY + timedelta(days=30)).isoformat()
    father.post(f"/delegations/{child}/agreements", {"item_id": FOR_CHILD, "valid_until": until}, status=201)
    assert own.post("/prereviews", CHILD_CARD, status=201)["acted_by"] == "SELF"
    assert own.post("/prereviews", DISABLED, status=403)["code"] == "GUARDIAN_REQUIRED"
    assert own.post(f"/delegations/{child}/end", status=403)["code"] == "GUARDIAN_REQUIRED"
    answer = client.delete(f"{API}/delegations/{child}/agreements/{FOR_CHILD}", headers=headers)
    assert answer.status_code == 204
    assert own.post("/prereviews", CHILD_CARD, status=403)["code"] == "GUARDIAN_REQUIRED"


def test_below_eight_no_agreement_helps(client: FlaskClient, citizen: People) -> None:
    guardian, headers = citizen(level=3)
    child, _ = citizen(level=2)
    with db.transaction() as session:
        grant = make.guardian_of(session, guardian, child.subject_id, date(2019, 1, 1)).id
    until = (TUESDAY + timedelta(days=30)).isoformat()
    body = {"item_id": FOR_CHILD, "valid_until": until}
    refused = Phone(client, headers).post(f"/delegations/{grant}/agreements", body, status=403)
    assert refused["code"] == "GUARDIAN_REQUIRED"
