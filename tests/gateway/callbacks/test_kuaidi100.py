"""快递100's reports (CR-13 to CR-16): each changes the parcel once, whatever is sent, however often, in whatever order."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from casework.delivery.models import Shipment
from core import clock
from core.db import transaction
from tests.factories import cases
from tests.factories import delivery as make
from tests.factories.catalogue import CITY_HALL
from tests.factories.delivery import Hands
from tests.sandbox_client import Sandbox

People = Callable[..., tuple[Any, dict[str, str]]]
Run = Callable[..., None]
OK = (200, '{"result":true,"returnCode":"200","message":"成功"}')


@pytest.fixture
def hands(citizen: People, staff: People) -> Hands:
    return Hands(
        citizen(level=3, name="张三丰")[0],
        staff("FRONT_CLERK", hall_id=CITY_HALL)[0],
        staff("FRONT_CLERK", hall_id=CITY_HALL)[0],
        staff("BACK_OFFICER", department_id=cases.DEPARTMENT)[0],
    )


@pytest.fixture
def parcel(hands: Hands, sandbox: Sandbox) -> Shipment:
    """One that is ordered and not yet collected."""
    return make.ordered(hands)


def _stored() -> list[tuple[str, str, int]]:
    with transaction() as session:
        rows = session.execute(text("SELECT state, note, arrivals FROM partner_callback ORDER BY received_at"))
        return [(row.state, row.note, row.arrivals) for row in rows]


def _events() -> int:
    with transaction() as session:
        return int(session.execute(text("SELECT count(*) FROM shipment_event")).scalar_one())


def _in(minutes: float) -> str:
    """A time as the carrier writes it."""
    moment: datetime = clock.local(clock.now() + timedelta(minutes=minutes))
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def _work(client: FlaskClient, run_jobs: Run, parcel: Shipment, *bodies: bytes) -> Shipment:
    """Send reports one after the other and work them in; the parcel then."""
    for body in bodies:
        assert make.deliver(client, parcel, body) == OK
        run_jobs()
    return make.fresh(parcel)


def test_a_report_is_stored_answered_and_worked_in(
    parcel: Shipment, client: FlaskClient, sandbox: Sandbox, run_jobs: Run
) -> None:
    body = make.advance(sandbox, parcel, state="picked_up")
    assert make.deliver(client, parcel, body) == OK
    assert _stored() == [("RECEIVED", "", 1)]
    assert make.fresh(parcel).state == "ORDERED"
    run_jobs()
    assert _stored() == [("DONE", "", 1)]
    moved = make.fresh(parcel)
    assert (moved.state, moved.handed_over_at is not None) == ("IN_TRANSIT", True)


def test_twenty_identical_reports_at_once_have_one_effect(
    parcel: Shipment, app: Flask, sandbox: Sandbox, run_jobs: Run
) -> None:
    body = make.advance(sandbox, parcel, script="to_the_door")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: make.deliver(app.test_client(), parcel, body), range(20)))
    assert answers == [OK] * 20
    run_jobs()
    assert _stored() == [("DONE", "", 20)]
    assert make.moves(parcel)[3:] == ["OUT_FOR_DELIVERY"]
    assert cases.messages(parcel.owner_id).count("DELIVERY_CODE") == 1
    assert make.fresh(parcel).codes_sent == 1


def test_reports_in_any_order_lead_to_the_same_place(
    parcel: Shipment, client: FlaskClient, sandbox: Sandbox, run_jobs: Run
) -> None:
    """PEERS 4.7: 签收 comes before 揽收. What is behind never draws the parcel back."""
    sandbox.post("kuaidi100/advance", waybill=parcel.waybill, script="deliver")
    bodies = make.reports(sandbox, parcel)
    assert len(bodies) >= 4
    last = _work(client, run_jobs, parcel, *reversed(bodies))
    assert last.state == "SIGNED_UNVERIFIED"
    assert make.moves(parcel)[3:] == ["SIGNED_UNVERIFIED"]
    assert _events() == 5


def test_reports_in_order_show_every_step(
    parcel: Shipment, client: FlaskClient, sandbox: Sandbox, run_jobs: Run
) -> None:
    sandbox.post("kuaidi100/advance", waybill=parcel.waybill, script="to_the_door")
    _work(client, run_jobs, parcel, *make.reports(sandbox, parcel))
    code = make.code_of(parcel)
    done = _work(client, run_jobs, parcel, make.advance(sandbox, parcel, state="signed", delivery_code=code))
    assert make.moves(parcel)[3:] == ["IN_TRANSIT", "OUT_FOR_DELIVERY", "DELIVERED"]
    assert done.flags == []
    assert cases.row(parcel.case_id).state == "DELIVERED"


def test_a_replay_of_an_old_day_changes_nothing(
    parcel: Shipment, client: FlaskClient, sandbox: Sandbox, run_jobs: Run
) -> None:
    first = make.advance(sandbox, parcel, state="picked_up")
    sandbox.post("kuaidi100/advance", waybill=parcel.waybill, script="to_the_door")
    _work(client, run_jobs, parcel, first, make.reports(sandbox, parcel)[-1])
    code = make.code_of(parcel)
    signed = make.advance(sandbox, parcel, state="signed", delivery_code=code)
    _work(client, run_jobs, parcel, signed)
    before = make.moves(parcel)
    with clock.shift(timedelta(days=3)):
        # Byte for byte, and the same old list signed anew inside another wrapping.
        again = make.track(parcel, (_in(-3 * 24 * 60), "103"), status="updateall")
        last = _work(client, run_jobs, parcel, first, again)
    assert (last.state, make.moves(parcel)) == ("DELIVERED", before)


def test_forged_reports_are_refused_stored_and_without_effect(
    parcel: Shipment, client: FlaskClient, sandbox: Sandbox, run_jobs: Run
) -> None:
    """CR-15."""
    body = make.advance(sandbox, parcel, script="deliver")
    for forged in (
        body.replace(b"picked", b"packed") + b"x",
        make.signed(parcel, {"status": "polling"}, salt="another salt"),
        b"sign=&param=",
        b"",
        b"\xff\xfe",
        "param=一&sign=二".encode(),
    ):
        status, answer = make.deliver(client, parcel, forged)
        assert (status, "SIGNATURE_INVALID" in answer) == (401, True)
    assert {(state, note) for state, note, _ in _stored()} == {("REFUSED", "signature")}
    run_jobs()
    assert (make.fresh(parcel).state, _events()) == ("ORDERED", 0)


def test_a_forged_copy_does_not_keep_the_true_one_out(
    parcel: Shipment, client: FlaskClient, sandbox: Sandbox, run_jobs: Run
) -> None:
    """The same text with a made-up signature comes first."""
    body = make.advance(sandbox, parcel, state="picked_up")
    fields = dict(parse_qsl(body.decode()))
    forged = urlencode(fields | {"sign": "0" * 32}).encode()
    assert [make.deliver(client, parcel, sent)[0] for sent in (forged, body, forged)] == [401, 200, 401]
    run_jobs()
    assert make.fresh(parcel).state == "IN_TRANSIT"


def test_the_address_is_a_secret(parcel: Shipment, client: FlaskClient, sandbox: Sandbox) -> None:
    body = make.advance(sandbox, parcel, state="picked_up")
    status, answer = make.deliver(client, parcel, body, secret="guessed")
    assert (status, "NOT_FOUND" in answer) == (404, True)
    assert _stored() == []


def test_an_unknown_shipment_and_anothers_salt_are_refused(
    parcel: Shipment, hands: Hands, client: FlaskClient, sandbox: Sandbox
) -> None:
    other = make.ordered(hands)
    body = make.advance(sandbox, parcel, state="picked_up")
    assert make.deliver(client, other, body)[0] == 401
    answer = client.post(f"/callbacks/kuaidi100/{make.PATH_SECRET}/{uuid4()}", data=body)
    assert answer.status_code == 401
    assert [state for state, _, _ in _stored()] == ["REFUSED", "REFUSED"]


def test_a_report_on_another_waybill_is_left_alone(parcel: Shipment, client: FlaskClient, run_jobs: Run) -> None:
    """A waybill that the carrier uses again."""
    body = make.signed(parcel, {"status": "polling", "lastResult": {"nu": "SF0000000000000", "data": []}})
    last = _work(client, run_jobs, parcel, body)
    assert (last.state, last.flags) == ("ORDERED", ["BEFORE_ORDER"])


@pytest.mark.parametrize(
    ("minutes", "code", "state", "flags"),
    [
        (-5, "103", "IN_TRANSIT", []),
        (9, "103", "IN_TRANSIT", []),
        (20, "301", "ORDERED", ["FUTURE_TIME"]),
        (-60 * 24 * 90, "301", "ORDERED", ["BEFORE_ORDER"]),
        (0, "999", "ORDERED", ["UNKNOWN_CODE"]),
        (0, "501", "HELD_AT_STATION", ["LOCKER_OR_OTHER"]),
        (0, "303", "SIGNED_UNVERIFIED", ["LOCKER_OR_OTHER"]),
        (0, "209", "DAMAGED", []),
        (0, "14", "RETURNING", []),
    ],
)
def test_one_report_by_its_time_and_code(
    parcel: Shipment, client: FlaskClient, run_jobs: Run, minutes: float, code: str, state: str, flags: list[str]
) -> None:
    """CR-8, CR-13, CR-14: clock skew, reused waybills, unknown codes, lockers."""
    last = _work(client, run_jobs, parcel, make.track(parcel, (_in(minutes), code)))
    assert (last.state, last.flags) == (state, flags)


def test_a_carrier_that_gives_up_is_flagged(
    parcel: Shipment, client: FlaskClient, sandbox: Sandbox, run_jobs: Run
) -> None:
    """abort: no record in three days."""
    last = _work(client, run_jobs, parcel, make.advance(sandbox, parcel, state="abort"))
    assert (last.state, last.flags) == ("ORDERED", ["CARRIER_GAVE_UP"])


def test_three_failed_attempts_are_flagged(parcel: Shipment, client: FlaskClient, run_jobs: Run) -> None:
    """CR-9."""
    attempts = [(_in(minute), "206") for minute in range(3)]
    last = _work(client, run_jobs, parcel, make.track(parcel, *attempts))
    assert (last.state, last.flags) == ("FAILED_ATTEMPT", ["THREE_ATTEMPTS"])


def test_a_locker_is_no_delivery(parcel: Shipment, client: FlaskClient, sandbox: Sandbox, run_jobs: Run) -> None:
    """CR-8."""
    sandbox.post("kuaidi100/advance", waybill=parcel.waybill, script="locker")
    last = _work(client, run_jobs, parcel, make.reports(sandbox, parcel)[-1])
    assert (last.state, "LOCKER_OR_OTHER" in last.flags) == ("SIGNED_UNVERIFIED", True)
    assert cases.row(parcel.case_id).state == "ISSUING"


def test_a_returned_parcel(parcel: Shipment, client: FlaskClient, sandbox: Sandbox, run_jobs: Run) -> None:
    sandbox.post("kuaidi100/advance", waybill=parcel.waybill, script="return")
    last = _work(client, run_jobs, parcel, *make.reports(sandbox, parcel))
    assert last.state == "RETURNED"
    assert make.moves(parcel)[-2:] == ["RETURNING", "RETURNED"]


def test_an_order_that_the_carrier_cancels_is_flagged(parcel: Shipment, client: FlaskClient, run_jobs: Run) -> None:
    taken = make.signed(parcel, {"data": {"orderId": parcel.carrier_order_id, "status": 1}})
    another = make.signed(parcel, {"data": {"orderId": "1", "status": 99}})
    assert _work(client, run_jobs, parcel, taken, another).flags == []
    cancelled = make.signed(parcel, {"data": {"orderId": parcel.carrier_order_id, "status": 99}})
    assert _work(client, run_jobs, parcel, cancelled).flags == ["ORDER_FAILED"]
    assert cases.messages(parcel.owner_id)[-1] == "DELIVERY_PROBLEM"


def test_order_reports_of_the_sandbox_are_taken(
    parcel: Shipment, client: FlaskClient, sandbox: Sandbox, run_jobs: Run
) -> None:
    sandbox.post("kuaidi100/advance", waybill=parcel.waybill, state="picked_up")
    bodies = make.reports(sandbox, parcel, "order")
    assert bodies
    last = _work(client, run_jobs, parcel, *bodies)
    assert (last.state, last.flags) == ("ORDERED", [])


@pytest.mark.parametrize("param", [[], 1, "x", {"lastResult": {"data": [{"ftime": "gestern"}]}}, {"status": "polling"}])
def test_signed_nonsense_is_kept_and_harmless(
    parcel: Shipment, client: FlaskClient, run_jobs: Run, param: object
) -> None:
    last = _work(client, run_jobs, parcel, make.signed(parcel, param))
    assert (last.state, last.flags, _stored()) == ("ORDERED", [], [("DONE", "", 1)])


def test_the_answer_comes_within_two_seconds(parcel: Shipment, client: FlaskClient, sandbox: Sandbox) -> None:
    """CR-16, also while another worker holds the parcel."""
    body = make.advance(sandbox, parcel, state="picked_up")
    with transaction() as session:
        session.execute(text("SELECT 1 FROM shipment WHERE id = :id FOR UPDATE"), {"id": parcel.id})
        begun = clock.wall()
        assert make.deliver(client, parcel, body) == OK
        assert clock.wall() - begun < timedelta(seconds=2)
