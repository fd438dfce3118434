"""Guides of situations and where old codes lead, over HTTP."""

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from casework.catalogue import service
from casework.catalogue.answers.queries import LOOK_SECONDS
from casework.catalogue.answers.service import touch
from casework.catalogue.drafts import service as drafts
from casework.catalogue.linting.queries import all_faults
from casework.catalogue.publishing import service as publishing
from casework.catalogue.rules import GoneKind
from casework.catalogue.search import service as search
from casework.places.points import service as points
from core import clock, db
from core.actors import System
from miniprogram_api.guides import AdviceOut, ItemOut
from tests.factories import items
from tests.factories.catalogue import CITY_HALL
from tests.factories.items import ITEM
from tests.factories.prereview import NO_SPECIALS

ITEMS = "/api/v1/catalogue/items"
NO_POINTS: dict[str, Any] = {"schema_version": "1.0", "coordinate_system": "GCJ-02", "points": []}


def guide(client: FlaskClient, answers: dict[str, str], item_id: str = ITEM) -> dict[str, Any]:
    response = client.post(f"{ITEMS}/{item_id}/guide", json={"answers": answers})
    assert response.status_code == 200, response.get_data(as_text=True)
    body: dict[str, Any] = response.get_json()
    assert AdviceOut().validate(body) == {}
    return body


def test_one_question_after_the_other_then_the_guide(client: FlaskClient, count_queries: Any) -> None:
    answers: dict[str, str] = {}
    asked = []
    while (step := guide(client, answers))["question"] is not None:
        assert step["guide"] is None
        asked.append((step["question"]["key"], step["questions_left"]))
        answers[step["question"]["key"]] = "no"
    assert asked == [
        ("tax_relief", 5),
        ("marriage_proof", 4),
        ("agent", 3),
        ("non_residential", 2),
        ("separate_certificates", 1),
    ]
    made = step["guide"]
    assert [paper["no"] for choice in made["papers"] for paper in choice["one_of"]] == [1, 2, 3, 4, 7]
    assert made["legal_limit"]["text"] == "30个工作日"
    assert made["promised_limit"]["text"] == "即办"
    assert (made["possible"], made["bookable"], made["window_kinds"]) == (True, True, ["COMBINED", "SPECIAL"])
    assert "样例数据" in step["notice"]
    with count_queries() as seen:
        guide(client, answers)
    assert len(seen) == 1


def test_the_fee_is_that_of_the_situation(client: FlaskClient) -> None:
    """A home costs 80 yuan, a shop 550; the tax comes on top of both."""

    def fee(**more: str) -> tuple[list[int], int]:
        made = guide(client, NO_SPECIALS | more)["guide"]
        return [line["no"] for line in made["fee_lines"]], made["fee_total_fen"]

    assert fee() == ([1, 4], 8_000)
    assert fee(non_residential="yes") == ([2, 4], 55_000)
    assert fee(separate_certificates="yes") == ([1, 3, 4], 9_000)
    assert guide(client, {"tax_relief": "no"})["guide"] is None
    listed = client.get(f"{ITEMS}/{ITEM}").get_json()["fee"]["lines"]
    assert [(line["amount_fen"], line["by_situation"]) for line in listed] == [
        (8_000, True), (55_000, True), (1_000, True), (None, False),
    ]  # fmt: skip


def test_wrong_answers_are_told(client: FlaskClient) -> None:
    for answers, field in (({"agent": "perhaps"}, "answers.agent"), ({"colour": "red"}, "answers.colour")):
        response = client.post(f"{ITEMS}/{ITEM}/guide", json={"answers": answers})
        assert (response.status_code, list(response.get_json()["errors"])) == (422, [field])
    assert client.post(f"{ITEMS}/NB-999/guide", json={"answers": {}}).status_code == 404


