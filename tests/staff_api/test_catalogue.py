"""The item managers' desk over HTTP: who sees what, optimistic locks, review, publication, the audit log."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from marshmallow import Schema
from sqlalchemy import select

from casework.catalogue.answers.queries import LOOK_SECONDS
from core import clock, db
from core.audit import AuditEntry
from staff_api.catalogue import ItemVersionDetailOut, ItemVersionOut, LintOut, VersionDiffOut
from tests.factories.items import DEPARTMENT, ITEM

DESK = "/staff/v1/catalogue"
People = Callable[..., tuple[Any, dict[str, str]]]


class Manager:
    """An item manager's browser."""

    def __init__(self, client: FlaskClient, headers: dict[str, str]) -> None:
        self.client, self.headers = client, headers

    def get(self, path: str, schema: type[Schema] | None = None) -> Any:
        response = self.client.get(f"{DESK}{path}", headers=self.headers)
        if schema is not None:
            assert response.status_code == 200, response.get_data(as_text=True)
            assert schema().validate(response.get_json()) == {}
        return response

    def post(self, path: str, body: Any = None, *, match: str | None = None, key: str | None = None) -> Any:
        headers = {**self.headers, "Idempotency-Key": key or str(uuid4()), **({"If-Match": match} if match else {})}
        return self.client.post(f"{DESK}{path}", json=body, headers=headers)

    def put(self, version_id: str, section: str, content: Any, match: str | None) -> Any:
        headers = {**self.headers, **({"If-Match": match} if match else {})}
        path = f"{DESK}/versions/{version_id}/sections/{section}"
        return self.client.put(path, json={"content": content}, headers=headers)


@pytest.fixture
def pair(client: FlaskClient, own_database: str, staff: People) -> tuple[Manager, Manager]:
    """Two item managers of one department."""
    made = [staff("ITEM_MANAGER", department_id=DEPARTMENT)[1] for _ in range(2)]
    return Manager(client, made[0]), Manager(client, made[1])


def opened(manager: Manager) -> tuple[str, dict[str, Any], str]:
    """A new draft: its id, its sections, its tag."""
    response = manager.post("/drafts", {"item_id": ITEM})
    assert response.status_code == 201, response.get_data(as_text=True)
    assert ItemVersionOut().validate(response.get_json()) == {}
    version_id = response.get_json()["id"]
    whole = manager.get(f"/versions/{version_id}", ItemVersionDetailOut)
    return version_id, whole.get_json()["sections"], whole.headers["ETag"]


def test_from_a_draft_to_law(pair: tuple[Manager, Manager], client: FlaskClient) -> None:
    author, other = pair
    version_id, sections, tag = opened(author)
    changed = author.put(version_id, "process", sections["process"] | {"hours": "7:00-19:00"}, tag)
    assert changed.status_code == 200
    tag = changed.headers["ETag"]
    diff = author.get(f"/versions/{version_id}/diff", VersionDiffOut).get_json()
    assert [(change["path"], change["after"]) for change in diff["changes"]] == [("hours", "7:00-19:00")]
    assert "办理时间" in diff["changes"][0]["text"]
    assert author.get(f"/versions/{version_id}/lint", LintOut).get_json() == {"faults": []}
    assert author.post(f"/versions/{version_id}/submit", match=tag).get_json()["state"] == "IN_REVIEW"
    today = clock.today().isoformat()
    refused = author.post(f"/versions/{version_id}/publish", {"effective_from": today})
    assert (refused.status_code, refused.get_json()["code"]) == (409, "AUTHOR_CANNOT_PUBLISH")
    key = str(uuid4())
    for _ in range(2):  # a double tap
        published = other.post(f"/versions/{version_id}/publish", {"effective_from": today}, key=key)
        assert (published.status_code, published.get_json()["in_force"]) == (200, True)
    published_at = time.monotonic()
    while client.get(f"/api/v1/catalogue/items/{ITEM}").get_json()["hours"] != "7:00-19:00":
        assert time.monotonic() - published_at < LOOK_SECONDS + 0.5
        time.sleep(0.02)
    history = other.get(f"/versions/{version_id}", ItemVersionDetailOut).get_json()["history"]
    assert [entry["action"] for entry in history] == ["draft.open", "draft.edit", "version.submit", "version.publish"]
    with db.transaction() as session:
        audited = select(AuditEntry.action).where(AuditEntry.object_id == version_id).order_by(AuditEntry.seq)
        assert list(session.scalars(audited)) == [f"catalogue.{entry['action']}" for entry in history]


