"""Messages on their way to the sandbox's phones: channels, refusals, outages, repetitions, reports (DOMAIN 3.17)."""

import json
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text, update

from core import clock, db
from core.actors import Citizen
from core.callbacks import PartnerCallback
from core.clock import SHANGHAI
from core.ports import PartnerUnavailable
from notifications.channels.jobs import deliver
from notifications.channels.models import Delivery
from notifications.channels.rules import Channel, DeliveryState
from notifications.messages import service as messages
from notifications.preferences.models import SubscribeConsent
from tests.factories.notifications import OPENID, delivery, reader, tell
from tests.sandbox_client import Sandbox

S = DeliveryState
# Ahead of the true time, so that what is to wait is not due by accident.
NOON = datetime(2027, 3, 10, 12, 0, tzinfo=SHANGHAI)
Run = Callable[..., None]


@pytest.fixture(autouse=True)
def daytime(database: Flask) -> Any:
    """Messages go out: it is noon."""
    with clock.at(NOON):
        yield


def _outbox(sandbox: Sandbox, channel: str) -> list[dict[str, Any]]:
    found = sandbox.get("outbox.json", persona="zhang-wei")["messages"]
    return [message for message in found if message["channel"] == channel]


def _state(message_id: UUID, channel: Channel) -> DeliveryState | None:
    found = delivery(message_id, channel)
    return None if found is None else DeliveryState(found.state)


def _found(message_id: UUID, channel: Channel = Channel.SMS) -> Delivery:
    found = delivery(message_id, channel)
    assert found is not None
    return found


def _sms(message_id: UUID) -> None:
    deliver(message_id=str(message_id), channel="SMS")


def _allow(sandbox: Sandbox, times: int = 1) -> None:
    sandbox.post("wechat/consent", persona="zhang-wei", times=times)


def test_a_step_of_the_main_story_reaches_wechat_and_phone_once(sandbox: Sandbox, run_jobs: Run) -> None:
    _allow(sandbox)
    message = tell(reader(openid=OPENID))
    run_jobs()
    assert (_state(message, Channel.WECHAT), _state(message, Channel.SMS)) == (S.SENT, S.SENT)
    assert "预审通过" in _outbox(sandbox, "wechat")[0]["text"]
    assert "NB2611240000010" in _outbox(sandbox, "sms")[0]["text"]
    for channel in ("WECHAT", "SMS"):
        deliver(message_id=str(message), channel=channel)
    assert (len(_outbox(sandbox, "wechat")), len(_outbox(sandbox, "sms"))) == (1, 1)


def test_a_job_that_runs_in_many_workers_sends_once(sandbox: Sandbox) -> None:
    message = tell(reader())
    outcomes: list[str] = []

    def run() -> None:
        try:
            _sms(message)
            outcomes.append("done")
        except PartnerUnavailable:
            outcomes.append("another is asking")

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 6
    assert len(_outbox(sandbox, "sms")) == 1
    assert _state(message, Channel.SMS) is S.SENT


def test_no_consent_leaves_the_sms(sandbox: Sandbox, run_jobs: Run) -> None:
    someone = reader(openid=OPENID)
    message = tell(someone)
    run_jobs()
    assert _state(message, Channel.WECHAT) is S.NO_CONSENT
    assert _state(message, Channel.SMS) is S.SENT
    with db.transaction() as session:
        assert session.get_one(SubscribeConsent, (someone, "CASE_PROGRESS")).refused_at is not None
    calls = len(sandbox.get("calls.json", partner="wechat")["calls"])
    second = tell(someone)
    run_jobs()
    assert _state(second, Channel.WECHAT) is S.NO_CONSENT
    assert len(sandbox.get("calls.json", partner="wechat")["calls"]) == calls, "WeChat isn't asked in vain"


def test_a_fallback_message_goes_out_as_sms_at_once_when_wechat_refuses(sandbox: Sandbox, run_jobs: Run) -> None:
    message = tell(reader(openid=OPENID), "BILL_EXPIRED")
    run_jobs()
    assert _state(message, Channel.WECHAT) is S.NO_CONSENT
    run_jobs()
    assert _state(message, Channel.SMS) is S.SENT
    run_jobs(all=True)
    assert len(_outbox(sandbox, "sms")) == 1


def test_a_fallback_message_that_was_read_needs_no_sms(sandbox: Sandbox, run_jobs: Run) -> None:
    _allow(sandbox)
    someone = reader(openid=OPENID)
    message = tell(someone, "BILL_EXPIRED")
    run_jobs()
    assert (_state(message, Channel.WECHAT), _state(message, Channel.SMS)) == (S.SENT, None)
    with db.transaction() as session:
        messages.mark_read(session, actor=Citizen(someone, uuid4(), 1, "WXMP"), message_id=message)
    run_jobs(all=True)
    assert (_found(message).state, _found(message).reason) == (S.SKIPPED, "READ")
    assert _outbox(sandbox, "sms") == []


