"""The delivery code: who may say it, how often, and what it proves (CR-7)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from casework.delivery.errors import DeliveryCodeWrong
from casework.delivery.models import Shipment
from casework.delivery.ports import IdentityReport, TrackReport
from casework.delivery.rules import Event, Kind
from casework.delivery.tracking import service
from core import clock
from core.db import transaction
from core.errors import NotFound, RateLimited, StateConflict
from tests.factories import cases
from tests.factories import delivery as make
from tests.factories.delivery import Hands
from tests.sandbox_client import Sandbox


@pytest.fixture
def parcel(hands: Hands, sandbox: Sandbox) -> Shipment:
    """One that is out for delivery; its code has been sent."""
    shipment = make.ordered(hands)
    _report(shipment, (Kind.OUT,))
    return make.fresh(shipment)


def _report(shipment: Shipment, kinds: Sequence[Kind], identity: IdentityReport | None = None) -> Shipment:
    """The carrier's whole list: each kind one second after the other, as a new report."""
    events = [
        Event(at=shipment_start(shipment) + timedelta(seconds=second), code=kind.value, place="宁波", kind=kind)
        for second, kind in enumerate(kinds)
    ]
    with transaction() as session:
        service.apply_track(session, shipment.id, TrackReport(shipment.waybill or "", events, identity=identity))
    return make.fresh(shipment)


def shipment_start(shipment: Shipment) -> datetime:
    assert shipment.ordered_at is not None
    return shipment.ordered_at.replace(microsecond=0)


def _check(code: str, *, ok: bool = True, second: int = 1) -> IdentityReport:
    return IdentityReport(ok, code, clock.day_start(clock.today()) + timedelta(seconds=second))


def _wrong(code: str, turn: int = 0) -> str:
    return f"{(int(code) + 1 + turn) % 1_000_000:06d}"


DOOR = (Kind.OUT, Kind.SIGNED)


def test_the_code_is_six_digits_and_only_its_hash_is_kept(parcel: Shipment) -> None:
    code = make.code_of(parcel)
    assert len(code) == 6
    assert parcel.code_hash is not None
    assert code.encode() not in parcel.code_hash
    assert cases.messages(parcel.owner_id)[-2:] == ["DELIVERY_OUT", "DELIVERY_CODE"]


def test_the_right_code_at_the_door_is_the_delivery(parcel: Shipment) -> None:
    """CR-11: the legal time is that of the signature."""
    delivered = _report(parcel, DOOR, _check(make.code_of(parcel)))
    assert (delivered.state, delivered.code_hash) == ("DELIVERED", None)
    assert delivered.delivered_at == shipment_start(parcel) + timedelta(seconds=1)
    assert cases.row(parcel.case_id).state == "DELIVERED"


def test_a_signature_without_a_check_is_unverified(parcel: Shipment) -> None:
    assert _report(parcel, DOOR).state == "SIGNED_UNVERIFIED"
    assert cases.messages(parcel.owner_id)[-1] == "DELIVERY_PROBLEM"
    assert cases.row(parcel.case_id).state == "ISSUING"


def test_a_check_that_comes_after_the_signature_counts(parcel: Shipment) -> None:
    _report(parcel, DOOR)
    assert _report(parcel, DOOR, _check(make.code_of(parcel))).state == "DELIVERED"


@pytest.mark.parametrize("ok", [True, False])
def test_a_failed_check_is_flagged(parcel: Shipment, ok: bool) -> None:
    code = make.code_of(parcel)
    found = _report(parcel, DOOR, _check(_wrong(code) if ok else code, ok=ok))
    assert (found.state, found.flags) == ("SIGNED_UNVERIFIED", ["IDENTITY_FAILED"])


def test_five_wrong_codes_and_the_right_one_is_too_late(parcel: Shipment) -> None:
    code = make.code_of(parcel)
    for turn in range(5):
        _report(parcel, DOOR, _check(_wrong(code, turn), second=turn))
    found = _report(parcel, DOOR, _check(code, second=9))
    assert (found.state, found.code_tries) == ("SIGNED_UNVERIFIED", 5)


def test_a_wrong_code_that_is_sent_again_and_again_is_one_try(parcel: Shipment) -> None:
    """CR-14: the carrier sends the check along with every later report."""
    code = make.code_of(parcel)
    for length in range(1, 9):
        _report(parcel, (Kind.OUT,) + (Kind.ATTEMPT_FAILED, Kind.OUT) * length, _check(_wrong(code)))
    assert make.fresh(parcel).code_tries == 1
    done = _report(parcel, (*DOOR,), _check(code, second=2))
    assert done.identity_ok_at is not None


def test_a_code_is_good_for_seven_days(parcel: Shipment) -> None:
    code = make.code_of(parcel)
    with clock.shift(timedelta(days=7, minutes=1)):
        assert _report(parcel, DOOR, _check(code)).state == "SIGNED_UNVERIFIED"


