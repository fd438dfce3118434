"""WeChat's message push over HTTP: JSON and XML, plain and sealed, twice, late, forged (PROTOCOLS 1.6)."""

import logging
import time
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text

from core import cache
from core.callbacks import PartnerCallback
from core.db import transaction
from core.settings import Settings
from notifications.preferences import service as preferences
from notifications.preferences.models import SubscribeConsent
from partners.wechat.push import signature
from tests.factories.notifications import OPENID, reader
from tests.sandbox_client import Sandbox, free_port

URL = "/callbacks/wechat"


def made(sandbox: Sandbox, **wanted: Any) -> dict[str, Any]:
    found: dict[str, Any] = sandbox.post("wechat/push", persona="zhang-wei", **wanted)
    return found


def push(client: FlaskClient, found: dict[str, Any], **over: str) -> Any:
    return client.post(
        URL, query_string={**found["query"], **over}, data=found["body"].encode(), content_type=found["content_type"]
    )


def refused_groups() -> set[str]:
    with transaction() as session:
        return set(
            session.scalars(select(SubscribeConsent.template_group).where(SubscribeConsent.refused_at.is_not(None)))
        )


def test_the_check_of_the_address(client: FlaskClient, settings: Settings) -> None:
    stamp = str(int(time.time()))
    query = {
        "signature": signature(settings.wechat.push_token, stamp, "n1"),
        "timestamp": stamp,
        "nonce": "n1",
        "echostr": "4375120948345356249",
    }
    answer = client.get(URL, query_string=query)
    assert (answer.status_code, answer.data) == (200, b"4375120948345356249")
    assert answer.content_type.startswith("text/plain")
    for wrong in ({"nonce": "n2"}, {"signature": ""}, {"timestamp": str(int(stamp) - 301)}, {"timestamp": "x"}):
        assert client.get(URL, query_string={**query, **wrong}).get_json()["code"] == "SIGNATURE_INVALID"


@pytest.mark.parametrize("form", ["json", "xml"])
@pytest.mark.parametrize("mode", ["plain", "compatible", "secure"])
@pytest.mark.parametrize("event", ["subscribe_msg_change_event", "subscribe_msg_popup_event"])
def test_who_refuses_in_wechat_is_not_written_to_any_more(
    client: FlaskClient, sandbox: Sandbox, form: str, mode: str, event: str
) -> None:
    someone = reader(openid=OPENID)
    found = made(sandbox, format=form, mode=mode, event=event, templates=["CASE_PROGRESS", "PAYMENT"])
    answer = push(client, found)
    assert (answer.status_code, answer.data) == (200, b"success")
    assert refused_groups() == {"CASE_PROGRESS", "PAYMENT"}
    with transaction() as session:
        assert not preferences.may_send(session, someone, "CASE_PROGRESS")
        assert preferences.may_send(session, someone, "DELIVERY")


@pytest.mark.parametrize("form", ["json", "xml"])
def test_one_template_comes_as_an_object_and_a_yes_changes_nothing(
    client: FlaskClient, sandbox: Sandbox, form: str
) -> None:
    reader(openid=OPENID)
    yes = made(sandbox, format=form, event="subscribe_msg_popup_event", answer="accept")
    assert push(client, yes).data == b"success"
    assert refused_groups() == set()
    assert push(client, made(sandbox, format=form)).data == b"success"
    assert len(refused_groups()) == 1


def test_a_repetition_changes_nothing(client: FlaskClient, sandbox: Sandbox) -> None:
    """A person who says yes afterwards isn't refused again by WeChat's second try."""
    someone = reader(openid=OPENID)
    found = made(sandbox, templates=["CASE_PROGRESS"])
    push(client, found)
    with transaction() as session:
        session.execute(text("UPDATE subscribe_consent SET refused_at = NULL, remaining = 1"))
    assert push(client, found).data == b"success"
    assert refused_groups() == set()
    with transaction() as session:
        assert preferences.may_send(session, someone, "CASE_PROGRESS")
        assert session.scalars(select(PartnerCallback.arrivals)).all() == [2]


def test_unknown_people_events_and_templates_are_received_and_passed_over(
    client: FlaskClient, sandbox: Sandbox
) -> None:
    for wanted in ({}, {"event": "debug_demo"}, {"event": "subscribe_msg_sent_event"}, {"templates": ["another"]}):
        assert push(client, made(sandbox, **wanted)).data == b"success"
    assert refused_groups() == set()


@pytest.mark.parametrize(
    "wanted",
    [{"age": 301}, {"age": -301}, {"app_id": "wx0000000000000000"}, {"mode": "plain", "age": 301}],
)
def test_of_another_time_or_app_it_is_refused(client: FlaskClient, sandbox: Sandbox, wanted: dict[str, Any]) -> None:
    reader(openid=OPENID)
    answer = push(client, made(sandbox, **wanted))
    assert (answer.status_code, answer.get_json()["code"]) == (401, "SIGNATURE_INVALID")
    assert refused_groups() == set()


def test_forged_ones_are_refused_and_not_kept(client: FlaskClient, sandbox: Sandbox) -> None:
    reader(openid=OPENID)
    sealed, plain = made(sandbox), made(sandbox, mode="plain")
    other = made(sandbox)
    forged = [
        (sealed, {"msg_signature": sealed["query"]["signature"]}),
        (sealed, {"msg_signature": ""}),
        (sealed, {"nonce": "1"}),
        ({**sealed, "body": other["body"]}, {}),
        ({**sealed, "body": "{}"}, {}),
        ({**sealed, "body": "\x00"}, {}),
        (plain, {"signature": "0" * 40}),
        (plain, {"encrypt_type": "aes"}),
    ]
    for found, over in forged:
        assert push(client, found, **over).status_code == 401
    with transaction() as session:
        assert session.scalars(select(PartnerCallback.id)).all() == []
    assert refused_groups() == set()


def test_the_signature_of_a_plain_push_is_good_for_its_own_body_only(client: FlaskClient, sandbox: Sandbox) -> None:
    reader(openid=OPENID)
    first = made(sandbox, mode="plain", event="debug_demo")
    assert push(client, first).status_code == 200
    assert push(client, first).status_code == 200, "WeChat's own second try"
    other = made(sandbox, mode="plain")
    assert push(client, {**other, "query": first["query"]}).status_code == 401
    assert refused_groups() == set()


def test_while_no_nonce_can_be_noted_a_plain_push_is_to_come_again(
    client: FlaskClient, sandbox: Sandbox, settings: Settings
) -> None:
    found = made(sandbox, mode="plain")
    cache.configure(f"redis://127.0.0.1:{free_port()}")
    try:
        assert push(client, found).status_code == 503
    finally:
        cache.configure(settings.redis_url)


@pytest.mark.parametrize(
    "body",
    [
        '<!DOCTYPE xml [<!ENTITY a "aaaaaaaaaa">]><xml><Event>&a;</Event></xml>',
        '<?xml version="1.0"?><!DOCTYPE x SYSTEM "file:///etc/passwd"><xml/>',
        "<xml><a></xml>",
        "<other/>",
        "[]",
        "",
    ],
)
def test_bodies_that_are_no_message(client: FlaskClient, sandbox: Sandbox, body: str) -> None:
    found = made(sandbox, mode="plain")
    assert push(client, {**found, "body": body}).status_code == 401


def test_no_openid_is_logged(client: FlaskClient, sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    reader(openid=OPENID)
    push(client, made(sandbox))
    push(client, made(sandbox, age=301))
    assert OPENID not in " ".join(record.getMessage() for record in caplog.records if "urllib3" not in record.name)