def test_a_fallback_message_that_nobody_read_goes_out_as_sms(sandbox: Sandbox, run_jobs: Run) -> None:
    _allow(sandbox)
    message = tell(reader(openid=OPENID), "BILL_EXPIRED")
    run_jobs(all=True)
    assert (_state(message, Channel.WECHAT), _state(message, Channel.SMS)) == (S.SENT, S.SENT)


def test_nobody_to_send_to(sandbox: Sandbox, run_jobs: Run) -> None:
    message = tell(reader(phone=None))
    run_jobs()
    for channel in Channel:
        assert (_found(message, channel).state, _found(message, channel).reason) == (S.SKIPPED, "NO_ADDRESS")


def test_what_a_later_message_made_pointless_is_not_sent(sandbox: Sandbox, run_jobs: Run) -> None:
    """Booked at night, cancelled at night: in the morning only the cancellation goes out."""
    someone, booking = reader(), uuid4()
    with clock.at(NOON.replace(hour=22)):
        booked = tell(someone, "APPOINTMENT_BOOKED", matter_id=booking)
        other = tell(someone, "APPOINTMENT_BOOKED")
        cancelled = tell(someone, "APPOINTMENT_CANCELLED", matter_id=booking)
    with clock.at(NOON.replace(day=11, hour=8)):
        run_jobs(all=True)
    assert (_found(booked).state, _found(booked).reason) == (S.SKIPPED, "SUPERSEDED")
    assert (_state(other, Channel.SMS), _state(cancelled, Channel.SMS)) == (S.SENT, S.SENT)


def test_a_job_that_runs_at_night_waits_for_the_morning(sandbox: Sandbox) -> None:
    message = tell(reader())
    with clock.at(NOON.replace(hour=21, minute=30)):
        _sms(message)
        assert _outbox(sandbox, "sms") == []
        with db.transaction() as session:
            waiting = session.execute(
                text("SELECT count(scheduled_at), count(*) FROM procrastinate_jobs WHERE args->>'channel' = 'SMS'")
            ).one()
        assert tuple(waiting) == (1, 2)
    with clock.at(NOON.replace(day=11, hour=8)):
        _sms(message)
    assert len(_outbox(sandbox, "sms")) == 1


@pytest.mark.parametrize(
    ("number", "reason"), [("19900009002", "PHONE_INVALID"), ("19900009005", "CONTENT_OR_PHONE_BLOCKED")]
)
def test_a_number_that_cannot_be_reached(sandbox: Sandbox, run_jobs: Run, number: str, reason: str) -> None:
    message = tell(reader(phone=f"+86{number}"))
    run_jobs()
    assert (_found(message).state, _found(message).reason) == (S.FAILED, reason)


def test_a_limit_at_the_platform_is_tried_again(sandbox: Sandbox) -> None:
    message = tell(reader())
    sandbox.fault("aliyun-sms", "error", value="isv.BUSINESS_LIMIT_CONTROL", times=2)
    for attempt in (1, 2):
        with pytest.raises(PartnerUnavailable):
            _sms(message)
        assert (_found(message).state, _found(message).attempt) == (S.PENDING, attempt)
    _sms(message)
    assert _state(message, Channel.SMS) is S.SENT
    assert len(_outbox(sandbox, "sms")) == 1


def test_an_outage_is_retried_by_the_worker(sandbox: Sandbox, run_jobs: Run) -> None:
    message = tell(reader())
    sandbox.fault("aliyun-sms", "error", value=503)
    run_jobs()
    assert _state(message, Channel.SMS) is S.UNANSWERED
    with db.transaction() as session:
        waiting = session.execute(
            text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND attempts = 1")
        ).scalar_one()
    assert waiting == 1
    _sms(message)
    assert _state(message, Channel.SMS) is S.SENT


def test_a_lost_answer_is_asked_again_and_told_once(sandbox: Sandbox) -> None:
    message = tell(reader())
    sandbox.fault("aliyun-sms", "drop_response_after_effect")
    with pytest.raises(PartnerUnavailable):
        _sms(message)
    assert _state(message, Channel.SMS) is S.UNANSWERED
    _sms(message)
    assert _state(message, Channel.SMS) is S.SENT
    assert len(_outbox(sandbox, "sms")) == 1


def test_a_lost_answer_is_not_asked_again_after_ten_minutes(sandbox: Sandbox) -> None:
    """Then the platform may no longer know the request, and the person could be told twice."""
    message = tell(reader())
    sandbox.fault("aliyun-sms", "drop_response_after_effect")
    with pytest.raises(PartnerUnavailable):
        _sms(message)
    with clock.at(NOON + timedelta(minutes=11)):
        _sms(message)
    assert _state(message, Channel.SMS) is S.UNANSWERED
    assert len(_outbox(sandbox, "sms")) == 1


