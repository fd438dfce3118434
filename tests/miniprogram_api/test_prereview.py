"""A citizen's pre-review over HTTP, from the draft to the next step."""

import io
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from casework.prereview.review import service as review
from casework.prereview.rules import Reason
from core import clock, db
from core.clock import SHANGHAI
from tests.factories import papers
from tests.factories import prereview as make
from tests.factories.catalogue import CITY_HALL

People = Callable[..., tuple[Any, dict[str, str]]]
PATH = "/api/v1/prereviews"
START = {"item_id": make.ITEM, "answers": make.NO_SPECIALS}
TUESDAY = datetime(2026, 11, 24, 10, tzinfo=SHANGHAI)


class Phone:
    """The calls a phone makes."""

    def __init__(self, client: FlaskClient, headers: dict[str, str]) -> None:
        self.client, self.headers = client, headers

    def post(self, path: str, body: Any = None, *, key: str | None = None, status: int = 200) -> Any:
        headers = {**self.headers, "Idempotency-Key": key or str(uuid4())}
        return self._checked(self.client.post(PATH + path, json=body, headers=headers), status)

    def put(self, path: str, body: Any, *, status: int = 200) -> Any:
        return self._checked(self.client.put(PATH + path, json=body, headers=self.headers), status)

    def get(self, path: str, *, status: int = 200, language: str = "zh-CN") -> Any:
        headers = {**self.headers, "Accept-Language": language}
        return self._checked(self.client.get(PATH + path, headers=headers), status)

    def upload(self, content: bytes) -> str:
        sent = self.client.post("/api/v1/files", data={"file": (io.BytesIO(content), "a")}, headers=self.headers)
        return str(self._checked(sent, 200)["id"])

    def _checked(self, answer: Any, status: int) -> Any:
        assert answer.status_code == status, answer.text
        return answer.json


@pytest.fixture
def phone(client: FlaskClient, citizen: People) -> Phone:
    _, headers = citizen(level=2)
    return Phone(client, headers)


def test_from_the_draft_to_the_next_step(client: FlaskClient, citizen: People, staff: People) -> None:
    zhang, headers = citizen(level=2)
    clerk, _ = staff("FRONT_CLERK", hall_id=CITY_HALL)
    phone = Phone(client, headers)
    with clock.at(TUESDAY):
        opened = phone.post("", START, status=201)
        assert opened["state"] == "DRAFT"
        assert opened["hall_id"] == str(CITY_HALL)
        assert [m["no"] for m in opened["materials"]] == [1, 2, 3, 4, 7]
        assert opened["materials"][0]["needed"]
        own = f"/{opened['id']}"
        missing = phone.post(own + "/submit", status=422)
        assert (missing["code"], missing["materials"]) == ("MATERIAL_MISSING", [1])
        paper = {"provision": "UPLOAD", "file_ids": [phone.upload(papers.pdf())]}
        filled = phone.put(own + "/materials/1", paper)
        assert filled["materials"][0]["files"][0]["pages"] == 2
        waiting = phone.post(own + "/submit")
    assert (waiting["state"], waiting["answer_due_on"], waiting["answer_due_provisional"]) == (
        "SUBMITTED",
        "2026-11-25",
        False,
    )
    assert "非正式受理" in waiting["state_text"]
    with db.transaction() as session:
        review.claim(session, actor=clerk, prereview_id=opened["id"])
        review_of = review.read(session, actor=clerk, prereview_id=opened["id"]).prereview
        make.judge(session, clerk, review_of, {1: Reason.SIGNATURE_MISSING})
    hidden = phone.get(own)
    assert hidden["state"] == "IN_REVIEW"
    assert {m["verdict"] for m in hidden["materials"]} == {None}
    with db.transaction() as session:
        review.conclude(session, actor=clerk, prereview_id=opened["id"])
    told = phone.get(own)
    assert told["state"] == "NEEDS_CHANGE"
    assert (told["materials"][0]["verdict_text"], told["materials"][0]["reason_text"]) == ("不合格", "缺签名")
    assert [step["action"] for step in told["next_steps"]] == ["COMPLETE"]
    english = phone.get(own, language="en")
    assert english["materials"][0]["reason_text"] == "The signature is missing"
    paper = {"provision": "UPLOAD", "file_ids": [phone.upload(papers.jpeg())]}
    phone.put(own + "/materials/1", paper)
    assert phone.post(own + "/submit")["round"] == 2
    with db.transaction() as session:
        review.claim(session, actor=clerk, prereview_id=opened["id"])
        make.judge(session, clerk, review.read(session, actor=clerk, prereview_id=opened["id"]).prereview)
        review.conclude(session, actor=clerk, prereview_id=opened["id"])
    good = phone.get(own)
    assert good["state"] == "PASSED"
    assert [step["action"] for step in good["next_steps"]] == ["BOOK", "VISIT"]
    assert [m["no"] for m in good["materials"] if m["bring"]] == [1]
    listed = phone.get("")
    assert [(row["id"], row["state"]) for row in listed["items"]] == [(opened["id"], "PASSED")]
    assert zhang.owner_id


