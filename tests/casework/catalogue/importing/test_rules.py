"""What is wrong with a document is found, all of it, and what it leaves unsaid is filled in as the city decided."""

from collections.abc import Callable
from typing import Any

import pytest

from casework.catalogue import service
from casework.catalogue.importing.rules import faults, questions
from casework.catalogue.rules import MaterialForm, RecipientPolicy
from tests.factories import catalogue


def found(*item_ids: str, change: Callable[[dict[str, Any]], object]) -> list[str]:
    document = catalogue.document(*item_ids, change=change)
    return [str(fault) for fault in faults(document, service.sample_beside().policies)]


def test_the_sample_has_no_fault() -> None:
    assert found(change=lambda _document: None) == []


def first(document: dict[str, Any]) -> dict[str, Any]:
    item: dict[str, Any] = document["items"][0]
    return item


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda d: d["items"].append(d["items"][0]), "items: NB-002 is there 2 times"),
        (lambda d: d["counts"].update(items=7), "counts.items"),
        (lambda d: first(d).update(zone_code="Z9"), "items.0.zone_code"),
        (lambda d: first(d).update(zone_name="交通运输"), "items.0.zone_name"),
        (lambda d: first(d).update(authority_2017="宁波市某局"), "items.0.authority_2017"),
        (lambda d: first(d).update(joint_topics=["NONE"]), "items.0.joint_topics"),
        (lambda d: first(d)["promised_limit"].update(value=5), "items.0.promised_limit: 0 is for"),
        (
            lambda d: first(d).update(case_type_code="2", promised_limit={"value": 31, "unit": "WORKDAY", "note": ""}),
            "items.0.promised_limit: longer than the law",
        ),
        (lambda d: first(d)["materials"].pop(0), "items.0.materials: not numbered"),
        (
            lambda d: [paper.update(necessity="非必要(情形触发)") for paper in first(d)["materials"]],
            "items.0.materials: some situation",
        ),
        (lambda d: first(d)["materials"][1].update(licence_key="NONE"), "items.0.materials.1.licence_key"),
        (lambda d: first(d)["materials"][1].update(licence_name="护照"), "items.0.materials.1.licence_name"),
        (lambda d: first(d)["materials"][0].update(waivable=True), "items.0.materials.0.waivable"),
        (lambda d: first(d)["fee"].update(is_fee=False), "items.0.fee.is_fee"),
        (lambda d: first(d)["fee"]["lines"][0].update(formula="AREA"), "items.0.fee.lines.0"),
        (lambda d: first(d)["fee"]["lines"][3].update(prepayable=True), "items.0.fee.lines.3.prepayable: tax"),
        (lambda d: d["lookups"]["zones"].append(d["lookups"]["zones"][0]), "lookups.zones: Z1 is there 2 times"),
        (
            lambda d: d["lookups"]["app_tiles"][3].update(authority_2017="宁波市某局"),
            "lookups.app_tiles.3.authority_2017",
        ),
        (lambda d: d["lookups"]["joint_topics"][0].update(after_days=101), "lookups.joint_topics.0.after_days"),
    ],
)
def test_one_fault_is_told_with_its_place(change: Callable[[dict[str, Any]], object], path: str) -> None:
    told = found("NB-002", change=change)
    assert any(fault.startswith(path) for fault in told), told


def test_all_faults_are_told_at_once() -> None:
    def change(document: dict[str, Any]) -> None:
        for item in document["items"]:
            item["zone_code"] = "Z9"

    assert len(found("NB-001", "NB-002", "NB-003", change=change)) == 3


def test_a_promise_in_calendar_days_may_be_compared_only_where_it_must_be_longer() -> None:
    def change(law: int, unit: str, promise: int, promise_unit: str) -> Callable[[dict[str, Any]], object]:
        return lambda document: first(document).update(
            case_type_code="2",
            legal_limit={"value": law, "unit": unit, "note": ""},
            promised_limit={"value": promise, "unit": promise_unit, "note": ""},
        )

    assert found("NB-002", change=change(20, "NATURAL_DAY", 21, "WORKDAY"))
    assert not found("NB-002", change=change(20, "NATURAL_DAY", 20, "WORKDAY"))
    assert not found("NB-002", change=change(20, "WORKDAY", 25, "NATURAL_DAY"))
    assert not found("NB-002", change=change(0, "WORKDAY", 25, "WORKDAY"))


def test_every_conditional_paper_of_the_sample_has_worded_questions() -> None:
    beside = service.sample_beside()
    for item_id, content in catalogue.contents().items():
        conditional = {str(paper["no"]) for paper in content.materials if paper["condition"]}
        assert conditional == set(beside.wording.get(item_id, {})), item_id
        for question in content.questions:
            assert ("是否" in question["text"]) == (
                len(question["options"]) == 2 and question["options"][0]["value"] == "yes"
            )


def test_a_paper_without_wording_asks_by_its_name_and_papers_may_share_a_question() -> None:
    item = {
        "materials": [
            {"material_no": 1, "name": "申请书", "necessity": "必要"},
            {"material_no": 2, "name": "委托书", "necessity": "非必要(情形触发)"},
            {"material_no": 3, "name": "代理人证件", "necessity": "非必要(情形触发)"},
            {"material_no": 4, "name": "照片", "necessity": "非必要(情形触发)"},
        ]
    }
    agent = {"key": "agent", "text": "是否委托他人？"}
    asked, conditions = questions(item, {"2": agent, "3": agent})
    assert [(row["key"], row["position"], row["text"]) for row in asked] == [
        ("agent", 1, "是否委托他人？"),
        ("material_4", 2, "是否属于需要提交“照片”的情形？"),
    ]
    assert conditions == {2: "agent", 3: "agent", 4: "material_4"}


@pytest.mark.parametrize("item_id", ["NB-002", "NB-009", "NB-052", "NB-053", "NB-100", "NB-101"])
def test_passport_property_certificate_and_marriage_papers_go_to_nobody_else(item_id: str) -> None:
    """CR-2."""
    assert catalogue.contents()[item_id].row["recipient_policy"] == RecipientPolicy.SELF_ONLY


@pytest.mark.parametrize("item_id", ["NB-028", "NB-092", "NB-064", "NB-006"])
def test_other_results_may_go_to_a_proxy(item_id: str) -> None:
    """CR-2."""
    assert catalogue.contents()[item_id].row["recipient_policy"] == RecipientPolicy.PROXY


def test_marriage_credit_and_police_matters_are_sensitive() -> None:
    """3.17."""
    sensitive = {item_id for item_id, content in catalogue.contents().items() if content.row["sensitive"]}
    assert {"NB-100", "NB-101", "NB-099", "NB-063", "NB-057", "NB-109"} <= sensitive
    assert not sensitive & {"NB-002", "NB-028", "NB-046", "NB-092"}


def test_who_comes_shows_the_original_of_papers_that_no_data_replace() -> None:
    home = {paper["no"]: paper for paper in catalogue.contents()["NB-002"].materials}
    assert home[1]["original_required"]
    assert not home[2]["original_required"]  # replaced by the e-licence
    for content in catalogue.contents().values():
        for paper in content.materials:
            if paper["form"] == MaterialForm.ELECTRONIC or content.row["trips_to_hall"] == 0:
                assert not paper["original_required"]


def test_departments_are_found_even_when_the_document_shortens_their_names() -> None:
    departments = {
        item_id: catalogue.contents()[item_id].row["department_id"] for item_id in ("NB-002", "NB-026", "NB-079")
    }
    assert departments == {"NB-002": "D11", "NB-026": "D15", "NB-079": "D16"}