def test_a_worker_that_died_while_asking(sandbox: Sandbox) -> None:
    """Its delivery is left ASKING: for a minute others keep away, then it is asked again as the same request."""
    message = tell(reader())
    sandbox.fault("aliyun-sms", "drop_response_after_effect")
    with pytest.raises(PartnerUnavailable):
        _sms(message)
    with db.transaction() as session:
        session.execute(update(Delivery).values(state="ASKING"))
    with pytest.raises(PartnerUnavailable):
        _sms(message)
    assert _state(message, Channel.SMS) is S.ASKING
    with clock.at(NOON + timedelta(minutes=2)):
        _sms(message)
    assert _state(message, Channel.SMS) is S.SENT
    assert len(_outbox(sandbox, "sms")) == 1


def test_a_lost_answer_of_wechat_is_never_asked_again(sandbox: Sandbox, run_jobs: Run) -> None:
    _allow(sandbox, times=5)
    someone = reader(openid=OPENID)
    # The first one makes sure that there is a token: the fault is for the message's own call.
    deliver(message_id=str(tell(someone)), channel="WECHAT")
    message = tell(someone, "BILL_EXPIRED")
    sandbox.fault("wechat", "drop_response_after_effect", path="subscribe/send")
    run_jobs()
    deliver(message_id=str(message), channel="WECHAT")
    assert _state(message, Channel.WECHAT) is S.UNANSWERED
    assert len(_outbox(sandbox, "wechat")) == 2
    run_jobs(all=True)
    assert _state(message, Channel.SMS) is S.SENT, "unread: the fall-back goes out"


# Reports ------------------------------------------------------------------------------------------------------------

SECRET = "callback-path-secret-of-tests"


def _push(client: FlaskClient, *reports: dict[str, Any], secret: str = SECRET) -> Any:
    return client.post(f"/callbacks/aliyun-sms/{secret}", data=json.dumps(reports), content_type="application/json")


def _report(sent: Delivery, **other: Any) -> dict[str, Any]:
    return {
        "phone_number": "19900000001",
        "success": True,
        "err_code": "DELIVERED",
        "biz_id": sent.reference,
        "out_id": str(sent.id),
        **other,
    }


@pytest.mark.parametrize(
    ("other", "state", "reason"),
    [({}, S.DELIVERED, ""), ({"success": False, "err_code": "MK:0001"}, S.FAILED, "REPORTED MK:0001")],
)
def test_a_report_says_whether_it_arrived(
    client: FlaskClient, sandbox: Sandbox, run_jobs: Run, other: dict[str, Any], state: DeliveryState, reason: str
) -> None:
    message = tell(reader())
    run_jobs()
    answer = _push(client, _report(_found(message), **other))
    assert (answer.status_code, answer.get_json()) == (200, {"code": 0, "msg": "接收成功"})
    run_jobs()
    assert (_found(message).state, _found(message).reason) == (state, reason)


def test_the_sandbox_pushes_reports_as_aliyun_does(client: FlaskClient, sandbox: Sandbox, run_jobs: Run) -> None:
    """A report that comes before we know the platform's id is found by ours."""
    message = tell(reader())
    sandbox.fault("aliyun-sms", "drop_response_after_effect")
    with pytest.raises(PartnerUnavailable):
        _sms(message)
    sent = _outbox(sandbox, "sms")[0]
    _push(client, _report(_found(message), biz_id=sent["reference"]))
    run_jobs()
    assert (_found(message).state, _found(message).reference) == (S.DELIVERED, sent["reference"])
    _sms(message)
    assert len(_outbox(sandbox, "sms")) == 1


def test_repeated_unknown_and_late_reports_change_nothing(client: FlaskClient, sandbox: Sandbox, run_jobs: Run) -> None:
    message = tell(reader())
    run_jobs()
    sent = _found(message)
    unknown = _report(sent, biz_id="999^0", out_id="not-ours")
    foreign = _report(sent, biz_id="888^0", out_id=str(uuid4()))
    for _ in range(3):
        assert _push(client, unknown, foreign, _report(sent)).status_code == 200
    run_jobs()
    _push(client, _report(sent, success=False, err_code="LATE"))
    run_jobs()
    assert _state(message, Channel.SMS) is S.DELIVERED
    with db.transaction() as session:
        kept = session.execute(
            select(PartnerCallback.arrivals, PartnerCallback.state, PartnerCallback.note).order_by(PartnerCallback.id)
        ).all()
    assert [tuple(row) for row in kept] == [(3, "DONE", "1 of 3 known"), (1, "DONE", "0 of 1 known")]


def test_reports_of_another_shape_are_kept_for_a_person(client: FlaskClient, sandbox: Sandbox, run_jobs: Run) -> None:
    answer = client.post(f"/callbacks/aliyun-sms/{SECRET}", data=b"\xff{", content_type="text/plain")
    assert answer.status_code == 200
    run_jobs()
    with db.transaction() as session:
        assert session.execute(select(PartnerCallback.state)).scalar_one() == "FAILED"


@pytest.mark.parametrize("secret", ["wrong", "callback-path-secret-of-test", "é"])
def test_a_wrong_secret_is_no_such_address(client: FlaskClient, sandbox: Sandbox, secret: str) -> None:
    assert _push(client, {"biz_id": "1"}, secret=secret).status_code == 404
    with db.transaction() as session:
        assert session.execute(select(PartnerCallback.id)).first() is None