def test_a_stale_tag_is_refused_and_a_missing_one_asked_for(pair: tuple[Manager, Manager]) -> None:
    author, helper = pair
    version_id, sections, tag = opened(author)
    content = sections["process"] | {"hours": "8:00-18:00"}
    assert helper.put(version_id, "process", content, tag).status_code == 200
    stale = author.put(version_id, "process", sections["process"] | {"hours": "9:00-12:00"}, tag)
    assert (stale.status_code, stale.get_json()["code"], stale.get_json()["edit"]) == (412, "PRECONDITION_FAILED", 2)
    for wrong in ('"x"', "*", f'"{uuid4()}.2"', f'"{version_id}.99999999999999"', "rubbish"):
        assert author.put(version_id, "process", content, wrong).status_code == 412
    missing = author.put(version_id, "process", content, None)
    assert (missing.status_code, missing.get_json()["code"]) == (428, "PRECONDITION_REQUIRED")
    assert author.post(f"/versions/{version_id}/submit").status_code == 428


def test_another_department_finds_nothing(pair: tuple[Manager, Manager], client: FlaskClient, staff: People) -> None:
    author, _ = pair
    version_id, sections, tag = opened(author)
    for department in ("D40", None):
        stranger = Manager(client, staff("ITEM_MANAGER", department_id=department)[1])
        for path in ("", "/lint", "/diff"):
            assert stranger.get(f"/versions/{version_id}{path}").status_code == 404
        assert stranger.put(version_id, "process", sections["process"], tag).status_code == 404
        assert stranger.post("/drafts", {"item_id": ITEM}).status_code == 404
        assert stranger.post(f"/versions/{version_id}/submit", match=tag).status_code == 404
        for act, body in (
            ("publish", {"effective_from": clock.today().isoformat()}), ("send-back", {"note": "x"}),
            ("withdraw", {"note": "x"}), ("give-up", None),
        ):  # fmt: skip
            assert stranger.post(f"/versions/{version_id}/{act}", body).status_code == 404
        ends = {"ends": clock.today().isoformat(), "kind": "ENDED", "reason": "x"}
        assert stranger.post(f"/items/{ITEM}/retire", ends).status_code == 404
        assert stranger.get(f"/versions?item_id={ITEM}").get_json()["items"] == []
    assert author.get(f"/versions/{uuid4()}").status_code == 404
    clerk = Manager(client, staff("FRONT_CLERK", department_id=DEPARTMENT)[1])
    assert clerk.get("/versions").status_code == 403


@pytest.mark.parametrize(
    ("section", "change", "field"),
    [
        ("process", {"hours": None}, "content.hours"),
        ("process", {"hours": "x\x00"}, "content.hours"),
        ("process", {"colour": "red"}, "content.colour"),
        ("process", {"trips_to_hall": "many"}, "content.trips_to_hall"),
        ("process", {"mobile_url": "javascript:alert(1)"}, "content.mobile_url"),
        ("process", {"mobile_url": "https://a\x00b"}, "content.mobile_url"),
        ("process", {"mobile_url": "https://a b"}, "content.mobile_url"),
        ("basics", {"joint_topics": ["NO-SUCH"]}, "joint_topics.0"),
        ("basics", {"zone_code": "Z77"}, "zone_code"),
        ("law", {"legal_limit": {"value": -1, "unit": "WORKDAY"}}, "content.legal_limit.value"),
        ("service", {"min_auth_level": 9}, "content.min_auth_level"),
    ],
)
def test_a_fault_is_told_by_field(
    pair: tuple[Manager, Manager], section: str, change: dict[str, Any], field: str
) -> None:
    version_id, sections, tag = opened(pair[0])
    response = pair[0].put(version_id, section, sections[section] | change, tag)
    assert response.status_code == 422, response.get_data(as_text=True)
    assert field in response.get_json()["errors"]


