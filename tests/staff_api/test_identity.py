"""The counter's acts about who somebody is, conflicts, and frozen accounts, over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from auth.accounts import queries as people
from auth.accounts import service as accounts
from auth.accounts.rules import FreezeReason, SubjectState
from auth.identity.errors import IdentityInConflict
from auth.identity.models import IdentityEvidence
from casework.cases.attention.service import OWNER_FROZEN
from casework.cases.models import CaseTransition, ServiceCase
from casework.places import queries as places
from core.actors import System
from core.db import transaction
from core.identifiers import DocumentNumber
from tests.factories import auth as make
from tests.factories import cases as make_case
from tests.factories.identity import answer, level_of, prove
from tests.sandbox_client import Sandbox

URL = "/staff/v1/identity"


@pytest.fixture
def clerk(staff: Callable[..., Any], hall: Any) -> dict[str, str]:
    _, headers = staff("FRONT_CLERK", hall_id=hall)
    found: dict[str, str] = headers
    return found


@pytest.fixture
def hall(database: Any) -> Any:
    with transaction() as session:
        return places.hall_by_code(session, "NB-CITY").id


def card(document: DocumentNumber, name: str = "张三", **more: Any) -> dict[str, Any]:
    return {"name": name, "document_type": document.type.value, "document_number": document.number} | more


def test_a_check_is_level_3_and_with_a_purpose_a_fresh_proof(
    client: FlaskClient, citizen: Callable[..., Any], clerk: dict[str, str]
) -> None:
    document = make.resident_id()
    actor, _ = citizen(level=2, document=document)
    assert client.post(f"{URL}/check", json=card(document), headers=clerk).status_code == 204
    assert level_of(actor) == 3
    assert client.post(f"{URL}/check", json=card(document, purpose="SIGN"), headers=clerk).status_code == 204
    with transaction() as session:
        purposes = session.scalars(select(IdentityEvidence.purpose).where(IdentityEvidence.type == "HALL")).all()
    assert sorted(purposes, key=str) == [None, "SIGN"]
    refused = client.post(f"{URL}/check", json=card(document, name="李四"), headers=clerk)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "DOCUMENT_DIFFERS")


def test_another_phone_for_who_lost_it(
    client: FlaskClient,
    citizen: Callable[..., Any],
    clerk: dict[str, str],
    sandbox: Sandbox,
    run_jobs: Callable[..., None],
) -> None:
    document, phone = make.resident_id(), "19900001234"
    actor, headers = citizen(level=2, document=document)
    assert client.post(f"{URL}/phone-code", json={"phone": phone}, headers=clerk).status_code == 202
    run_jobs()
    code = sandbox.get("outbox.json", phone=phone)["messages"][0]["code"]
    other = f"{(int(code) + 1) % 1_000_000:06d}"
    wrong = client.post(f"{URL}/phone", json=card(document, phone=phone, code=other), headers=clerk)
    assert wrong.get_json()["code"] == "CODE_WRONG"
    answered = client.post(f"{URL}/phone", json=card(document, phone=phone, code=code), headers=clerk)
    assert answered.status_code == 204
    assert client.get("/api/v1/account", headers=headers).status_code == 401
    with transaction() as session:
        assert people.contact(session, actor.subject_id).phone == f"+86{phone}"


def test_a_renewed_passport(client: FlaskClient, citizen: Callable[..., Any], clerk: dict[str, str]) -> None:
    old = card(make.resident_id())
    document = {"name": "MARIA GARCIA", "document_type": "414", "document_number": "AB1234567"}
    assert client.post(f"{URL}/check", json=document, headers=clerk).status_code == 204
    body = document | {
        "document_number": "CD7654321", "old_document_type": "414", "old_document_number": "AB1234567",
    }  # fmt: skip
    assert client.post(f"{URL}/document", json=body, headers=clerk).status_code == 204
    assert client.post(f"{URL}/document", json=body, headers=clerk).status_code == 409
    unknown = body | {"old_document_type": old["document_type"], "old_document_number": old["document_number"]}
    assert client.post(f"{URL}/document", json=unknown, headers=clerk).status_code == 404


def test_a_conflict_is_listed_masked_and_decided_once(
    client: FlaskClient, citizen: Callable[..., Any], clerk: dict[str, str]
) -> None:
    document = make.resident_id()
    citizen(level=2, document=document, name="王伟")
    claimant, _ = citizen(level=1)
    with pytest.raises(IdentityInConflict):
        prove(claimant, answer(document, name="李强")).insist()
    listed = client.get(f"{URL}/conflicts", headers=clerk)
    (item,) = listed.get_json()["items"]
    assert item["name"] == "李*"
    assert document.number not in listed.get_data(as_text=True)
    body = {key: card(document)[key] for key in ("document_type", "document_number")}
    body |= {"verdict": "TWO_PEOPLE", "reason": "经查为重号"}
    address = f"{URL}/conflicts/{item['id']}/decide"
    assert client.post(address, json=body | {"verdict": "OPEN"}, headers=clerk).status_code == 422
    assert client.post(address, json=body, headers=clerk).status_code == 204
    assert client.post(address, json=body, headers=clerk).status_code == 409
    assert level_of(claimant) == 3
    assert client.get(f"{URL}/conflicts", headers=clerk).get_json()["items"] == []


def test_a_frozen_account_goes_on_by_two_people_and_its_cases_wait_for_one(
    client: FlaskClient, citizen: Callable[..., Any], staff: Callable[..., Any], hall: Any
) -> None:
    """ID-12."""
    document = make.resident_id()
    actor, _ = citizen(level=2, document=document)
    worker, _ = staff("FRONT_CLERK", hall_id=hall)
    with transaction() as session:
        open_case = make_case.accepted(session, actor, worker).id
        other = make.make_citizen(session)
        untouched = make_case.accepted(session, other, worker).id
    with transaction() as session:
        accounts.freeze(session, actor=System("tests"), subject_id=actor.subject_id, reason=FreezeReason.DEATH)
    with transaction() as session:
        assert session.get_one(ServiceCase, open_case).needs_person == OWNER_FROZEN
        assert session.get_one(ServiceCase, untouched).needs_person == ""
        note = session.scalars(
            select(CaseTransition).where(CaseTransition.case_id == open_case).order_by(CaseTransition.id.desc())
        ).first()
        assert note is not None
        assert (note.from_state, note.to_state, note.public_note) == ("UNDER_REVIEW", "UNDER_REVIEW", "")
        assert "冻结" in note.reason
    (_, security), (_, supervisor), (_, clerk_headers) = (
        staff("SECURITY_ADMIN"),
        staff("SUPERVISOR"),
        staff("FRONT_CLERK"),
    )
    assert client.get(f"{URL}/freezes", headers=clerk_headers).status_code == 403
    (item,) = client.get(f"{URL}/freezes", headers=supervisor).get_json()["items"]
    assert (item["reason"], item["lift_proposed_at"]) == ("DEATH", None)
    address = f"{URL}/freezes/{item['id']}"
    assert client.post(f"{address}/lift", headers=supervisor).status_code == 409
    assert client.post(f"{address}/propose-lift", json={"reason": "误报"}, headers=supervisor).status_code == 403
    assert client.post(f"{address}/propose-lift", json={"reason": "误报"}, headers=security).status_code == 200
    assert client.post(f"{address}/lift", headers=security).status_code == 403
    assert client.post(f"{address}/lift", headers=supervisor).status_code == 200
    with transaction() as session:
        assert people.standing(session, actor.subject_id).state is SubjectState.ACTIVE
        assert session.get_one(ServiceCase, open_case).needs_person == ""
    assert client.get(f"{URL}/freezes", headers=supervisor).get_json()["items"] == []
