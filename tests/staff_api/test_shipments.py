"""Parcels over HTTP on the clerks' side."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from casework.delivery.ports import TrackReport
from casework.delivery.rules import Event, Kind
from casework.delivery.tracking import service as tracking
from casework.places.rules import hall_id
from core.db import transaction
from tests.factories import cases
from tests.factories import delivery as make
from tests.factories.catalogue import CITY_HALL
from tests.factories.delivery import Hands
from tests.sandbox_client import Sandbox

People = Callable[..., tuple[Any, dict[str, str]]]
PATH = "/staff/v1/shipments"
PACK = {"items": [dict(item) for item in make.PACKED]}


class Desk:
    """The calls a clerk makes."""

    def __init__(self, client: FlaskClient, signed_in: tuple[Any, dict[str, str]]) -> None:
        self.client, (self.actor, self.headers) = client, signed_in

    def get(self, path: str = "", *, status: int = 200) -> Any:
        answer = self.client.get(PATH + path, headers=self.headers)
        assert answer.status_code == status, answer.text
        return answer.get_json()

    def post(self, path: str, body: Any = None, *, status: int = 200) -> Any:
        answer = self.client.post(PATH + path, json=body, headers=self.headers)
        assert answer.status_code == status, answer.text
        return answer.get_json()


@pytest.fixture
def packer(client: FlaskClient, staff: People) -> Desk:
    return Desk(client, staff("FRONT_CLERK", hall_id=CITY_HALL))


@pytest.fixture
def sealer(client: FlaskClient, staff: People) -> Desk:
    return Desk(client, staff("FRONT_CLERK", hall_id=CITY_HALL))


@pytest.fixture
def hands(citizen: People, staff: People, packer: Desk, sealer: Desk) -> Hands:
    officer = staff("BACK_OFFICER", department_id=cases.DEPARTMENT)[0]
    return Hands(citizen(level=3, name="张三丰")[0], packer.actor, sealer.actor, officer)


def test_two_clerks_pack_and_hand_over(
    packer: Desk, sealer: Desk, hands: Hands, sandbox: Sandbox, run_jobs: Any
) -> None:
    """CR-6."""
    path = f"/{make.requested(hands).id}"
    packer.post(f"{path}/confirm", {"items": []}, status=422)
    assert packer.post(f"{path}/seal", status=409)["code"] == "STATE_CONFLICT"
    packer.post(f"{path}/confirm", PACK)
    assert packer.post(f"{path}/seal", status=409)["code"] == "SECOND_PERSON_NEEDED"
    assert sealer.post(f"{path}/seal")["state"] == "CONFIRMED"
    packer.post(f"{path}/hand-over", status=409)
    run_jobs()
    given = packer.post(f"{path}/hand-over")
    assert (given["state"], given["waybill"] is not None) == ("HANDED_OVER", True)
    assert packer.post(f"{path}/hand-over")["state"] == "HANDED_OVER"


def test_the_list_is_the_halls_and_masked(packer: Desk, hands: Hands, client: FlaskClient, staff: People) -> None:
    shipment = make.requested(hands)
    (row,) = packer.get("?state=REQUESTED")["items"]
    assert (row["id"], row["receiver"], row["region"]) == (str(shipment.id), "张*丰", make.ADDRESS["region"])
    assert make.ADDRESS["street"] not in str(row)
    assert packer.get("?state=ORDERED")["items"] == []
    elsewhere = Desk(client, staff("FRONT_CLERK", hall_id=hall_id("NB-330203")))
    assert elsewhere.get()["items"] == []
    for shipment_id in (shipment.id, uuid4()):
        elsewhere.post(f"/{shipment_id}/confirm", PACK, status=404)
        elsewhere.post(f"/{shipment_id}/seal", status=404)
        elsewhere.post(f"/{shipment_id}/hand-over", status=404)
        elsewhere.post(f"/{shipment_id}/incident", {"outcome": "LOST", "note": "x"}, status=404)
        elsewhere.post(f"/{shipment_id}/verify-identity", {"code": "123456", "note": "x"}, status=404)


def test_only_clerks_touch_parcels(hands: Hands, client: FlaskClient, staff: People) -> None:
    shipment = make.requested(hands)
    officer = Desk(client, staff("BACK_OFFICER", department_id=cases.DEPARTMENT, hall_id=CITY_HALL))
    officer.get(status=403)
    officer.post(f"/{shipment.id}/confirm", PACK, status=403)


def test_a_wrong_code_counts_although_it_is_refused(packer: Desk, hands: Hands, sandbox: Sandbox) -> None:
    """CR-7: five tries, then not even the right one."""
    shipment = make.ordered(hands)
    assert shipment.ordered_at is not None
    at = shipment.ordered_at.replace(microsecond=0)
    for kinds in ((Kind.OUT,), (Kind.OUT, Kind.SIGNED)):
        events = [Event(at=at, code=kind.value, place=kind.value, kind=kind) for kind in kinds]
        with transaction() as session:
            tracking.apply_track(session, shipment.id, TrackReport(shipment.waybill or "", events))
    code = make.code_of(shipment)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    path = f"/{shipment.id}/verify-identity"
    packer.post(path, {"code": "12345", "note": "x"}, status=422)
    for _ in range(4):
        assert packer.post(path, {"code": wrong, "note": "来电"}, status=409)["code"] == "DELIVERY_CODE_WRONG"
    assert make.fresh(shipment).code_tries == 4
    assert packer.post(path, {"code": code, "note": "本人来电核实"})["state"] == "DELIVERED"
    packer.post(path, {"code": code, "note": "再来"}, status=409)


def test_an_incident_is_recorded(packer: Desk, hands: Hands) -> None:
    """CR-10."""
    shipment = make.requested(hands)
    packer.post(f"/{shipment.id}/incident", {"outcome": "DELIVERED", "note": "x"}, status=422)
    packer.post(f"/{shipment.id}/incident", {"outcome": "LOST", "note": "x"}, status=409)
    with transaction() as session:
        session.execute(text("UPDATE shipment SET state = 'IN_TRANSIT'"))
    assert packer.post(f"/{shipment.id}/incident", {"outcome": "LOST", "note": "网点遗失"})["state"] == "LOST"