def test_rows_that_make_no_sense_are_told_by_place(pair: tuple[Manager, Manager]) -> None:
    version_id, sections, tag = opened(pair[0])
    materials = sections["materials"]["materials"]
    for row, field in (
        ({"no": materials[1]["no"]}, "materials.1.no"),
        ({"condition": "nobody", "required": False}, "materials.0.condition"),
        ({"required": False}, "materials.0.required"),
        ({"waivable": True, "licence_key": "UNKNOWN"}, "materials.0.licence_key"),
    ):
        content = {"materials": [materials[0] | row, *materials[1:]]}
        refused = pair[0].put(version_id, "materials", content, tag)
        assert (refused.status_code, list(refused.get_json()["errors"])) == (422, [field])
    questions = sections["situations"]["questions"]
    misshapen = {"no": 1, "condition": {"x": 1}, "effect": "LEVEL", "params": {"level": 2}}
    lacking = {"no": 1, "condition": {"question": "agent", "is": "yes"}, "effect": "LEVEL", "params": {}}
    for content, field in (
        ({"questions": questions[1:], "rules": []}, "questions"),
        ({"questions": questions, "rules": [misshapen]}, "rules.0.condition"),
        ({"questions": questions, "rules": [lacking]}, "rules.0.params"),
        (
            {"questions": [questions[0] | {"asked_when": {"not": 1}}, *questions[1:]], "rules": []},
            "questions.0.asked_when",
        ),
    ):
        refused = pair[0].put(version_id, "situations", content, tag)
        assert (refused.status_code, list(refused.get_json()["errors"])) == (422, [field])
    assert pair[0].put(version_id, "nonsense", {}, tag).status_code == 404


def test_send_back_withdraw_and_give_up(pair: tuple[Manager, Manager]) -> None:
    author, other = pair
    version_id, _, tag = opened(author)
    author.post(f"/versions/{version_id}/submit", match=tag)
    back = other.post(f"/versions/{version_id}/send-back", {"note": "请补充依据"})
    assert (back.status_code, back.get_json()["state"], back.get_json()["edit"]) == (200, "DRAFT", 2)
    assert other.post(f"/versions/{version_id}/send-back", {"note": "again"}).status_code == 409
    history = author.get(f"/versions/{version_id}").get_json()["history"]
    assert history[-1]["note"] == "请补充依据"
    author.post(f"/versions/{version_id}/submit", match=f'"{version_id}.2"')
    later = (clock.today() + timedelta(days=5)).isoformat()
    assert other.post(f"/versions/{version_id}/publish", {"effective_from": later}).get_json()["in_force"] is False
    assert author.post(f"/versions/{version_id}/withdraw", {"note": "暂缓"}).get_json()["state"] == "WITHDRAWN"
    second, _, _ = opened(author)
    assert author.post("/drafts", {"item_id": ITEM}).get_json()["version_id"] == second
    assert author.post(f"/versions/{second}/give-up").get_json()["state"] == "WITHDRAWN"
    listed = author.get(f"/versions?item_id={ITEM}&state=WITHDRAWN").get_json()["items"]
    assert [found["id"] for found in listed] == [second, version_id]


def test_a_retired_item_leads_on(pair: tuple[Manager, Manager], client: FlaskClient) -> None:
    author, _ = pair
    body = {"ends": clock.today().isoformat(), "kind": "SPLIT", "successors": ["NB-001", "NB-003"], "reason": "拆分"}
    one = author.post(f"/items/{ITEM}/retire", body | {"successors": ["NB-001"]})
    assert (one.status_code, list(one.get_json()["errors"])) == (422, ["successors"])
    assert author.post(f"/items/{ITEM}/retire", body).status_code == 204
    assert author.post(f"/items/{ITEM}/retire", body).status_code == 409
    gone = client.get(f"/api/v1/catalogue/items/{ITEM}")
    while gone.status_code == 200:
        gone = client.get(f"/api/v1/catalogue/items/{ITEM}")
    assert (gone.status_code, gone.get_json()["kind"]) == (300, "SPLIT")
    assert [one["href"] for one in gone.get_json()["went_to"]] == [
        "/api/v1/catalogue/items/NB-001", "/api/v1/catalogue/items/NB-003",
    ]  # fmt: skip
    assert author.post("/drafts", {"item_id": "NB-001", "as_item": ITEM}).status_code == 422