def test_rules_alternatives_and_a_refusal_reach_the_citizen(client: FlaskClient, own_database: str) -> None:
    with db.transaction() as session:
        pair = items.managers(session)
        draft = drafts.open_draft(session, actor=pair[0], item_id=ITEM)
        materials = items.section(session, draft.id, "materials")["materials"]
        card = {
            **materials[0],
            "no": 21,
            "name": "居住证",
            "alternative_group": "residence",
            "required": False,
            "by_rule": True,
        }
        book = {**card, "no": 22, "name": "户口簿"}
        draft = items.edited(session, pair[0], draft, "materials", materials=[*materials, card, book])
        situations = items.section(session, draft.id, "situations")
        minor = {
            "key": "minor",
            "text": "受让人是否未成年？",
            "options": situations["questions"][0]["options"],
            "asked_when": {"question": "agent", "is": "yes"},
        }
        refusal = {"reason": "须由监护人申请", "item": "NB-001"}
        when = {"question": "agent", "is": "yes"}
        rules = [
            *situations["rules"],
            {"no": 11, "condition": when, "effect": "ADD_MATERIAL", "params": {"material": 21}},
            {"no": 12, "condition": when, "effect": "ADD_MATERIAL", "params": {"material": 22}},
            {"no": 13, "condition": {"question": "minor", "is": "yes"}, "effect": "REFUSE", "params": refusal},
        ]  # fmt: skip
        draft = items.edited(
            session, pair[0], draft, "situations", questions=[*situations["questions"], minor], rules=rules
        )
        made = publishing.submit(session, actor=pair[0], version_id=draft.id, edit=draft.edit)
        publishing.publish(session, actor=pair[1], version_id=made.id, effective_from=clock.today())
        assert list(all_faults(session, clock.today())) == []
    plain = {key: value for key, value in NO_SPECIALS.items() if key != "agent"}
    assert guide(client, {**plain, "agent": "no"})["guide"]["possible"]
    step = guide(client, {**plain, "agent": "yes"})
    assert step["question"]["key"] == "minor"
    done = guide(client, {**plain, "agent": "yes", "minor": "no"})["guide"]
    groups = {choice["alternative_group"]: [p["name"] for p in choice["one_of"]] for choice in done["papers"]}
    assert groups["residence"] == ["居住证", "户口簿"]
    refused = guide(client, {**plain, "agent": "yes", "minor": "yes"})["guide"]
    assert (refused["possible"], refused["bookable"]) == (False, False)
    assert refused["refusals"] == [{"reason": "须由监护人申请", "item_id": "NB-001"}]
    wrong = client.post(f"{ITEMS}/{ITEM}/guide", json={"answers": {**plain, "agent": "no", "minor": "no"}})
    assert list(wrong.get_json()["errors"]) == ["answers.minor"]


def test_a_paused_item_says_so_before_its_guide_is_followed(client: FlaskClient, own_database: str) -> None:
    assert guide(client, {})["paused"] is False
    with db.transaction() as session:
        pair = items.managers(session)
        pause: dict[str, Any] = {"paused": True, "pause_reason": "系统升级", "bookable": False, "pre_review": False}
        items.published(session, pair, "service", **pause)
    step = guide(client, {})
    assert (step["paused"], step["pause_reason"]) == (True, "系统升级")


def test_a_paused_item_is_marked_in_lists_and_is_not_hot(client: FlaskClient, own_database: str) -> None:
    """S48: it is found, but not shown before what can be done; when it goes on, all is as before."""

    def told() -> tuple[bool, bool, bool, bool, bool, int]:
        time.sleep(LOOK_SECONDS + 0.1)
        listed = client.get(f"{ITEMS}?q=二手房").get_json()["items"][0]
        whole = client.get(f"{ITEMS}/{ITEM}").get_json()
        assert (listed["item_id"], listed["hot"], listed["paused"]) == (ITEM, whole["hot"], whole["paused"])
        hot = client.get(f"{ITEMS}?hot=true&zone=Z4&limit=50").get_json()["items"]
        used = client.get("/api/v1/catalogue/popular").get_json()["items"]
        zones = client.get("/api/v1/catalogue/zones").get_json()["items"]
        return (
            listed["paused"],
            listed["hot"],
            ITEM in [one["item_id"] for one in hot],
            client.get(f"{ITEMS}?zone=Z4&limit=1").get_json()["items"][0]["item_id"] == ITEM,
            used[0]["item_id"] == ITEM,
            next(zone["hot"] for zone in zones if zone["code"] == "Z4"),
        )

    def use() -> None:
        with db.transaction() as session:
            search.record_uses(session, {ITEM: 7})
            touch(session)

    use()
    before = told()
    assert before[:3] == (False, True, True)
    assert before[4]
    with db.transaction() as session:
        pair = items.managers(session)
        pause: dict[str, Any] = {"paused": True, "pause_reason": "系统升级", "bookable": False, "pre_review": False}
        items.published(session, pair, "service", **pause)
    paused = told()
    assert paused == (True, False, False, False, False, before[5] - 1)
    use()
    assert told() == paused
    with db.transaction() as session:
        # The day's second version takes effect at once: a pause ends when it may.
        items.published(session, pair, "service", paused=False, pause_reason="", bookable=True, pre_review=True)
    assert told() == before


