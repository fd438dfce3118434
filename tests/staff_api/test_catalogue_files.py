"""Item managers send files: drafts of their own department's items, reviewed by a second person, or every fault."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import func, select

from auth.staff.roles import ITEM_MANAGER
from casework.catalogue import queries
from casework.catalogue.importing.uploads.jobs import draft_upload
from casework.catalogue.models import ItemVersion
from core import clock, db

BASE = "/staff/v1/catalogue"
People = Callable[..., tuple[Any, dict[str, str]]]


def take_out(client: FlaskClient, headers: dict[str, str]) -> dict[str, Any]:
    answer = client.get(f"{BASE}/export?format=json", headers=headers)
    assert answer.status_code == 200
    document: dict[str, Any] = json.loads(answer.data)
    return document


def send(client: FlaskClient, headers: dict[str, str], document: object) -> dict[str, Any]:
    content = io.BytesIO(json.dumps(document, ensure_ascii=False).encode())
    answer = client.post(f"{BASE}/imports", headers=headers, data={"file": (content, "items.json")})
    assert answer.status_code == 202, answer.json
    assert answer.get_json()["state"] == "QUEUED"
    draft_upload(import_id=answer.get_json()["id"])
    shown = client.get(f"{BASE}/imports/{answer.get_json()['id']}", headers=headers)
    assert shown.status_code == 200
    result: dict[str, Any] = shown.get_json()
    return result


def test_what_differs_becomes_a_draft_and_the_law_stays(client: FlaskClient, staff: People, own_database: str) -> None:
    _, headers = staff(ITEM_MANAGER, department_id="D11")
    document = take_out(client, headers)
    assert {item["department_id"] for item in document["items"]} == {"D11"}
    unchanged = send(client, headers, document)
    assert (unchanged["state"], unchanged["changed"], unchanged["faults"]) == ("DONE", 0, [])
    item = next(item for item in document["items"] if item["item_id"] == "NB-002")
    item["consult"] = "0574-00000000"
    done = send(client, headers, document)
    assert (done["state"], done["changed"], done["items"]) == ("DONE", 1, len(document["items"]))
    with db.transaction() as session:
        assert queries.item_in_force(session, "NB-002", clock.today()).consult != "0574-00000000"
    (draft,) = client.get(f"{BASE}/versions?state=DRAFT", headers=headers).get_json()["items"]
    assert draft["item_id"] == "NB-002"
    again = send(client, headers, document)
    assert (again["state"], [fault["code"] for fault in again["faults"]]) == ("FAULTY", ["DRAFT_OPEN"])
    listed = client.get(f"{BASE}/imports", headers=headers).get_json()["items"]
    assert [row["state"] for row in listed] == ["FAULTY", "DONE", "DONE"]


def test_faults_and_items_of_other_departments_draft_nothing(
    client: FlaskClient, staff: People, own_database: str
) -> None:
    _, headers = staff(ITEM_MANAGER, department_id="D11")
    _, others = staff(ITEM_MANAGER, department_id="D14")
    document = take_out(client, headers)
    document["items"][0]["consult"] = "changed"
    document["items"][1]["zone_code"] = "Z9"
    faulty = send(client, headers, document)
    assert (faulty["state"], faulty["fault_count"], faulty["changed"]) == ("FAULTY", 1, 0)
    (fault,) = faulty["faults"]
    assert (fault["code"], fault["path"]) == ("UNKNOWN_ZONE", "items.1.zone_code")
    document["items"] = document["items"][:1]
    stranger = send(client, others, document)
    assert [fault["code"] for fault in stranger["faults"]] == ["OTHER_DEPARTMENT"]
    assert client.get(f"{BASE}/imports/{stranger['id']}", headers=headers).status_code == 404
    with db.transaction() as session:
        drafts = select(func.count()).select_from(ItemVersion).where(ItemVersion.state == "DRAFT")
        assert session.scalar(drafts) == 0


def test_the_template_is_a_workbook_and_empty_files_are_refused(client: FlaskClient, staff: People) -> None:
    _, headers = staff(ITEM_MANAGER, department_id="D11")
    assert client.get(f"{BASE}/template", headers=headers).data.startswith(b"PK")
    empty = client.post(f"{BASE}/imports", headers=headers, data={"file": (io.BytesIO(b""), "x.xlsx")})
    assert empty.status_code == 422
    _, clerk = staff("FRONT_CLERK", department_id="D11")
    assert client.get(f"{BASE}/template", headers=clerk).status_code == 403