def test_an_end_is_taken_back(pair: tuple[Manager, Manager], client: FlaskClient) -> None:
    author, other = pair
    ends = (clock.today() + timedelta(days=9)).isoformat()
    body = {"ends": ends, "kind": "RENAMED", "successors": ["NB-001"], "reason": "更名"}
    assert author.post(f"/items/{ITEM}/retire", body).status_code == 204
    refused = author.post("/drafts", {"item_id": ITEM})
    assert (refused.status_code, refused.get_json()["code"], refused.get_json()["gone"]) == (
        409,
        "ITEM_ENDED",
        "RENAMED",
    )
    key = str(uuid4())
    for _ in range(2):  # a double tap
        assert other.post(f"/items/{ITEM}/keep", {"note": "误操作"}, key=key).status_code == 204
    assert other.post(f"/items/{ITEM}/keep", {"note": "误操作"}).status_code == 409
    opened(author)


def test_any_two_versions_are_compared_and_a_draft_chooses_what_it_replaces(pair: tuple[Manager, Manager]) -> None:
    author, other = pair
    now = author.get(f"/versions?item_id={ITEM}").get_json()["items"][0]["id"]
    version_id, sections, tag = opened(author)
    tag = author.put(version_id, "process", sections["process"] | {"hours": "7:00-19:00"}, tag).headers["ETag"]
    author.post(f"/versions/{version_id}/submit", match=tag)
    later = (clock.today() + timedelta(days=5)).isoformat()
    assert other.post(f"/versions/{version_id}/publish", {"effective_from": later}).status_code == 200
    urgent, _, tag = opened(author)
    for against, paths in ((version_id, []), (now, ["hours"])):
        told = author.get(f"/versions/{urgent}/diff?against={against}", VersionDiffOut).get_json()
        assert ([change["path"] for change in told["changes"]], told["compared_with"]) == (paths, against)
    assert author.get(f"/versions/{urgent}/diff?against={uuid4()}").status_code == 404
    foreign = author.get("/versions?item_id=NB-001").get_json()["items"][0]["id"]
    assert author.get(f"/versions/{urgent}/diff?against={foreign}").status_code == 404
    assert author.post(f"/versions/{urgent}/rebase", {"onto": foreign}, match=tag).status_code == 422
    onto = author.post(f"/versions/{urgent}/rebase", {"onto": now}, match=tag)
    assert (onto.status_code, onto.get_json()["base_version_id"]) == (200, now)
    last = author.post(f"/versions/{urgent}/rebase", match=f'"{urgent}.2"')
    assert (last.status_code, last.get_json()["base_version_id"]) == (200, version_id)


def test_the_linter_says_all_that_review_would(pair: tuple[Manager, Manager]) -> None:
    author, _ = pair
    version_id, sections, tag = opened(author)
    tag = author.put(version_id, "process", sections["process"] | {"trips_to_hall": 3}, tag).headers["ETag"]
    faults = author.get(f"/versions/{version_id}/lint", LintOut).get_json()["faults"]
    assert [fault["path"] for fault in faults] == ["trips_reason"]
    refused = author.post(f"/versions/{version_id}/submit", match=tag)
    assert (refused.status_code, refused.get_json()["faults"]) == (422, faults)


def test_queries_do_not_grow_with_the_list(pair: tuple[Manager, Manager], count_queries: Callable[[], Any]) -> None:
    author, _ = pair
    version_id, _, _ = opened(author)

    def counted(path: str) -> int:
        """Without those that find out who asks: they depend on when that was asked last."""
        with count_queries() as seen:
            author.get(path)
        return sum("item_version" in statement for statement in seen)

    assert [counted(f"/versions?limit={limit}") for limit in (1, 20)] == [1, 1]
    assert counted(f"/versions/{version_id}") == 4
    assert counted(f"/versions/{version_id}/diff") == 6