def test_too_many_answers_are_refused(client: FlaskClient) -> None:
    said = {f"question{number}": "yes" for number in range(201)}
    for what in ("guide", "materials"):
        answer = client.post(f"{ITEMS}/{ITEM}/{what}", json={"answers": said})
        assert (answer.status_code, list(answer.get_json()["errors"])) == (422, ["answers"])


def retire(item_id: str, kind: GoneKind, *successors: str) -> None:
    with db.transaction() as session:
        service.retire(
            session,
            actor=System("test"),
            item_id=item_id,
            ends=clock.today(),
            kind=kind,
            successors=successors,
            reason="调整",
        )


def gone(client: FlaskClient, item_id: str) -> Any:
    began = time.monotonic()
    while (response := client.get(f"{ITEMS}/{item_id}")).status_code == 200:
        assert time.monotonic() - began < LOOK_SECONDS + 0.5
        time.sleep(0.02)
    return response


def test_chains_are_followed_to_what_is_in_force(client: FlaskClient, own_database: str, count_queries: Any) -> None:
    """NB-055 → NB-054 → {NB-052, NB-053}; then NB-053 → NB-052: one is left."""
    retire("NB-055", GoneKind.MERGED, "NB-054")
    assert gone(client, "NB-055").headers["Location"] == f"{ITEMS}/NB-054"
    retire("NB-054", GoneKind.SPLIT, "NB-052", "NB-053")
    assert gone(client, "NB-054").status_code == 300
    time.sleep(LOOK_SECONDS)
    with count_queries() as seen:
        choice = client.get(f"{ITEMS}/NB-055")
    assert len(seen) <= 4
    assert choice.status_code == 300
    assert [one["item_id"] for one in choice.get_json()["went_to"]] == ["NB-052", "NB-053"]
    assert "Location" not in choice.headers
    retire("NB-053", GoneKind.MERGED, "NB-052")
    time.sleep(LOOK_SECONDS)
    answer = client.get(f"{ITEMS}/NB-055")
    assert (answer.status_code, answer.headers["Location"]) == (308, f"{ITEMS}/NB-052")
    assert "NB-055" not in client.get(f"{ITEMS}?q=签注").get_data(as_text=True)


def test_an_item_that_simply_ends_says_why(client: FlaskClient, own_database: str) -> None:
    retire("NB-055", GoneKind.ENDED)
    response = gone(client, "NB-055")
    assert (response.status_code, response.get_json()["code"]) == (404, "ITEM_NOT_IN_FORCE")
    assert (response.get_json()["kind"], response.get_json()["reason"]) == ("ENDED", "调整")
    assert response.get_json()["detail"] == "该事项当前不在有效期内：该事项已取消"
    english = client.post(f"{ITEMS}/NB-055/guide", json={"answers": {}}, headers={"Accept-Language": "en"}).get_json()
    assert english["detail"] == "This service item is not in force: This item has ended"
    assert "text" not in english


