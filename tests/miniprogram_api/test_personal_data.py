"""Rights over one's own data, over HTTP (P-4)."""

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

from flask.testing import FlaskClient

from core import clock
from core.db import transaction
from tests.factories import payments
from tests.factories.personal_data import opened, prove

URL = "/api/v1/personal-data"
STAFF = "/staff/v1/correction-requests"


def once(headers: dict[str, str]) -> dict[str, str]:
    return {**headers, "Idempotency-Key": secrets.token_hex(8)}


def test_a_copy_from_the_request_to_the_download(
    client: FlaskClient, citizen: Callable[..., Any], run_jobs: Callable[..., None]
) -> None:
    _, headers = citizen(level=3, name="欧阳小明")
    made = client.post(f"{URL}/exports", headers=once(headers))
    assert (made.status_code, made.get_json()["state"]) == (202, "QUEUED")
    run_jobs()
    (listed,) = client.get(f"{URL}/exports", headers=headers).get_json()["items"]
    assert (listed["id"], listed["state"]) == (made.get_json()["id"], "READY")
    link = client.post(f"{URL}/exports/{listed['id']}/link", headers=headers).get_json()
    answer = client.get(link["url"])
    assert (answer.status_code, answer.mimetype) == (200, "application/zip")
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"].startswith("no-")
    data, _ = opened(answer.data)
    assert data["account"]["documents"][0]["name"] == "欧阳小明"
    assert len(answer.data) == listed["size"]
    inbox = client.get("/api/v1/inbox", headers=headers).get_json()["items"]
    assert inbox[0]["title"] == "您的个人信息副本已备好"


def test_a_copy_takes_level_3_and_is_ones_own(
    client: FlaskClient, citizen: Callable[..., Any], run_jobs: Callable[..., None]
) -> None:
    _, low = citizen(level=2)
    assert client.post(f"{URL}/exports", headers=once(low)).get_json()["needed_level"] == 3
    _, headers = citizen(level=3)
    _, other = citizen(level=3)
    export_id = client.post(f"{URL}/exports", headers=once(headers)).get_json()["id"]
    run_jobs()
    assert client.post(f"{URL}/exports/{export_id}/link", headers=other).status_code == 404
    assert client.get(f"{URL}/exports", headers=other).get_json()["items"] == []
    link = client.post(f"{URL}/exports/{export_id}/link", headers=headers).get_json()
    assert client.get(link["url"][:-2] + "xx").status_code == 404
    assert client.get(f"{URL}/exports/content/{uuid4()}?token=1.x").status_code == 404


def test_a_correction_from_the_person_to_the_registrar_and_back(
    client: FlaskClient, citizen: Callable[..., Any], staff: Callable[..., Any]
) -> None:
    _, headers = citizen(level=2)
    _, clerk = staff("FRONT_CLERK")
    body = {"kind": "NAME", "wish": "“堃”字显示错误"}
    made = client.post(f"{URL}/requests", json=body, headers=once(headers))
    assert (made.status_code, made.get_json()["state_label"]) == (201, "已提交，等待受理")
    again = client.post(f"{URL}/requests", json=body, headers=once(headers))
    assert (again.status_code, again.get_json()["code"]) == (409, "STATE_CONFLICT")
    (waiting,) = client.get(STAFF, headers=clerk).get_json()["items"]
    assert "wish" not in waiting
    taken = client.post(f"{STAFF}/{waiting['id']}/take", headers=clerk).get_json()
    assert taken["wish"] == body["wish"]
    answered = client.post(
        f"{STAFF}/{waiting['id']}/answer", json={"done": True, "answer": "已更正"}, headers=clerk
    ).get_json()
    assert answered["state"] == "DONE"
    (shown,) = client.get(f"{URL}/requests", headers=headers).get_json()["items"]
    assert (shown["state"], shown["answer"]) == ("DONE", "已更正")
    assert client.get(STAFF, headers=headers).status_code == 401


def test_a_decision_is_explained_on_request(client: FlaskClient, citizen: Callable[..., Any]) -> None:
    _, headers = citizen(level=2)
    bare = client.post(f"{URL}/requests", json={"kind": "EXPLAIN_DECISION", "wish": "为何不予"}, headers=once(headers))
    assert (bare.status_code, list(bare.get_json()["errors"])) == (422, ["matter_number"])
    made = client.post(
        f"{URL}/requests",
        json={"kind": "EXPLAIN_DECISION", "wish": "为何不予", "matter_number": "NB202611240001"},
        headers=once(headers),
    ).get_json()
    gone = client.delete(f"{URL}/requests/{made['id']}", headers=headers).get_json()
    assert gone["state"] == "WITHDRAWN"
    _, other = citizen(level=2)
    assert client.delete(f"{URL}/requests/{made['id']}", headers=other).status_code == 404


def test_closing_an_account(client: FlaskClient, citizen: Callable[..., Any]) -> None:
    from auth.personal_data.closing import jobs

    actor, headers = citizen(level=3)
    with transaction() as session:
        bill = payments.issue(session, actor.subject_id, payments.FEE)
    prospect = client.get(f"{URL}/closing", headers={**headers, "Accept-Language": "en"}).get_json()
    assert prospect["open_matters"] == [
        {"kind": "BILL", "number": bill.number, "name": bill.matter_name, "state": "To be paid"}
    ]
    blocked = client.post(f"{URL}/closing", headers=once(headers))
    assert (blocked.status_code, blocked.get_json()["code"]) == (409, "ACCOUNT_IN_USE")
    assert blocked.get_json()["open_matters"][0]["number"] == bill.number
    with transaction() as session:
        from sqlalchemy import text

        session.execute(text("UPDATE fee_bill SET state = 'CANCELLED'"))
    unproven = client.post(f"{URL}/closing", headers=once(headers))
    assert (unproven.status_code, unproven.get_json()["needed_level"]) == (401, 4)
    prove(actor)
    asked = client.post(f"{URL}/closing", headers=once(headers))
    assert asked.status_code == 202
    assert client.get(f"{URL}/closing", headers=headers).get_json()["effective_at"] == asked.get_json()["effective_at"]
    assert client.delete(f"{URL}/closing", headers=headers).status_code == 204
    assert client.delete(f"{URL}/closing", headers=headers).status_code == 404
    prove(actor)
    client.post(f"{URL}/closing", headers=once(headers))
    with clock.shift(timedelta(days=7, minutes=1)):
        jobs.close_accounts()
    assert client.get("/api/v1/account", headers=headers).status_code == 401
