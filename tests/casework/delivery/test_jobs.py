"""Ordering the courier, calling it off, asking it: at the sandbox, with answers that get lost."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from casework.cases import service as cases
from casework.delivery import jobs, service
from casework.delivery.errors import AlreadyHandedOver
from core import clock
from core.db import transaction
from core.ports import PartnerUnavailable
from tests.factories import cases as case_make
from tests.factories import delivery as make
from tests.factories.delivery import Hands
from tests.sandbox_client import Sandbox


def test_sealing_orders_the_courier_and_subscribes(
    hands: Hands, sandbox: Sandbox, run_jobs: Callable[..., None]
) -> None:
    shipment = make.sealed(hands)
    run_jobs()
    (parcel,) = make.parcels(sandbox)
    ordered = make.fresh(shipment)
    assert (ordered.state, ordered.waybill) == ("ORDERED", parcel["waybill"])
    assert (parcel["order"]["third_order_id"], parcel["subscription"]) == (shipment.number, "polling")
    assert make.moves(shipment) == ["REQUESTED", "CONFIRMED", "ORDERED"]
    assert case_make.messages(hands.owner.subject_id)[-1] == "DELIVERY_ORDERED"


def test_the_carrier_learns_who_and_where_and_nothing_else(hands: Hands, sandbox: Sandbox) -> None:
    """CR-6, CR-17: no matter, no case, no ID number."""
    shipment = make.ordered(hands)
    told = str(make.parcels(sandbox)[0]["order"])
    assert "张三丰" in told
    assert make.ADDRESS["detail"] in told
    with transaction() as session:
        number = case_make.document_of(session, hands.owner).number
    for secret in ("不动产权", "遗失", number, case_make.row(shipment.case_id).number, shipment.matter_name):
        assert secret not in told


@pytest.mark.parametrize("fault", ["drop_response_after_effect", "timeout", "error", "garbage"])
def test_a_lost_answer_leads_to_one_order(hands: Hands, sandbox: Sandbox, fault: str) -> None:
    """Asked again with our number, the carrier names the order that it has."""
    shipment = make.sealed(hands)
    more = {"value": 0} if fault == "timeout" else {}
    sandbox.fault("kuaidi100", fault, path="borderapi", **more)
    with pytest.raises(PartnerUnavailable):
        jobs.place_order(str(shipment.id))
    assert make.fresh(shipment).state == "CONFIRMED"
    jobs.place_order(str(shipment.id))
    jobs.place_order(str(shipment.id))
    assert [parcel["waybill"] for parcel in make.parcels(sandbox)] == [make.fresh(shipment).waybill]
    assert make.moves(shipment) == ["REQUESTED", "CONFIRMED", "ORDERED"]


def test_the_worker_tries_a_lost_order_again(hands: Hands, sandbox: Sandbox, run_jobs: Callable[..., None]) -> None:
    shipment = make.sealed(hands)
    sandbox.fault("kuaidi100", "error", path="borderapi")
    run_jobs()
    with transaction() as session:
        waiting = session.execute(
            text(
                "SELECT attempts, scheduled_at > now() AS later FROM procrastinate_jobs"
                " WHERE task_name = 'delivery.place_order' AND status = 'todo'"
            )
        ).one()
        assert tuple(waiting) == (1, True)
        session.execute(text("UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE status = 'todo'"))
    run_jobs()
    assert make.fresh(shipment).state == "ORDERED"
    assert len(make.parcels(sandbox)) == 1


def test_an_order_whose_answer_is_lost_keeps_its_address(hands: Hands, sandbox: Sandbox) -> None:
    """The label may be printed: what the carrier was asked for is not changed behind its back."""
    shipment = make.sealed(hands)
    sandbox.fault("kuaidi100", "drop_response_after_effect", path="borderapi")
    with pytest.raises(PartnerUnavailable):
        jobs.place_order(str(shipment.id))
    with transaction() as session, pytest.raises(AlreadyHandedOver):
        service.change_address(session, actor=hands.owner, shipment_id=shipment.id, address=make.ADDRESS)


def test_an_address_that_the_carrier_refuses_can_be_changed(
    hands: Hands, sandbox: Sandbox, run_jobs: Callable[..., None]
) -> None:
    shipment = make.sealed(hands)
    sandbox.fault("kuaidi100", "error", path="borderapi", value="400")
    run_jobs()
    refused = make.fresh(shipment)
    assert (refused.state, refused.flags) == ("CONFIRMED", ["ORDER_REFUSED"])
    assert case_make.messages(hands.owner.subject_id)[-1] == "DELIVERY_PROBLEM"
    with transaction() as session:
        service.change_address(
            session, actor=hands.owner, shipment_id=shipment.id, address=make.ADDRESS | {"street": "福明街道"}
        )
    run_jobs()
    ordered = make.fresh(shipment)
    assert (ordered.state, ordered.flags) == ("ORDERED", [])
    assert "福明街道" in str(make.parcels(sandbox)[0]["order"])


def test_changing_to_the_counter_before_the_order(
    hands: Hands, sandbox: Sandbox, run_jobs: Callable[..., None]
) -> None:
    shipment = make.sealed(hands)
    with transaction() as session:
        service.change_to_pickup(session, actor=hands.owner, shipment_id=shipment.id)
    run_jobs()
    assert make.parcels(sandbox) == []
    assert make.fresh(shipment).state == "CANCELLED"


def test_changing_to_the_counter_calls_the_courier_off(
    hands: Hands, sandbox: Sandbox, run_jobs: Callable[..., None]
) -> None:
    shipment = make.ordered(hands)
    with transaction() as session:
        service.change_to_pickup(session, actor=hands.owner, shipment_id=shipment.id)
    run_jobs()
    assert make.parcels(sandbox)[0]["order"]["status"] == 9
    assert make.moves(shipment)[-1] == "CANCELLED"


def test_an_order_that_got_lost_is_found_and_called_off(
    hands: Hands, sandbox: Sandbox, run_jobs: Callable[..., None]
) -> None:
    """The answer was lost, then the citizen changed to collection: no courier may come."""
    shipment = make.sealed(hands)
    sandbox.fault("kuaidi100", "drop_response_after_effect", path="borderapi")
    with pytest.raises(PartnerUnavailable):
        jobs.place_order(str(shipment.id))
    with transaction() as session:
        service.change_to_pickup(session, actor=hands.owner, shipment_id=shipment.id)
    run_jobs()
    (parcel,) = make.parcels(sandbox)
    assert parcel["order"]["status"] == 9
    assert make.fresh(shipment).state == "CANCELLED"


def test_a_courier_who_will_not_be_called_off_is_flagged(hands: Hands, sandbox: Sandbox) -> None:
    shipment = make.ordered(hands)
    with transaction() as session:
        service.change_to_pickup(session, actor=hands.owner, shipment_id=shipment.id)
    sandbox.fault("kuaidi100", "error", path="borderapi", value="400")
    jobs.call_off(str(shipment.id))
    assert make.fresh(shipment).flags == ["CALL_OFF_REFUSED"]


def test_calling_off_what_was_never_ordered_asks_nobody(hands: Hands, sandbox: Sandbox) -> None:
    shipment = make.requested(hands)
    jobs.call_off(str(shipment.id))
    assert sandbox.get("calls.json", partner="kuaidi100")["calls"] == []


def test_a_silent_parcel_is_asked_for_after_a_day(
    hands: Hands, sandbox: Sandbox, run_jobs: Callable[..., None]
) -> None:
    """CR-16: the pushes are lost, the query finds what happened."""
    shipment = make.ordered(hands)
    sandbox.post("kuaidi100/advance", waybill=shipment.waybill, script="to_the_door")
    jobs.pull_quiet()
    run_jobs()
    assert make.fresh(shipment).state == "ORDERED"
    with clock.shift(timedelta(hours=25)):
        jobs.pull_quiet()
        jobs.pull_quiet()
        run_jobs()
        jobs.pull_quiet()
    assert make.fresh(shipment).state == "OUT_FOR_DELIVERY"
    with transaction() as session:
        asked = session.execute(text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'delivery.pull'"))
        assert asked.scalar_one() == 1


def test_a_parcel_of_which_nothing_is_known_stays(hands: Hands, sandbox: Sandbox) -> None:
    shipment = make.ordered(hands)
    jobs.pull(str(shipment.id))
    assert make.fresh(shipment).state == "ORDERED"


def test_the_way_to_the_door_ends_the_case(hands: Hands, sandbox: Sandbox) -> None:
    """CR-7, CR-11: the time of the checked signature is that of legal service."""
    shipment = make.ordered(hands)
    sandbox.post("kuaidi100/advance", waybill=shipment.waybill, script="to_the_door")
    jobs.pull(str(shipment.id))
    code = make.code_of(shipment)
    sandbox.post("kuaidi100/advance", waybill=shipment.waybill, state="signed", delivery_code=code)
    jobs.pull(str(shipment.id))
    jobs.pull(str(shipment.id))
    delivered = make.fresh(shipment)
    assert (delivered.state, delivered.flags, delivered.code_hash) == ("DELIVERED", [], None)
    case = case_make.row(shipment.case_id)
    assert (case.state, case.delivered_at) == ("DELIVERED", delivered.delivered_at)
    told = case_make.messages(hands.owner.subject_id)
    assert told[-4:] == ["DELIVERY_ORDERED", "DELIVERY_OUT", "DELIVERY_CODE", "DELIVERY_DELIVERED"]
    with transaction() as session:
        cases.on_result_delivered(session, shipment.case_id, clock.now())
    assert case_make.row(shipment.case_id).delivered_at == delivered.delivered_at
