"""The queue at the windows over HTTP."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from casework.places.rules import hall_id
from core import clock
from tests.factories.appointments import at
from tests.factories.catalogue import CITY_HALL

People = Callable[..., tuple[Any, dict[str, str]]]
PATH = "/staff/v1/queue"


@pytest.fixture(autouse=True)
def _morning(app: Flask) -> Iterator[None]:
    with clock.at(at(9)):
        yield


class Window:
    """The calls of a clerk at a window."""

    def __init__(self, client: FlaskClient, headers: dict[str, str]) -> None:
        self.client, self.headers = client, headers

    def post(self, path: str, body: Any = None, *, key: str | None = None) -> Any:
        headers = {**self.headers, "Idempotency-Key": key or str(uuid4())}
        return self.client.post(PATH + path, json=body, headers=headers)

    def get(self, **query: Any) -> Any:
        return self.client.get(PATH, query_string=query, headers=self.headers)


@pytest.fixture
def window(client: FlaskClient, staff: People) -> Window:
    return Window(client, staff("FRONT_CLERK", hall_id=CITY_HALL)[1])


def test_from_the_ticket_to_the_result(window: Window) -> None:
    key = str(uuid4())
    ticket = window.post("/tickets", {"zone_code": "Z4", "priority": "PREGNANT"}, key=key)
    assert (ticket.status_code, ticket.json["number"], ticket.json["lane"]) == (201, "A4001", "PRIORITY")
    assert window.post("/tickets", {"zone_code": "Z4", "priority": "PREGNANT"}, key=key).json == ticket.json
    called = window.post("/call-next", {"window": "Z4-03"})
    assert (called.status_code, called.json["ticket"]["number"]) == (200, "A4001")
    assert (called.json["ticket"]["state"], called.json["ticket"]["window"]) == ("CALLED", "Z4-03")
    path = f"/tickets/{ticket.json['id']}"
    soon = window.post(f"{path}/recall")
    assert (soon.status_code, soon.json["code"], soon.json["retry_after"]) == (409, "CALL_TOO_SOON", 60)
    assert window.post(f"{path}/serve").json["state_label"] == "办理中"
    assert window.post(f"{path}/finish", {"result": "UNRECORDED"}).status_code == 422
    done = window.post(f"{path}/finish", {"result": "ACCEPTED"})
    assert (done.json["state"], done.json["result"]) == ("FINISHED", "ACCEPTED")
    assert window.post("/call-next", {"window": "Z4-03"}).json == {"ticket": None}


def test_recalling_passing_and_coming_back(window: Window) -> None:
    path = f"/tickets/{window.post('/tickets', {'zone_code': 'Z4'}).json['id']}"
    window.post("/call-next", {"window": "Z4-01"})
    for minute in (2, 4):
        with clock.at(at(9, minute)):
            assert window.post(f"{path}/recall").json["calls"] == minute // 2 + 1
    with clock.at(at(9, 6)):
        assert window.post(f"{path}/pass").json["state"] == "PASSED"
        assert window.post(f"{path}/return").json["state"] == "WAITING"
        conflict = window.post(f"{path}/return")
        assert (conflict.status_code, conflict.json["code"]) == (409, "STATE_CONFLICT")


def test_the_list_is_of_the_own_hall_and_pages(window: Window, client: FlaskClient, staff: People) -> None:
    for zone in ("Z4", "Z4", "Z1"):
        window.post("/tickets", {"zone_code": zone})
    first = window.get(limit=2).json
    assert [one["number"] for one in first["items"]] == ["A4001", "A4002"]
    rest = window.get(limit=2, cursor=first["next_cursor"]).json
    assert ([one["number"] for one in rest["items"]], rest["next_cursor"]) == (["A1001"], None)
    assert [one["number"] for one in window.get(zone_code="Z1", state="WAITING").json["items"]] == ["A1001"]
    assert window.get(state="CALLED").json["items"] == []
    elsewhere = Window(client, staff("FRONT_CLERK", hall_id=hall_id("NB-330203"))[1])
    assert elsewhere.get().json["items"] == []
    path = f"/tickets/{first['items'][0]['id']}"
    for act in ("recall", "serve", "pass", "return"):
        assert elsewhere.post(f"{path}/{act}").status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/tickets", {"zone_code": "Z99"}, 422),
        ("/tickets", {"zone_code": "Z4", "priority": "VIP"}, 422),
        ("/tickets", {"zone_code": "Z1", "item_id": "NB-002"}, 422),
        ("/tickets", {}, 422),
        ("/call-next", {"window": "Z4-99"}, 404),
        ("/call-next", {}, 422),
        (f"/tickets/{UUID(int=1)}/serve", None, 404),
    ],
)
def test_refusals(window: Window, path: str, body: Any, status: int) -> None:
    assert window.post(path, body).status_code == status


def test_a_ticket_needs_a_key(window: Window) -> None:
    answer: Any = window.client.post(f"{PATH}/tickets", json={"zone_code": "Z4"}, headers=window.headers)
    assert (answer.status_code, answer.json["code"]) == (400, "IDEMPOTENCY_KEY_MISSING")


def test_who_may(client: FlaskClient, staff: People) -> None:
    for role, called, issued in (("HALL_MANAGER", 403, 201), ("BACK_OFFICER", 403, 403), ("FRONT_CLERK", 200, 201)):
        member = Window(client, staff(role, hall_id=CITY_HALL)[1])
        assert member.post("/call-next", {"window": "Z4-01"}).status_code == called
        assert member.post("/tickets", {"zone_code": "Z4"}).status_code == issued
    assert client.get(PATH).status_code == 401