def test_a_second_attempt_keeps_the_code(parcel: Shipment) -> None:
    code = make.code_of(parcel)
    _report(parcel, (Kind.OUT, Kind.ATTEMPT_FAILED, Kind.OUT))
    assert make.fresh(parcel).codes_sent == 1
    assert _report(parcel, (Kind.OUT, Kind.ATTEMPT_FAILED, *DOOR), _check(code)).state == "DELIVERED"


def test_a_new_code_ends_the_former(parcel: Shipment, hands: Hands) -> None:
    former = make.code_of(parcel)
    with transaction() as session:
        service.resend_code(session, actor=hands.owner, shipment_id=parcel.id)
    renewed = make.code_of(parcel)
    assert renewed != former
    assert _report(parcel, DOOR, _check(former)).state == "SIGNED_UNVERIFIED"
    assert _report(parcel, DOOR, _check(renewed, second=2)).state == "DELIVERED"


def test_codes_are_sent_again_three_times_an_hour(parcel: Shipment, hands: Hands) -> None:
    for _ in range(3):
        with transaction() as session:
            service.resend_code(session, actor=hands.owner, shipment_id=parcel.id)
    with transaction() as session, pytest.raises(RateLimited):
        service.resend_code(session, actor=hands.owner, shipment_id=parcel.id)


def test_a_stranger_does_not_use_up_the_codes(parcel: Shipment, hands: Hands) -> None:
    stranger = hands.owner.__class__(parcel.id, parcel.id, 3, "APP")
    for _ in range(5):
        with transaction() as session, pytest.raises(NotFound):
            service.resend_code(session, actor=stranger, shipment_id=parcel.id)
    with transaction() as session:
        service.resend_code(session, actor=hands.owner, shipment_id=parcel.id)


def test_no_code_before_the_parcel_is_out(hands: Hands) -> None:
    shipment = make.requested(hands)
    with transaction() as session, pytest.raises(StateConflict):
        service.resend_code(session, actor=hands.owner, shipment_id=shipment.id)


def test_a_clerk_follows_an_unverified_signature_up(parcel: Shipment, hands: Hands) -> None:
    code = make.code_of(parcel)
    with transaction() as session, pytest.raises(StateConflict):
        service.verify_identity(session, actor=hands.packer, shipment_id=parcel.id, code=code, note="尚未签收")
    _report(parcel, DOOR)
    with transaction() as session:
        found = service.verify_identity(
            session, actor=hands.packer, shipment_id=parcel.id, code=code, note="本人来电"
        ).insist()
    assert found.state == "DELIVERED"
    assert found.delivered_at == shipment_start(parcel) + timedelta(seconds=1)
    with transaction() as session:
        actor = session.execute(text("SELECT actor FROM shipment_history ORDER BY id DESC LIMIT 1")).scalar_one()
    assert actor == hands.packer.audit_id


def test_wrong_codes_on_the_phone_are_counted_although_they_are_refused(parcel: Shipment, hands: Hands) -> None:
    """Five tries in all, at the door and on the phone together."""
    code = make.code_of(parcel)
    _report(parcel, DOOR, _check(_wrong(code)))
    for turn in range(4):
        with transaction() as session:
            tried = service.verify_identity(
                session, actor=hands.packer, shipment_id=parcel.id, code=_wrong(code, turn), note="来电"
            )
        with pytest.raises(DeliveryCodeWrong):
            tried.insist()
    assert make.fresh(parcel).code_tries == 5
    with transaction() as session:
        late = service.verify_identity(session, actor=hands.packer, shipment_id=parcel.id, code=code, note="来电")
    assert not late.right
    with transaction() as session:
        results = session.execute(
            text("SELECT result FROM audit_entry WHERE action = 'shipment.identity_verified' ORDER BY seq")
        ).scalars()
        assert list(results) == ["wrong_code"] * 5


def test_a_parcel_that_goes_back_after_its_delivery(parcel: Shipment) -> None:
    """CR-14: a final state is left by RETURNING only."""
    code = make.code_of(parcel)
    _report(parcel, DOOR, _check(code))
    assert _report(parcel, (*DOOR, Kind.MOVED)).state == "DELIVERED"
    assert _report(parcel, (*DOOR, Kind.MOVED, Kind.RETURNING)).state == "RETURNING"


def test_a_cancelled_parcel_is_not_moved_by_reports(hands: Hands, sandbox: Sandbox) -> None:
    shipment = make.ordered(hands)
    with transaction() as session:
        session.execute(text("UPDATE shipment SET state = 'CANCELLED'"))
    assert _report(shipment, (Kind.COLLECTED,)).state == "CANCELLED"
