"""Objects of the staff routes that belong to a hall or a department: cases, papers, numbers in the queue, parcels."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from casework.cases import service as cases_service
from casework.places.models import ServiceWindow
from casework.places.rules import hall_id
from casework.prereview.rules import Reason
from casework.queue import service as queue
from core import clock, numbers
from core.db import transaction
from core.numbers import Kind
from tests.cross_access.registry import Target, entry
from tests.cross_access.world import World
from tests.factories import appointments, cases, delivery, prereview
from tests.factories.catalogue import CITY_HALL

_CASE_BODIES: dict[str, Any] = {
    "not_accept": {"reason": "不属于本机关职权", "clause": "行政许可法第三十二条"},
    "correction": {"defects": ["缺身份证明"]},
    "request_correction": {"defects": ["缺身份证明"]},
    "choose_hall": {"hall_id": str(hall_id("NB-330203"))},
    "suspend": {"name": "现场勘查", "reason": "需要现场勘查"},
    "extend": {"workdays": 3, "reason": "情况复杂"},
    "decide": {"granted": True},
    "conclude": {"result_name": "不动产权证书", "result_number": "浙(2026)宁波市不动产权第0000001号"},
}


@entry(*(
    f"staff_cases.{act}"
    for act in (
        "get_case", "accept", "choose_hall", "collect", "conclude", "request_correction", "decide", "extend", "issue", "not_accept",
        "resume", "suspend",
    )
))  # fmt: skip
def a_case(world: World, endpoint: str) -> Target:
    owner, act = world.owner(), endpoint.split(".")[1]
    clerk, officer = world.clerk[0], world.officer[0]
    with transaction() as session:
        if act in {"accept", "not_accept", "request_correction"}:
            case = cases.received(session, owner.actor, clerk)
        elif act in {"conclude", "issue"}:
            case = cases.granted(session, owner.actor, clerk, officer)
        elif act == "collect":
            case = cases.ready(session, owner.actor, clerk, officer)
        else:
            case = cases.accepted(session, owner.actor, clerk)
        if act == "issue":
            cases_service.conclude(session, actor=officer, case_id=case.id, **_CASE_BODIES["conclude"])
        if act == "resume":
            cases_service.suspend(session, actor=officer, case_id=case.id, **_CASE_BODIES["suspend"])
    may = {
        "extend": world.staff("DEPARTMENT_MANAGER"),
        **dict.fromkeys(
            ("accept", "choose_hall", "collect", "get_case", "not_accept", "request_correction", "issue"), world.clerk
        ),
    }.get(act, world.officer)
    body = _CASE_BODIES.get(act)
    if act == "collect":
        body = {"document_type": owner.document.type.value, "document_number": owner.document.number}
    return Target({"case_id": case.id}, may[1], body)


@entry(*(
    f"staff_prereview.{act}"
    for act in (
        "get_prereview", "get_by_number", "get_file", "claim", "release", "give_verdict", "allow_second_defect",
        "add_note", "conclude", "reject", "transfer",
    )
))  # fmt: skip
def papers(world: World, endpoint: str) -> Target:
    owner, act, clerk = world.owner(), endpoint.split(".")[1], world.clerk[0]
    body: Any = {
        "claim": {},
        "give_verdict": {"verdict": "QUALIFIED"},
        "allow_second_defect": {"reason": "新发现材料过期"},
        "add_note": {"text": "已电话联系"},
        "reject": {"right_body": "宁波市公积金中心", "reason": "不属于本中心"},
        "transfer": {"hall_id": str(world.other_hall), "reason": "就近办理"},
    }.get(act)
    with transaction() as session:
        if act in {"claim", "get_prereview"}:
            made = prereview.submitted(session, owner.actor)
        elif act == "get_by_number":
            made = prereview.passed(session, owner.actor, clerk)
        elif act == "allow_second_defect":
            made = prereview.needs_change(session, owner.actor, clerk, {1: Reason.BLURRED})
        else:
            made = prereview.claimed(session, owner.actor, clerk)
            if act == "conclude":
                prereview.judge(session, clerk, made)
        file_id = next(file.file_id for material in made.listed for file in material.all_files)
    may = world.staff("SUPERVISOR") if act == "allow_second_defect" else world.clerk
    more: dict[str, Any] = {"no": 1} if act in {"give_verdict", "allow_second_defect"} else {}
    if act == "get_file":
        more["file_id"] = file_id
    if act == "get_by_number":
        number = str(made.number)
        with transaction() as session:
            absent = numbers.issue(session, Kind.PREREVIEW, clock.today())
        return Target(
            {"number": number},
            may[1],
            absent={"number": absent},
            citywide="any counter opens the QR code shown to it (S12, PR-11)",
        )
    # A defect is late from the second round on.
    return Target({"prereview_id": made.id, **more}, may[1], body, gets=409 if act == "allow_second_defect" else None)


@entry(*(f"staff_queue.{act}" for act in ("finish", "pass_over", "recall", "bring_back", "serve")))
def a_number(world: World, endpoint: str) -> Target:
    act, clerk = endpoint.split(".")[1], world.staff("FRONT_CLERK")[0]
    moment = appointments.at(9, 30)
    window = f"Z4-{len([key for key in world.kept if key.startswith('window')]) + 1:02d}"
    world.kept[f"window {window}"] = True
    with clock.at(moment), transaction() as session:
        queue.issue_walk_in(session, actor=clerk, zone_code="Z4", item_id=appointments.ITEM, priority=None)
        called = queue.call_next(session, actor=clerk, window_code=window)
        assert called is not None
        if act == "finish":
            queue.serve(session, actor=clerk, ticket_id=called.id)
    body = {"result": "ACCEPTED"} if act == "finish" else None
    target = Target({"ticket_id": called.id}, world.clerk[1], body, moment=moment)
    # Too early to call again, not called three times, not passed.
    target.gets = 409 if act in {"pass_over", "recall", "bring_back"} else None
    return target


@entry(*(f"staff_shipments.{act}" for act in ("confirm", "seal", "hand_over", "verify_identity", "record_incident")))
def a_parcel(world: World, endpoint: str) -> Target:
    act, hands = endpoint.split(".")[1], world.hands(world.owner())
    shipment = delivery.sealed(hands) if act in {"hand_over", "record_incident"} else delivery.requested(hands)
    body: Any = {
        "confirm": {"items": list(delivery.PACKED)},
        "verify_identity": {"code": "000000", "note": "电话核实"},
        "record_incident": {"outcome": "LOST", "note": "快递公司告知丢失"},
    }.get(act)
    target = Target({"shipment_id": shipment.id}, world.clerk[1], body)
    # The others wait for the pack, for the carrier, for a signature, for the parcel to be out.
    target.gets = None if act == "confirm" else 409
    return target


@entry("staff_places.set_window")
def a_window(world: World, endpoint: str) -> Target:
    with transaction() as session:
        window = session.scalars(
            select(ServiceWindow).where(ServiceWindow.hall_id == CITY_HALL, ServiceWindow.kind == "COMBINED")
        ).first()
        assert window is not None
    body = {"edit": window.edit, "state": "OPEN", "kind": "COMBINED"}
    return Target({"window_id": window.id}, world.staff("HALL_MANAGER")[1], body)
