"""Asking, packing, changing one's mind, and what is kept of an address."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from auth.accounts.events import SubjectsMerged
from casework.cases import service as cases
from casework.cases.events import CaseDelivered, CaseWithdrawn
from casework.counter import service as counter
from casework.delivery import jobs, queries, service
from casework.delivery.errors import (
    AddressNotServed,
    AlreadyHandedOver,
    AlreadyRequested,
    NotDeliverable,
    SamePersonPacked,
)
from casework.delivery.rules import Incident, State
from casework.places.rules import hall_id
from core import clock
from core.actors import Citizen
from core.db import transaction
from core.errors import InvalidInput, NotFound, Problem, StateConflict
from tests.factories import auth as people
from tests.factories import cases as case_make
from tests.factories import delivery as make
from tests.factories.delivery import Hands

People = Callable[..., tuple[Any, dict[str, str]]]


def test_a_result_is_asked_for_from_acceptance_on(hands: Hands) -> None:
    """CR-1."""
    with transaction() as session:
        waiting = case_make.received(session, hands.owner, hands.packer)
        running = case_make.accepted(session, hands.owner, hands.packer)
        with pytest.raises(NotDeliverable):
            make.request(session, hands.owner, waiting.id)
        shipment = make.request(session, hands.owner, running.id)
    assert (shipment.state, shipment.receiver_name) == ("REQUESTED", "张三丰")
    assert shipment.receiver_phone.startswith("+86")
    assert case_make.messages(hands.owner.subject_id)[-1] == "DELIVERY_REQUESTED"


@pytest.mark.parametrize("item_id", ["NB-007", "NB-030"])
def test_some_results_are_never_sent(hands: Hands, item_id: str) -> None:
    """CR-1, CR-4: no result on paper; an old licence that must be given back."""
    with transaction() as session:
        case = case_make.accepted(session, hands.owner, hands.packer, item_id=item_id)
        with pytest.raises(NotDeliverable):
            make.request(session, hands.owner, case.id)


@pytest.mark.parametrize("region_code", ["710000", "810000", "820100"])
def test_addresses_that_are_not_served(hands: Hands, region_code: str) -> None:
    """CR-3."""
    case = make.ready(hands)
    with transaction() as session, pytest.raises(AddressNotServed):
        make.request(session, hands.owner, case.id, region_code=region_code)


def test_a_foreign_case_is_as_good_as_missing(hands: Hands, citizen: People) -> None:
    stranger, _ = citizen(level=3)
    shipment = make.requested(hands)
    for case_id, shipment_id in ((shipment.case_id, shipment.id), (uuid4(), uuid4())):
        with transaction() as session:
            with pytest.raises(NotFound):
                make.request(session, stranger, case_id)
            with pytest.raises(NotFound):
                queries.owned(session, shipment_id, stranger.subject_id)
            with pytest.raises(NotFound):
                service.change_to_pickup(session, actor=stranger, shipment_id=shipment_id)
            with pytest.raises(NotFound):
                service.change_address(session, actor=stranger, shipment_id=shipment_id, address=make.ADDRESS)


def test_a_result_is_asked_for_once(hands: Hands) -> None:
    shipment = make.requested(hands)
    with transaction() as session:
        with pytest.raises(AlreadyRequested):
            make.request(session, hands.owner, shipment.case_id)
        service.change_to_pickup(session, actor=hands.owner, shipment_id=shipment.id)
        again = make.request(session, hands.owner, shipment.case_id)
    assert again.number != shipment.number


def test_of_many_requests_at_once_one_is_kept(hands: Hands) -> None:
    case = make.ready(hands)

    def ask(_: int) -> str:
        try:
            with transaction() as session:
                make.request(session, hands.owner, case.id)
        except Problem as refusal:
            return refusal.code
        return "made"

    with ThreadPoolExecutor(6) as pool:
        answers = sorted(pool.map(ask, range(6)))
    assert answers == ["DELIVERY_ALREADY_REQUESTED"] * 5 + ["made"]


def test_the_courier_needs_a_phone(hands: Hands) -> None:
    with transaction() as session:
        card = people.resident_id()
        case = counter.accept_walk_in(
            session, actor=hands.packer, name="李奶奶", document=card, phone=None, item_id=case_make.ITEM, answers={}
        )
    quiet = Citizen(case.owner_id, uuid4(), 3, "H5")
    with transaction() as session:
        with pytest.raises(InvalidInput):
            make.request(session, quiet, case.id)
        assert make.request(session, quiet, case.id, phone="+8619900000002").receiver_phone == "+8619900000002"


def test_two_people_pack(hands: Hands) -> None:
    """CR-6, by rule and by the database."""
    shipment = make.requested(hands)
    with transaction() as session:
        with pytest.raises(StateConflict):
            service.seal(session, actor=hands.sealer, shipment_id=shipment.id)
        service.confirm(session, actor=hands.packer, shipment_id=shipment.id, items=make.PACKED)
        with pytest.raises(SamePersonPacked):
            service.seal(session, actor=hands.packer, shipment_id=shipment.id)
    with pytest.raises(IntegrityError, match="two_people"), transaction() as session:
        session.execute(text("UPDATE shipment SET sealed_by = packed_by"))
    with transaction() as session:
        sealed = service.seal(session, actor=hands.sealer, shipment_id=shipment.id)
        assert (sealed.state, sealed.pack_list) == ("CONFIRMED", [*make.PACKED])
        with pytest.raises(StateConflict):
            service.confirm(session, actor=hands.packer, shipment_id=shipment.id, items=make.PACKED)


def test_nothing_is_sealed_before_the_result_is_made(hands: Hands) -> None:
    with transaction() as session:
        case = case_make.accepted(session, hands.owner, hands.packer)
        shipment = make.request(session, hands.owner, case.id)
        service.confirm(session, actor=hands.packer, shipment_id=shipment.id, items=make.PACKED)
        with pytest.raises(StateConflict):
            service.seal(session, actor=hands.sealer, shipment_id=shipment.id)


def test_clerks_of_another_hall_find_nothing(hands: Hands, staff: People) -> None:
    shipment = make.requested(hands)
    for actor in (staff("FRONT_CLERK", hall_id=hall_id("NB-330203"))[0], staff("FRONT_CLERK")[0]):
        with transaction() as session:
            assert queries.page_for_staff(session, actor, {"limit": 20}).items == []
            with pytest.raises(NotFound):
                service.confirm(session, actor=actor, shipment_id=shipment.id, items=make.PACKED)
            with pytest.raises(NotFound):
                service.record_incident(session, actor=actor, shipment_id=shipment.id, outcome=Incident.LOST, note="x")


def test_changing_to_the_counter_until_the_hand_over(hands: Hands) -> None:
    """CR-1."""
    shipment = make.requested(hands)
    with transaction() as session:
        session.execute(text("UPDATE shipment SET state = 'HANDED_OVER'"))
    with transaction() as session:
        with pytest.raises(AlreadyHandedOver):
            service.change_to_pickup(session, actor=hands.owner, shipment_id=shipment.id)
        with pytest.raises(AlreadyHandedOver):
            service.change_address(session, actor=hands.owner, shipment_id=shipment.id, address=make.ADDRESS)


def test_the_address_is_changed_until_the_courier_is_asked(hands: Hands) -> None:
    shipment = make.sealed(hands)
    with transaction() as session:
        elsewhere = make.ADDRESS | {"street": "福明街道"}
        service.change_address(session, actor=hands.owner, shipment_id=shipment.id, address=elsewhere)
        with pytest.raises(AddressNotServed):
            service.change_address(
                session, actor=hands.owner, shipment_id=shipment.id, address=make.ADDRESS | {"region_code": "810000"}
            )
        assert service.begin_order(session, shipment.id) is not None
    with transaction() as session, pytest.raises(AlreadyHandedOver):
        service.change_address(session, actor=hands.owner, shipment_id=shipment.id, address=make.ADDRESS)
    assert make.fresh(shipment).address_street == "福明街道"


@pytest.mark.parametrize("event", [CaseWithdrawn, CaseDelivered])
def test_a_case_that_is_over_needs_no_delivery(hands: Hands, run_jobs: Callable[..., None], event: Any) -> None:
    shipment = make.requested(hands)
    with transaction() as session:
        service.on_case_closed(session, event(shipment.case_id, shipment.owner_id))
    run_jobs()
    assert make.moves(shipment) == ["REQUESTED", "CANCELLED"]
    jobs.end_request(str(shipment.case_id))
    assert make.moves(shipment) == ["REQUESTED", "CANCELLED"]


def test_a_parcel_under_way_is_not_called_back(hands: Hands) -> None:
    shipment = make.requested(hands)
    with transaction() as session:
        session.execute(text("UPDATE shipment SET state = 'IN_TRANSIT'"))
    jobs.end_request(str(shipment.case_id))
    assert make.fresh(shipment).state == "IN_TRANSIT"


@pytest.mark.parametrize("outcome", list(Incident))
def test_a_parcel_that_does_not_arrive(hands: Hands, outcome: Incident) -> None:
    """CR-9, CR-10: recorded by a clerk, told to the citizen; the result can be sent again or collected."""
    shipment = make.requested(hands)
    with transaction() as session:
        with pytest.raises(StateConflict):
            service.record_incident(session, actor=hands.packer, shipment_id=shipment.id, outcome=outcome, note="太早")
        session.execute(text("UPDATE shipment SET state = 'IN_TRANSIT'"))
    with transaction() as session:
        service.record_incident(session, actor=hands.packer, shipment_id=shipment.id, outcome=outcome, note="网点来电")
    assert case_make.messages(hands.owner.subject_id)[-1] == "DELIVERY_PROBLEM"
    with transaction() as session:
        noted = session.execute(text("SELECT note FROM shipment_history ORDER BY id DESC LIMIT 1")).scalar_one()
        assert make.request(session, hands.owner, shipment.case_id).state == State.REQUESTED
    assert noted == "网点来电"


def test_history_is_never_changed(hands: Hands) -> None:
    make.requested(hands)
    for change in ("UPDATE shipment_history SET note = 'x'", "DELETE FROM shipment_history"):
        with pytest.raises(DBAPIError, match="never changed"), transaction() as session:
            session.execute(text(change))


def test_who_and_where_are_ciphered(hands: Hands) -> None:
    make.requested(hands)
    with transaction() as session:
        row = session.execute(
            text(
                "SELECT receiver_name || receiver_phone || address_street || address_detail || callback_salt AS all_of_it"
                " FROM shipment"
            )
        ).one()
    for personal in ("张三丰", "+86199", make.ADDRESS["street"], make.ADDRESS["detail"]):
        assert personal.encode() not in bytes(row.all_of_it)


def test_addresses_are_forgotten_after_180_days(hands: Hands) -> None:
    """P-6, however the way ended; a live one is kept."""
    ended, live = make.requested(hands), make.requested(hands)
    with transaction() as session:
        service.change_to_pickup(session, actor=hands.owner, shipment_id=ended.id)
    with clock.shift(timedelta(days=179)):
        jobs.forget_addresses()
    assert make.fresh(ended).address_detail == make.ADDRESS["detail"]
    with clock.shift(timedelta(days=181)):
        jobs.forget_addresses()
        jobs.forget_addresses()
    forgotten = make.fresh(ended)
    assert (forgotten.address_street, forgotten.address_detail, forgotten.receiver_phone) == ("", "", "")
    assert make.fresh(live).address_detail == make.ADDRESS["detail"]


def test_two_people_found_to_be_one_share_their_parcels(hands: Hands) -> None:
    shipment = make.requested(hands)
    with transaction() as session:
        kept = people.make_citizen(session, level=2)
        service.move_owner(session, SubjectsMerged(kept=kept.subject_id, absorbed=hands.owner.subject_id))
    with transaction() as session:
        assert queries.owned(session, shipment.id, kept.subject_id).id == shipment.id


def test_a_sensitive_matter_is_not_named(hands: Hands, staff: People) -> None:
    """3.17: 护照."""
    with transaction() as session:
        case = case_make.accepted(session, hands.owner, hands.packer, item_id="NB-052")
        make.request(session, hands.owner, case.id)
    assert "护照" not in case_make.texts(hands.owner.subject_id)


def test_collecting_ends_the_case_while_a_request_waits(hands: Hands) -> None:
    """The clerk gives the result out; the request that is left is no obstacle."""
    shipment = make.requested(hands)
    with transaction() as session:
        card = case_make.document_of(session, hands.owner)
        cases.collect(session, actor=hands.packer, case_id=shipment.case_id, document=card)
    jobs.end_request(str(shipment.case_id))
    assert make.fresh(shipment).state == "CANCELLED"