def test_a_repeated_request_makes_one_draft(phone: Phone) -> None:
    first = phone.post("", START, key="the-same-key-1", status=201)
    again = phone.post("", START, key="the-same-key-1", status=201)
    assert first["id"] == again["id"]
    assert len(phone.get("")["items"]) == 1
    answer = phone.client.post(PATH, json=START, headers=phone.headers)
    assert (answer.json or {})["code"] == "IDEMPOTENCY_KEY_MISSING"


def test_level_one_is_told_how_to_rise(client: FlaskClient, citizen: People) -> None:
    """PR-1, RFC 9470."""
    _, headers = citizen(level=1)
    refused = client.post(PATH, json=START, headers={**headers, "Idempotency-Key": "k-1234567"})
    assert refused.status_code == 401
    assert (refused.json or {})["code"] == "AUTH_LEVEL_TOO_LOW"
    assert (refused.json or {})["needed_level"] == 2
    assert "insufficient_user_authentication" in refused.headers["WWW-Authenticate"]


def test_nobody_else_sees_it(client: FlaskClient, citizen: People, phone: Phone) -> None:
    _, headers = citizen(level=2)
    stranger = Phone(client, headers)
    own = f"/{phone.post('', START, status=201)['id']}"
    stranger.get(own, status=404)
    stranger.put(own + "/materials/1", {"provision": "ON_SITE"}, status=404)
    stranger.put(own + "/answers", {"answers": make.NO_SPECIALS}, status=404)
    stranger.post(own + "/submit", status=404)
    stranger.post(own + "/withdraw", status=404)
    stranger.post(own + "/confirm-version", {"version_id": str(uuid4())}, status=404)
    assert client.delete(PATH + own, headers=headers).status_code == 404
    assert stranger.get("")["items"] == []


def test_discard_and_withdraw(client: FlaskClient, phone: Phone) -> None:
    own = f"/{phone.post('', START, status=201)['id']}"
    assert client.delete(PATH + own, headers=phone.headers).status_code == 204
    assert phone.get("")["items"] == []
    own = f"/{phone.post('', START, status=201)['id']}"
    phone.put(own + "/materials/1", {"provision": "ON_SITE"})
    phone.post(own + "/submit")
    assert client.delete(PATH + own, headers=phone.headers).status_code == 409
    assert phone.post(own + "/withdraw")["state"] == "WITHDRAWN"
    refused = phone.post(own + "/withdraw", status=409)
    assert (refused["code"], refused["state"]) == ("STATE_CONFLICT", "WITHDRAWN")


def test_another_situation(phone: Phone) -> None:
    own = f"/{phone.post('', START, status=201)['id']}"
    changed = phone.put(own + "/answers", {"answers": make.NO_SPECIALS | {"agent": "yes"}})
    assert [m["no"] for m in changed["materials"]] == [1, 2, 3, 4, 7, 8]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "item_id"),
        ({"item_id": make.ITEM}, "answers.agent"),
        ({**START, "surprise": 1}, "surprise"),
        ({**START, "hall_id": "here"}, "hall_id"),
        ({**START, "hall_id": str(uuid4())}, "hall_id"),
        ({**START, "answers": ["yes"]}, "answers"),
    ],
)
def test_faults_are_named_by_field(phone: Phone, body: Any, field: str) -> None:
    refused = phone.post("", body, status=422)
    assert refused["code"] == "INVALID_INPUT"
    assert any(name == field or name.startswith(field + ".") for name in refused["errors"])


def test_pages_join_up(phone: Phone) -> None:
    made = [phone.post("", START, status=201)["id"] for _ in range(3)]
    first = phone.get("?limit=2")
    second = phone.get(f"?limit=2&cursor={first['next_cursor']}")
    assert [row["id"] for row in first["items"] + second["items"]] == made[::-1]
    assert second["next_cursor"] is None
