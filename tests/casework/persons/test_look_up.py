"""P-5: a clerk sees a citizen only with a matter of theirs in hand; browsing shows nothing and is written down."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from core import clock
from core.audit import AuditEntry
from core.db import transaction
from tests.factories import appointments, cases
from tests.factories import auth as make
from tests.factories.catalogue import CITY_HALL

URL = "/staff/v1/persons/look-up"


def results() -> list[str]:
    with transaction() as session:
        query = select(AuditEntry.result).where(AuditEntry.action == "person.look_up").order_by(AuditEntry.seq)
        return list(session.scalars(query))


@pytest.fixture
def people(citizen: Callable[..., Any], staff: Callable[..., Any]) -> dict[str, Any]:
    card = make.resident_id()
    owner, _ = citizen(level=2, name="欧阳小明", document=card, phone="+8619912345678")
    clerk, headers = staff("FRONT_CLERK", hall_id=CITY_HALL)
    with transaction() as session:
        case = cases.received(session, owner, clerk)
    return {"card": card, "owner": owner, "clerk": clerk, "headers": headers, "case": case}


def look(client: FlaskClient, headers: dict[str, str], card: Any, reference: str, number: str) -> Any:
    body = {"document_type": "111", "document_number": card.number, "reference": reference, "number": number}
    return client.post(URL, json=body, headers=headers)


def test_with_the_case_in_hand(client: FlaskClient, people: dict[str, Any]) -> None:
    answer = look(client, people["headers"], people["card"], "CASE", people["case"].number)
    body = answer.get_json()
    assert answer.status_code == 200
    assert (body["name"], body["phone"], body["level"]) == ("欧阳*明", "199****5678", 2)
    assert people["card"].number not in answer.get_data(as_text=True)
    assert [(one["kind"], one["number"]) for one in body["open_matters"]] == [("CASE", people["case"].number)]
    assert results() == ["ok"]


def test_browsing_shows_nothing_and_is_written_down(
    client: FlaskClient, people: dict[str, Any], citizen: Callable[..., Any], staff: Callable[..., Any]
) -> None:
    stranger = make.resident_id()
    citizen(level=2, document=stranger)
    _, elsewhere = staff("FRONT_CLERK", hall_id=uuid4())
    case = people["case"].number
    tries = [
        (people["headers"], stranger, "CASE", case),
        (people["headers"], make.resident_id(), "CASE", case),
        (people["headers"], people["card"], "CASE", "nonsense"),
        (people["headers"], people["card"], "APPOINTMENT", "A0001"),
        (people["headers"], people["card"], "TICKET", str(uuid4())),
        (people["headers"], people["card"], "TICKET", "not-an-id"),
        (elsewhere, people["card"], "CASE", case),
    ]
    bodies = set()
    for headers, card, reference, number in tries:
        answer = look(client, headers, card, reference, number)
        assert answer.status_code == 403
        bodies.add((answer.get_json()["code"], answer.get_json()["detail"]))
    assert len(bodies) == 1
    assert results() == ["anomaly"] * len(tries)


def test_with_an_appointment_or_a_called_ticket(client: FlaskClient, people: dict[str, Any]) -> None:
    with clock.at(appointments.NOW):
        booked = appointments.visit(people["owner"])
    answer = look(client, people["headers"], people["card"], "APPOINTMENT", booked.number)
    assert answer.status_code == 200
    with clock.at(appointments.at(9)):
        ticket = appointments.arrive(people["clerk"], booked)
        waiting = look(client, people["headers"], people["card"], "TICKET", str(ticket.id))
        assert waiting.status_code == 403
        called = appointments.call(people["clerk"])
        assert called is not None
        assert look(client, people["headers"], people["card"], "TICKET", str(ticket.id)).status_code == 200
    with clock.at(appointments.at(9, day=appointments.TOMORROW.replace(day=3))):
        assert look(client, people["headers"], people["card"], "TICKET", str(ticket.id)).status_code == 403


def test_citizens_and_other_roles_look_nobody_up(
    client: FlaskClient, people: dict[str, Any], staff: Callable[..., Any]
) -> None:
    _, finance = staff("FINANCE")
    assert look(client, finance, people["card"], "CASE", people["case"].number).status_code == 403
    assert results() == []