def test_what_is_to_come_is_told_ahead(client: FlaskClient, own_database: str, count_queries: Any) -> None:
    """S22: a new item before its first day, a version that changes, an item that ends."""
    today = clock.today()
    first, change, end = (today + timedelta(days=days) for days in (10, 3, 5))
    with db.transaction() as session:
        pair = items.managers(session)
        items.published(session, pair, "basics", effective_from=change, name="存量房转移登记")
        draft = drafts.open_draft(session, actor=pair[0], item_id=ITEM, as_item="NB-900")
        made = publishing.submit(session, actor=pair[0], version_id=draft.id, edit=draft.edit)
        publishing.publish(session, actor=pair[1], version_id=made.id, effective_from=first)
        service.retire(
            session, actor=System("test"), item_id="NB-055", ends=end, kind=GoneKind.MERGED, successors=["NB-054"]
        )
    early = client.get(f"{ITEMS}/NB-900")
    assert (early.status_code, early.get_json()["in_force_from"]) == (404, first.isoformat())
    assert early.get_json()["detail"] == f"该事项当前不在有效期内：自{first}起施行"
    with clock.at(clock.day_start(first)):
        assert client.get(f"{ITEMS}/NB-900").status_code == 200
    changing = client.get(f"{ITEMS}/{ITEM}").get_json()
    assert ItemOut().validate(changing) == {}
    assert (changing["effective_to"], changing["coming"]["kind"]) == (change.isoformat(), "CHANGES")
    assert changing["coming"]["text"] == f"自{change}起：内容有调整，届时按新的办事指南办理"
    ending = client.get(f"{ITEMS}/NB-055", headers={"Accept-Language": "en"}).get_json()["coming"]
    assert (ending["day"], ending["kind"]) == (end.isoformat(), "ENDS")
    assert ending["text"] == f"From {end}: This item was merged into another"
    assert [one["item_id"] for one in ending["went_to"]] == ["NB-054"]
    assert client.get(f"{ITEMS}/NB-014").get_json()["coming"] is None
    with clock.at(clock.day_start(change)):
        changed = client.get(f"{ITEMS}/{ITEM}").get_json()
        assert (changed["name"], changed["coming"], changed["effective_to"]) == ("存量房转移登记", None, None)


def test_where_an_item_is_handled(client: FlaskClient, own_database: str) -> None:
    """S12, S13: all over the city, in one district, or at the city's hall alone; the halls and windows agree."""

    def told(item_id: str = ITEM) -> tuple[str, str | None, list[str]]:
        handled = client.get(f"{ITEMS}/{item_id}").get_json()["handled"]
        halls = client.get(f"/api/v1/places/halls?item_id={item_id}").get_json()["items"]
        return handled["reach"], handled["region_code"], [hall["code"] for hall in halls]

    reach, region, halls = told()
    assert (reach, region, len(halls)) == ("CITYWIDE", None, 11)
    with db.transaction() as session:
        pair = items.managers(session)
        items.published(session, pair, "basics", authority="宁波市海曙区自然资源和规划局")
    time.sleep(LOOK_SECONDS)
    assert told() == ("LOCAL", "330203", ["NB-330203"])
    elsewhere = client.get(f"/api/v1/places/halls/{CITY_HALL}?item_id={ITEM}").get_json()
    assert (elsewhere["takes_item"], elsewhere["zones"]) == (False, [])
    with db.transaction() as session:
        scope: dict[str, Any] = {"item_id": ITEM, "scope": "CITYWIDE"}
        assert points.import_points(session, NO_POINTS | {"item_scopes": [scope]}).faults == ()
    time.sleep(LOOK_SECONDS)
    assert told()[0] == "CITYWIDE"
    assert len(told()[2]) == 11
    with db.transaction() as session:
        scope = {"item_id": ITEM, "scope": "LOCAL", "reserved_to_city": True}
        assert points.import_points(session, NO_POINTS | {"item_scopes": [scope]}).faults == ()
    time.sleep(LOOK_SECONDS)
    assert told() == ("CITY_ONLY", None, ["NB-CITY"])
    english = client.get(f"{ITEMS}/{ITEM}", headers={"Accept-Language": "en"}).get_json()
    assert english["handled"]["text"] == "Only at the city's own hall"


def test_redirects_cannot_loop(own_database: str) -> None:
    """The database refuses it, whoever writes; two that would close a ring at once, one of them."""
    insert = "INSERT INTO item_redirect (item_id, to_item_id, position) VALUES (:one, :two, 1)"
    with db.transaction() as session:
        session.execute(text(insert), {"one": "NB-001", "two": "NB-002"})
        session.execute(text(insert), {"one": "NB-002", "two": "NB-003"})
    for one, two, refusal in (("NB-003", "NB-001", "loop"), ("NB-004", "NB-004", "loop|elsewhere")):
        with pytest.raises(DBAPIError, match=refusal), db.transaction() as session:
            session.execute(text(insert), {"one": one, "two": two})
    told: list[str] = []
    start = threading.Barrier(2)

    def close(one: str, two: str) -> None:
        start.wait()
        try:
            with db.transaction() as session:
                session.execute(text(insert), {"one": one, "two": two})
                time.sleep(0.1)
            told.append("written")
        except DBAPIError:
            told.append("refused")

    threads = [threading.Thread(target=close, args=pair) for pair in (("NB-005", "NB-006"), ("NB-006", "NB-005"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(told) == ["refused", "written"]
