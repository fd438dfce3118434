"""The clerks' queue over HTTP."""

import io
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from PIL import Image

from casework.files.pdf.rules import count_pages
from casework.places.rules import hall_id
from casework.prereview import service
from casework.prereview.models import PreReview
from core import db
from tests.factories import papers
from tests.factories import prereview as make
from tests.factories.catalogue import CITY_HALL

People = Callable[..., tuple[Any, dict[str, str]]]
PATH = "/staff/v1/prereviews"


class Desk:
    """The calls a clerk's browser makes."""

    def __init__(self, client: FlaskClient, headers: dict[str, str]) -> None:
        self.client, self.headers = client, headers

    def call(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        answer = self.client.open(PATH + path, method=method, json=body, headers=self.headers)
        assert answer.status_code == status, answer.text
        return answer.json if answer.data else None

    def judge(self, prereview_id: object, no: int, verdict: str, *, status: int = 200, **rest: Any) -> Any:
        body = {"verdict": verdict, **rest}
        return self.call("PUT", f"/{prereview_id}/materials/{no}/verdict", body, status=status)


@pytest.fixture
def desk(client: FlaskClient, staff: People) -> Desk:
    _, headers = staff("FRONT_CLERK", hall_id=CITY_HALL)
    return Desk(client, headers)


@pytest.fixture
def waiting(citizen: People) -> PreReview:
    zhang, _ = citizen(level=2, name="张三丰")
    with db.transaction() as session:
        return make.submitted(session, zhang)


def test_claim_judge_conclude(desk: Desk, waiting: PreReview) -> None:
    queue = desk.call("GET", "?state=SUBMITTED&zone=Z4&item_id=NB-002")["items"]
    assert [row["id"] for row in queue] == [str(waiting.id)]
    taken = desk.call("POST", f"/{waiting.id}/claim", {"version": queue[0]["version"]})
    assert taken["state"] == "IN_REVIEW"
    desk.judge(waiting.id, 1, "QUALIFIED", valid_until="2099-01-01")
    early = desk.call("POST", f"/{waiting.id}/conclude", status=409)
    assert (early["code"], early["materials"]) == ("VERDICT_MISSING", [2, 3, 4, 7])
    for no in (2, 3, 4, 7):
        desk.judge(waiting.id, no, "WAIVED")
    assert desk.call("POST", f"/{waiting.id}/conclude")["state"] == "PASSED"
    assert desk.call("GET", "?state=SUBMITTED")["items"] == []


def test_the_sheet_shows_a_masked_person_and_no_more(desk: Desk, waiting: PreReview) -> None:
    """PR-15."""
    sheet = desk.call("GET", f"/{waiting.id}")
    assert sheet["applicant"]["name"] == "张*丰"
    assert "*" in sheet["applicant"]["document_number"]
    assert sheet["prereview"]["number"] == waiting.number
    assert not sheet["mine"]
    assert [move["to_state"] for move in sheet["history"]] == ["DRAFT", "SUBMITTED"]
    assert "张三丰" not in str(sheet)
    desk.call("POST", f"/{waiting.id}/notes", {"text": "请看第二页"}, status=204)
    assert desk.call("GET", f"/{waiting.id}")["notes"][0]["text"] == "请看第二页"


def test_papers_come_marked(client: FlaskClient, desk: Desk, citizen: People) -> None:
    """PR-15."""
    zhang, _ = citizen(level=2)
    with db.transaction() as session:
        prereview = make.draft(session, zhang)
        make.provide(session, zhang, prereview, 1, papers.pdf(2), papers.png(600, 400), papers.ofd())
        waiting = service.submit(session, actor=zhang, prereview_id=prereview.id)
        ids = [file.file_id for file in waiting.listed[0].files]
    answers = [client.get(f"{PATH}/{waiting.id}/files/{file_id}", headers=desk.headers) for file_id in ids]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert answers[0].headers["Content-Type"] == "application/pdf"
    assert waiting.number.encode() in answers[0].data
    assert count_pages(answers[0].data) == 2
    assert answers[1].headers["Content-Type"] == "image/jpeg"
    with Image.open(io.BytesIO(answers[1].data)) as picture:
        assert sum(picture.convert("L").histogram()[:230]) > 1_000
    assert answers[2].headers["Content-Disposition"].startswith("attachment")
    assert client.get(f"{PATH}/{waiting.id}/files/{uuid4()}", headers=desk.headers).status_code == 404


def test_another_hall_and_another_role_get_nothing(
    client: FlaskClient, staff: People, citizen: People, waiting: PreReview
) -> None:
    _, elsewhere = staff("FRONT_CLERK", hall_id=hall_id("NB-330212"))
    _, manager = staff("HALL_MANAGER", hall_id=CITY_HALL)
    _, zhang = citizen(level=3)
    assert Desk(client, elsewhere).call("GET", "")["items"] == []
    file_id = waiting.listed[0].files[0].file_id
    bodies: dict[str, Any] = {
        "/claim": {},
        "/release": None,
        "/conclude": None,
        "/notes": {"text": "x"},
        "/reject": {"right_body": "x", "reason": "x"},
        "/transfer": {"hall_id": str(CITY_HALL)},
    }
    for headers, status in ((elsewhere, 404), (manager, 403), (zhang, 401)):
        other = Desk(client, headers)
        other.call("GET", f"/{waiting.id}", status=status)
        other.call("GET", f"/{waiting.id}/files/{file_id}", status=status)
        other.judge(waiting.id, 1, "QUALIFIED", status=status)
        for path, body in bodies.items():
            other.call("POST", f"/{waiting.id}{path}", body, status=status)


def test_a_claimed_one_is_not_claimed_again(client: FlaskClient, staff: People, desk: Desk, waiting: PreReview) -> None:
    """PR-3."""
    desk.call("POST", f"/{waiting.id}/claim")
    _, headers = staff("BACK_OFFICER", hall_id=CITY_HALL)
    colleague = Desk(client, headers)
    refused = colleague.call("POST", f"/{waiting.id}/claim", status=409)
    assert (refused["code"], refused["state"]) == ("STATE_CONFLICT", "IN_REVIEW")
    desk.call("POST", f"/{waiting.id}/release")
    assert colleague.call("POST", f"/{waiting.id}/claim")["claimed_by"] is not None


def test_rejecting_needs_the_right_body(desk: Desk, waiting: PreReview) -> None:
    """PR-7."""
    desk.call("POST", f"/{waiting.id}/claim")
    desk.call("POST", f"/{waiting.id}/reject", {"reason": "不归我们"}, status=422)
    body = {"right_body": "宁波市公安局", "reason": "户籍业务", "item_id": "NB-052"}
    assert desk.call("POST", f"/{waiting.id}/reject", body)["state"] == "REJECTED"


def test_a_late_defect_and_the_supervisor(client: FlaskClient, staff: People, citizen: People, desk: Desk) -> None:
    """PR-5."""
    zhang, _ = citizen(level=2)
    with db.transaction() as session:
        waiting = make.submitted(session, zhang)
    desk.call("POST", f"/{waiting.id}/claim", {})
    desk.judge(waiting.id, 1, "DEFECTIVE", reason_code="BLURRED")
    for no in (2, 3, 4, 7):
        desk.judge(waiting.id, no, "WAIVED")
    desk.call("POST", f"/{waiting.id}/conclude")
    with db.transaction() as session:
        make.provide(session, zhang, waiting, 1, papers.jpeg())
        service.submit(session, actor=zhang, prereview_id=waiting.id)
    desk.call("POST", f"/{waiting.id}/claim", {})
    refused = desk.judge(waiting.id, 2, "DEFECTIVE", reason_code="EXPIRED", status=409)
    assert refused["code"] == "SECOND_DEFECT_NEEDS_SUPERVISOR"
    path, reason = f"/{waiting.id}/materials/2/second-defect", {"reason": "证照库今日更新"}
    desk.call("POST", path, reason, status=403)
    _, headers = staff("SUPERVISOR")
    Desk(client, headers).call("POST", path, reason, status=204)
    assert desk.judge(waiting.id, 2, "DEFECTIVE", reason_code="EXPIRED")["materials"][1]["verdict"] == "DEFECTIVE"


def test_the_counter_opens_by_number(client: FlaskClient, staff: People, waiting: PreReview) -> None:
    """PR-11: at any counter; a number of another kind, or with a typing error, is told apart."""
    _, headers = staff("FRONT_CLERK", hall_id=hall_id("NB-330212"))
    counter = Desk(client, headers)
    sheet = counter.call("GET", f"/by-number/{waiting.number}")
    assert sheet["prereview"]["id"] == str(waiting.id)
    counter.call("GET", f"/by-number/{waiting.number[:-1]}{(int(waiting.number[-1]) + 1) % 10}", status=422)
    counter.call("GET", "/by-number/NB2611240000010", status=422)


def test_states_that_clerks_never_see_can_not_be_asked_for(desk: Desk) -> None:
    desk.call("GET", "?state=DRAFT", status=422)
    desk.call("GET", "?state=NONSENSE", status=422)
    desk.call("GET", "?cursor=AAAA", status=422)
