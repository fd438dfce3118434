"""The inbox over HTTP."""

from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from tests.factories.notifications import tell

URL = "/api/v1/inbox"


@pytest.fixture
def me(citizen: Any) -> Any:
    return citizen(level=1)


def test_paging_newest_first(client: FlaskClient, me: Any) -> None:
    actor, headers = me
    made = [str(tell(actor.subject_id)) for _ in range(5)]
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = client.get(URL, headers=headers, query_string=query).get_json()
        seen += [message["id"] for message in page["items"]]
        cursor = page["next_cursor"]
    assert seen == made[::-1]
    assert cursor is None


def test_a_message_as_the_phone_gets_it(client: FlaskClient, me: Any) -> None:
    actor, headers = me
    matter = uuid4()
    made = tell(actor.subject_id, "BILL_ISSUED", matter_id=matter)
    (message,) = client.get(URL, headers=headers).get_json()["items"]
    assert message["id"] == str(made)
    assert message["template"] == "BILL_ISSUED"
    assert message["title"] == "缴费通知"
    assert "80.00 元" in message["text"]
    assert message["matter"] == {"type": "test", "id": str(matter)}
    assert message["important"] is True
    assert message["created_at"].endswith("+08:00")
    assert message["read_at"] is None
    assert "receiver_id" not in message


def test_reading_and_counting(client: FlaskClient, me: Any) -> None:
    actor, headers = me
    first = tell(actor.subject_id)
    tell(actor.subject_id)
    assert client.get(f"{URL}/unread-count", headers=headers).get_json() == {"unread": 2}
    read = client.post(f"{URL}/{first}/read", headers=headers)
    assert read.status_code == 200
    assert read.get_json()["read_at"]
    assert client.post(f"{URL}/{first}/read", headers=headers).get_json()["read_at"] == read.get_json()["read_at"]
    assert client.get(f"{URL}/unread-count", headers=headers).get_json() == {"unread": 1}


def test_nobody_elses_messages(client: FlaskClient, me: Any, citizen: Any) -> None:
    actor, _headers = me
    message = tell(actor.subject_id)
    _other, headers = citizen(level=1)
    assert client.get(URL, headers=headers).get_json()["items"] == []
    foreign = client.post(f"{URL}/{message}/read", headers=headers)
    missing = client.post(f"{URL}/{uuid4()}/read", headers=headers)
    assert foreign.status_code == missing.status_code == 404
    assert foreign.get_json()["code"] == missing.get_json()["code"]
    assert client.get(URL).status_code == 401


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 101}, {"cursor": "%"}, {"cursor": "abc"}])
def test_queries_of_another_shape(client: FlaskClient, me: Any, query: dict[str, Any]) -> None:
    assert client.get(URL, headers=me[1], query_string=query).status_code == 422


def test_wechat_consents(client: FlaskClient, me: Any) -> None:
    answers = [{"group": "CASE_PROGRESS", "accepted": True}, {"group": "PAYMENT", "accepted": False}]
    assert client.post(f"{URL}/subscriptions", headers=me[1], json={"answers": answers}).status_code == 204
    wrongs: list[dict[str, Any]] = [
        {"answers": []},
        {"answers": [{"group": "WEATHER", "accepted": True}]},
        {"answers": [{"group": "PAYMENT", "accepted": "yes"}]},
        {"answers": [{"group": "PAYMENT"}]},
        {},
    ]
    for wrong in wrongs:
        assert client.post(f"{URL}/subscriptions", headers=me[1], json=wrong).status_code == 422
