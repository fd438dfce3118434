"""Reports of messages that went by Tencent, from the sandbox's phone to the delivery's state (PROTOCOLS 5.2)."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from core.callbacks import PartnerCallback
from core.db import transaction
from notifications.channels.jobs import deliver
from notifications.channels.rules import Channel, DeliveryState
from tests.factories.notifications import delivery, reader, tell
from tests.sandbox_client import Sandbox

SECRET = "callback-path-secret-of-tests"
RECEIVED = {"result": 0, "errmsg": "OK"}


def push(client: FlaskClient, *reports: dict[str, Any], secret: str = SECRET) -> Any:
    return client.post(f"/callbacks/tencent-sms/{secret}", data=json.dumps(reports), content_type="application/json")


@pytest.mark.parametrize(("status", "state"), [("SUCCESS", DeliveryState.DELIVERED), ("FAIL", DeliveryState.FAILED)])
def test_a_message_that_went_by_tencent_is_reported_as_delivered_or_not(
    client: FlaskClient, sandbox: Sandbox, run_jobs: Callable[..., None], status: str, state: DeliveryState
) -> None:
    sandbox.fault("aliyun-sms", "error", value="isv.OUT_OF_SERVICE")
    message = tell(reader(), "TICKET_CALLED")
    deliver(message_id=str(message), channel="SMS")
    sent = delivery(message, Channel.SMS)
    assert sent is not None
    assert sent.state == DeliveryState.SENT
    (arrived,) = sandbox.get("outbox.json", persona="zhang-wei")["messages"]
    assert arrived["reference"] == sent.reference
    report = {"sid": sent.reference, "report_status": status, "errmsg": "MK:0001", "mobile": "19900000001"}
    for _ in range(2):
        answer = push(client, report, {"sid": "not-ours", "report_status": "FAIL"})
        assert (answer.status_code, answer.get_json()) == (200, RECEIVED)
    run_jobs()
    known = delivery(message, Channel.SMS)
    assert known is not None
    assert known.state == state
    with transaction() as session:
        kept = session.execute(select(PartnerCallback.arrivals, PartnerCallback.state, PartnerCallback.note)).all()
    assert [tuple(row) for row in kept] == [(2, "DONE", "1 of 2 known")]


def test_another_shape_is_kept_for_a_person(
    client: FlaskClient, sandbox: Sandbox, run_jobs: Callable[..., None]
) -> None:
    answer = client.post(f"/callbacks/tencent-sms/{SECRET}", data=b"\xff{", content_type="text/plain")
    assert answer.status_code == 200
    run_jobs()
    with transaction() as session:
        assert session.execute(select(PartnerCallback.state)).scalar_one() == "FAILED"


@pytest.mark.parametrize("secret", ["wrong", "callback-path-secret-of-test", "é"])
def test_a_wrong_secret_is_no_such_address(client: FlaskClient, secret: str) -> None:
    assert push(client, {"sid": "1"}, secret=secret).status_code == 404
    with transaction() as session:
        assert session.execute(select(PartnerCallback.id)).first() is None
