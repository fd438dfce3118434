"""Courier delivery over HTTP, as the citizen asks for it and follows it."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from casework.delivery import service
from core.db import transaction
from tests.factories import cases
from tests.factories import delivery as make
from tests.factories.catalogue import CITY_HALL
from tests.factories.delivery import Hands

People = Callable[..., tuple[Any, dict[str, str]]]
PATH = "/api/v1/deliveries"


class Phone:
    """The calls a phone makes."""

    def __init__(self, client: FlaskClient, headers: dict[str, str]) -> None:
        self.client, self.headers = client, headers

    def get(self, path: str = "", *, status: int = 200) -> Any:
        answer = self.client.get(PATH + path, headers=self.headers)
        assert answer.status_code == status, answer.text
        return answer.get_json()

    def post(self, path: str = "", body: Any = None, *, status: int = 200, key: str = "") -> Any:
        headers = self.headers | {"Idempotency-Key": key or str(uuid4())}
        answer = self.client.post(PATH + path, json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.get_json()


@pytest.fixture
def people(citizen: People, staff: People) -> tuple[Hands, dict[str, str]]:
    owner, headers = citizen(level=3, name="张三丰")
    return (
        Hands(
            owner,
            staff("FRONT_CLERK", hall_id=CITY_HALL)[0],
            staff("FRONT_CLERK", hall_id=CITY_HALL)[0],
            staff("BACK_OFFICER", department_id=cases.DEPARTMENT)[0],
        ),
        headers,
    )


@pytest.fixture
def hands(people: tuple[Hands, dict[str, str]]) -> Hands:
    return people[0]


@pytest.fixture
def phone(client: FlaskClient, people: tuple[Hands, dict[str, str]]) -> Phone:
    return Phone(client, people[1])


def _wanted(case_id: object, **address: str) -> dict[str, Any]:
    return {"case_id": str(case_id), "address": make.ADDRESS | address}


def test_asking_twice_with_one_key_is_one_request(phone: Phone, hands: Hands) -> None:
    body = _wanted(make.ready(hands).id)
    first, again = (phone.post("", body, status=201, key="send-it-once") for _ in range(2))
    assert first == again
    assert (first["state"], first["state_label"], first["waybill"]) == ("REQUESTED", "已申请", None)
    assert phone.post("", body, status=409)["code"] == "DELIVERY_ALREADY_REQUESTED"


def test_who_and_where_are_masked(phone: Phone, hands: Hands) -> None:
    made = phone.post("", _wanted(make.ready(hands).id) | {"phone": "199 0000 0002"}, status=201)
    assert (made["receiver"], made["phone"]) == ("张*丰", "199****0002")
    assert make.ADDRESS["detail"] not in str(made)
    assert "*" in made["address"]


def test_addresses_and_phones_are_checked(phone: Phone, hands: Hands) -> None:
    """CR-3."""
    case = make.ready(hands)
    unserved = phone.post("", _wanted(case.id, region_code="810000"), status=422)
    assert unserved["code"] == "ADDRESS_NOT_SERVED"
    phone.post("", _wanted(case.id, region_code="33"), status=422)
    phone.post("", _wanted(case.id, detail=""), status=422)
    phone.post("", _wanted(case.id) | {"phone": "12"}, status=422)
    phone.post("", _wanted(case.id) | {"receiver": "王五"}, status=422)


def test_level_three_is_needed(client: FlaskClient, citizen: People, hands: Hands) -> None:
    """3.7."""
    _, headers = citizen(level=2)
    low = Phone(client, headers)
    assert low.post("", _wanted(make.ready(hands).id), status=401)["code"] == "AUTH_LEVEL_TOO_LOW"
    low.get(status=401)


def test_foreign_and_missing_are_the_same_answer(
    client: FlaskClient, citizen: People, phone: Phone, hands: Hands
) -> None:
    shipment = make.requested(hands)
    _, headers = citizen(level=3, name="王五")
    stranger = Phone(client, headers)
    assert stranger.get()["items"] == []
    for case_id, shipment_id in ((shipment.case_id, shipment.id), (uuid4(), uuid4())):
        stranger.post("", _wanted(case_id), status=404)
        stranger.get(f"/{shipment_id}", status=404)
        stranger.post(f"/{shipment_id}/address", make.ADDRESS, status=404)
        stranger.post(f"/{shipment_id}/change-to-pickup", status=404)
        stranger.post(f"/{shipment_id}/resend-code", status=404)


def test_following_and_changing(phone: Phone, hands: Hands) -> None:
    shipment = make.requested(hands)
    assert [row["id"] for row in phone.get()["items"]] == [str(shipment.id)]
    phone.post(f"/{shipment.id}/address", make.ADDRESS | {"street": "福明街道"})
    assert phone.post(f"/{shipment.id}/resend-code", status=409)["code"] == "STATE_CONFLICT"
    assert phone.post(f"/{shipment.id}/change-to-pickup")["state"] == "CANCELLED"
    assert phone.post(f"/{shipment.id}/change-to-pickup", status=409)["code"] == "DELIVERY_ALREADY_HANDED_OVER"
    assert phone.post(f"/{shipment.id}/address", make.ADDRESS, status=409)["code"] == "DELIVERY_ALREADY_HANDED_OVER"
    detail = phone.get(f"/{shipment.id}")
    assert [step["state"] for step in detail["history"]] == ["REQUESTED", "CANCELLED"]
    assert "actor" not in str(detail)


def test_reads_stay_bounded(phone: Phone, hands: Hands, count_queries: Callable[[], Any]) -> None:
    def cost(path: str) -> int:
        with count_queries() as queries:
            phone.get(path)
        return sum("shipment" in statement for statement in queries)

    shipment = make.requested(hands)
    before = cost("?limit=50"), cost(f"/{shipment.id}")
    for _ in range(3):
        make.requested(hands)
    with transaction() as session:
        service.change_to_pickup(session, actor=hands.owner, shipment_id=shipment.id)
    assert (cost("?limit=50"), cost(f"/{shipment.id}")) == before == (1, 2)
