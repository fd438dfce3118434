"""Every national element of DOMAIN 2.2 goes in by a section, and comes out in the guide, as it was written."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from casework.catalogue import queries
from casework.catalogue.differences import queries as differences
from casework.catalogue.differences.rules import PARTS
from casework.catalogue.drafts import service as drafts
from casework.catalogue.drafts.ports import SECTIONS, shape
from casework.catalogue.publishing import service as publishing
from core import clock, db
from core.errors import InvalidInput, NotFound
from miniprogram_api.guides import ItemOut
from tests.factories import items
from tests.factories.items import ITEM

NEW: dict[str, dict[str, Any]] = {
    "basics": {
        "local_catalog_code": "Q-1", "local_task_code": "T-1", "handle_item_code": "H.01",
        "authority_code": "11330200MB1234567X", "authority_type": "1", "power_source": "6", "use_levels": ["3", "4"],
        "joint_departments": ["宁波市税务局"], "intermediary": "房屋测绘", "quantity_limit": "无数量限制",
        "serve_scope": "CITY", "sub_items": [{"no": 1, "code": "H.01.1", "name": "住宅转移", "note": ""}],
    },
    "law": {
        "special_procedure_rows": [
            {"no": 1, "name": "公告", "days": 15, "unit": "WORKDAY", "law": "细则第17条", "is_fee": False, "counted": False}
        ],
    },
    "process": {
        "handle_forms": ["1", "3", "4"], "online_depths": ["3", "5"], "online": True, "self_service": True,
        "in_hall": True, "trips_to_hall": 2, "trips_reason": "双方须到场签字", "mobile_url": "https://example.cn/a?b=1",
        "mobile_single_sign_on": True,
        "steps": [{"no": 1, "name": "受理", "owner": "窗口", "days": 1, "standard": "材料齐全", "result": "受理通知书"}],
        "common_questions": [{"no": 1, "question": "多久办好？", "answer": "当场办结。"}],
    },
    "service": {"daily_bookings": 80, "booking_rule": "每日上午放号"},
    "result": {"result_type": "10", "result_samples": [{"no": 1, "name": "不动产权证书", "file": "samples/1.pdf"}]},
    "fees": {"fee_basis": "甬价费〔2016〕1号"},
}  # fmt: skip


def written(session: Session) -> tuple[Any, Any]:
    """A published version with all of `NEW`, and its author."""
    pair = items.managers(session)
    draft = drafts.open_draft(session, actor=pair[0], item_id=ITEM)
    for section, changes in NEW.items():
        content = shape(section, items.section(session, draft.id, section) | changes)
        draft = items.edited(session, pair[0], draft, section, **content)
    made = publishing.submit(session, actor=pair[0], version_id=draft.id, edit=draft.edit)
    return publishing.publish(session, actor=pair[1], version_id=made.id, effective_from=clock.today()), pair[0]


def test_every_element_is_in_one_section_and_in_the_snapshot(database: object) -> None:
    said = {element for shapes in SECTIONS.values() for element in shapes}
    assert sum(len(shapes) for shapes in SECTIONS.values()) == len(said)
    with db.transaction() as session:
        snapshot = differences.of_version(session, queries.item_in_force(session, ITEM, clock.today()).version_id)
    assert set(snapshot) - said == {"department_id"}
    assert said - set(snapshot) == set()
    assert set(PARTS) <= said


def test_what_is_written_is_read_and_copied_and_told(own_database: str, client: FlaskClient) -> None:
    wanted = {name: value for changes in NEW.values() for name, value in changes.items()}
    with db.transaction() as session:
        before = queries.item_in_force(session, ITEM, clock.today()).version_id
        made, author = written(session)
        assert {name: differences.of_version(session, made.id)[name] for name in wanted} == wanted
        told = differences.between(session, before, made.id).told("zh")
        assert {change["path"].split(".")[0] for change in told} == set(wanted) - {"in_hall"}
        # A draft of it says the same, row by row.
        copy = drafts.open_draft(session, actor=author, item_id=ITEM)
        assert differences.between(session, made.id, copy.id).changes == ()
    guide = client.get(f"/api/v1/catalogue/items/{ITEM}").get_json()
    while guide["version"] == 1:
        guide = client.get(f"/api/v1/catalogue/items/{ITEM}").get_json()
    assert ItemOut().validate(guide) == {}
    shown = guide["elements"] | {"trips_to_hall": guide["trips_to_hall"]}
    assert {name: shown[name] for name in wanted} == wanted
    assert guide["fee"]["basis"] == wanted["fee_basis"]
    assert guide["measured_duration"]["enough"] is False


def test_a_section_is_whole_or_refused(database: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        shape("fees", {"is_fee": "yes"})
    assert set(refused.value.fields) == {
        "content.is_fee",
        "content.pay_online",
        "content.fee_basis",
        "content.fee_lines",
    }
    with pytest.raises(NotFound):
        shape("weather", {})
