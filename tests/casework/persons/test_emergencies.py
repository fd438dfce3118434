"""P-5: an emergency look-up shows a person without a matter, and somebody else reviews it."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.exc import IntegrityError

from casework.persons.emergencies.models import EmergencyLookUp
from core import clock
from core.db import transaction
from tests.factories import auth as make
from tests.factories.catalogue import CITY_HALL

URL = "/staff/v1/persons/emergencies"
People = Callable[..., tuple[Any, dict[str, str]]]


def body(card: Any, **more: str) -> dict[str, str]:
    return {
        "document_type": "111", "document_number": card.number, "reason": "老人在大厅晕倒，需要联系家属", **more
    }  # fmt: skip


def test_shown_masked_and_reviewed_by_another(client: FlaskClient, citizen: People, staff: People) -> None:
    card = make.resident_id()
    citizen(level=2, name="欧阳小明", document=card)
    _, clerk = staff("FRONT_CLERK", "SUPERVISOR", hall_id=CITY_HALL)
    shown = client.post(URL, json=body(card), headers=clerk)
    assert (shown.status_code, shown.get_json()["name"]) == (200, "欧阳*明")
    assert card.number not in shown.get_data(as_text=True)
    _, supervisor = staff("SUPERVISOR")
    (waiting,) = client.get(URL, headers=supervisor).get_json()["items"]
    path, said = f"{URL}/{waiting['id']}/review", {"justified": False, "finding": "并无紧急情况"}
    assert client.post(path, json=said, headers=clerk).status_code == 403
    assert client.post(path, json=said, headers=supervisor).get_json()["justified"] is False
    assert client.post(path, json=said, headers=supervisor).status_code == 409
    assert client.get(URL, headers=supervisor).get_json()["items"] == []
    _, auditor = staff("AUDIT_ADMIN")
    (anomaly,) = client.get("/staff/v1/audit?anomalies=true", headers=auditor).get_json()["items"]
    assert (anomaly["action"], anomaly["object_id"]) == ("person.review_emergency", waiting["id"])


def test_one_who_found_nobody_is_written_down_too(client: FlaskClient, staff: People) -> None:
    _, clerk = staff("FRONT_CLERK", hall_id=CITY_HALL)
    assert client.post(URL, json=body(make.resident_id()), headers=clerk).status_code == 404
    assert len(client.get(URL, headers=staff("SUPERVISOR")[1]).get_json()["items"]) == 1


def test_confirmed_reasoned_and_rare(client: FlaskClient, staff: People) -> None:
    _, hasty = staff("FRONT_CLERK", confirmed=False)
    card = make.resident_id()
    assert client.post(URL, json=body(card), headers=hasty).get_json()["code"] == "CONFIRMATION_NEEDED"
    _, clerk = staff("FRONT_CLERK")
    assert client.post(URL, json=body(card, reason="看看"), headers=clerk).status_code == 422
    answers = [client.post(URL, json=body(card), headers=clerk).status_code for _ in range(4)]
    assert answers == [404, 404, 404, 429]


def test_the_database_wants_another_reviewer(staff: People) -> None:
    clerk, _ = staff("FRONT_CLERK")
    with pytest.raises(IntegrityError), transaction() as session:
        session.add(
            EmergencyLookUp(
                staff_id=clerk.staff_id, subject_id=None, reason="x", at=clock.now(), due_at=clock.now(), reviewed_by=clerk.staff_id,
                reviewed_at=clock.now(), justified=True, finding="x",
            )
        )  # fmt: skip
