"""SendSms against the sandbox, which verifies the signature with code of its own (PROTOCOLS 5.2)."""

import json
from dataclasses import replace
from uuid import uuid4

import pytest

from core import cache
from core.ports import PartnerRefused, PartnerUnavailable
from core.settings import Settings, TencentSmsSettings
from notifications.channels.ports import NotSent, NumberLimited
from partners.sms.tencent import TencentSms, TencentTemplate
from tests.sandbox_client import Sandbox, free_port

PHONE = "+8619900000001"
TEMPLATES = {
    "PREREVIEW_PASSED": TencentTemplate("330200103", ("matter", "number")),
    "VERIFICATION_CODE": TencentTemplate("330200001", ("code", "minutes")),
}
PARAMS = {"matter": "“存量房转移登记”", "number": "NB2611240000010"}


@pytest.fixture
def account(settings: Settings) -> TencentSmsSettings:
    assert settings.tencent_sms is not None
    return settings.tencent_sms


@pytest.fixture
def sms(account: TencentSmsSettings, sandbox: Sandbox) -> TencentSms:
    return TencentSms(account, TEMPLATES)


def _send(sms: TencentSms, *, phone: str = PHONE, out_id: str = "", attempt: int = 0) -> str:
    return sms.send(
        phone=phone, template="PREREVIEW_PASSED", params=PARAMS, out_id=out_id or str(uuid4()), attempt=attempt
    )


def _outbox(sandbox: Sandbox) -> list[dict[str, str]]:
    found: list[dict[str, str]] = sandbox.get("outbox.json", phone="19900000001")["messages"]
    return found


def test_a_message_goes_out_under_our_sign_with_its_fields_in_order(sms: TencentSms, sandbox: Sandbox) -> None:
    sandbox.post("tencent-sms/configure", templates={"330200103": "您的{1}预审通过，预审编号{2}。"})
    serial = _send(sms)
    (sent,) = _outbox(sandbox)
    assert sent["reference"] == serial
    assert sent["text"] == "【宁波政务】您的“存量房转移登记”预审通过，预审编号NB2611240000010。"


def test_a_one_time_code(sms: TencentSms, sandbox: Sandbox) -> None:
    sms.send_code(PHONE, "246810", 5, "sign-in")
    assert "246810，5" in _outbox(sandbox)[0]["text"]


def test_the_same_request_goes_out_once(sms: TencentSms, sandbox: Sandbox) -> None:
    """Tencent would send it again; our note of it doesn't let us ask."""
    out_id = str(uuid4())
    serial = _send(sms, out_id=out_id)
    assert _send(sms, out_id=out_id) == serial
    assert len(_outbox(sandbox)) == 1
    assert _send(sms, out_id=out_id, attempt=1) != serial
    assert len(_outbox(sandbox)) == 2


def test_a_lost_answer_stays_unknown_and_is_never_asked_again(sms: TencentSms, sandbox: Sandbox) -> None:
    out_id = str(uuid4())
    sandbox.fault("tencent-sms", "drop_response_after_effect")
    for _ in range(3):
        with pytest.raises(PartnerUnavailable) as unknown:
            _send(sms, out_id=out_id)
        assert not isinstance(unknown.value, NotSent)
    assert len(_outbox(sandbox)) == 1


def test_what_certainly_was_not_sent_may_be_asked_again(sms: TencentSms, sandbox: Sandbox) -> None:
    out_id = str(uuid4())
    sandbox.fault("tencent-sms", "error", value="InternalError.OtherError")
    with pytest.raises(NotSent):
        _send(sms, out_id=out_id)
    assert _send(sms, out_id=out_id)
    assert len(_outbox(sandbox)) == 1


@pytest.mark.parametrize(
    ("number", "reason"),
    [("19900009002", "PHONE_INVALID"), ("19900009005", "CONTENT_OR_PHONE_BLOCKED")],
)
def test_refusals_for_good(sms: TencentSms, number: str, reason: str) -> None:
    with pytest.raises(PartnerRefused) as refusal:
        _send(sms, phone=f"+86{number}")
    assert refusal.value.code == reason


def test_too_many_to_one_number_is_told_apart_from_an_outage(sms: TencentSms) -> None:
    with pytest.raises(NumberLimited):
        _send(sms, phone="+8619900009001")
    for number in ("19900009003", "19900009004"):
        with pytest.raises(NotSent) as away:
            _send(sms, phone=f"+86{number}")
        assert not isinstance(away.value, NumberLimited)


@pytest.mark.parametrize(
    ("phone", "reason"), [("+85291234567", "PHONE_ABROAD"), ("12345", "PHONE_INVALID"), ("", "PHONE_INVALID")]
)
def test_what_can_not_be_reached_is_not_asked_for(sms: TencentSms, sandbox: Sandbox, phone: str, reason: str) -> None:
    with pytest.raises(PartnerRefused) as refusal:
        _send(sms, phone=phone)
    assert refusal.value.code == reason
    assert sandbox.get("calls.json", partner="tencent-sms")["calls"] == []


@pytest.mark.parametrize(
    "fault", [{"kind": "garbage"}, {"kind": "error", "value": 503}, {"kind": "timeout", "value": 0.1}]
)
def test_an_unreadable_answer_is_unknown(sms: TencentSms, sandbox: Sandbox, fault: dict[str, object]) -> None:
    sandbox.fault("tencent-sms", **fault)  # type: ignore[arg-type]
    with pytest.raises(PartnerUnavailable) as caught:
        _send(sms)
    assert not isinstance(caught.value, NotSent)


def test_an_outage_before_the_request(account: TencentSmsSettings, sandbox: Sandbox) -> None:
    away = TencentSms(replace(account, url=f"http://127.0.0.1:{free_port()}"), TEMPLATES)
    with pytest.raises(NotSent) as caught:
        _send(away)
    assert not caught.value.reached


def test_a_wrong_secret_is_noticed(account: TencentSmsSettings, sandbox: Sandbox) -> None:
    with pytest.raises(NotSent):
        _send(TencentSms(replace(account, secret_key="x" * 32), TEMPLATES))
    assert _outbox(sandbox) == []


def test_a_template_we_do_not_have_is_refused_here(account: TencentSmsSettings, sandbox: Sandbox) -> None:
    with pytest.raises(PartnerRefused) as refusal:
        _send(TencentSms(account, {}))
    assert refusal.value.code == "TEMPLATE_UNKNOWN"


def test_without_redis_no_message_goes_out_because_none_could_be_noted(
    sms: TencentSms, sandbox: Sandbox, settings: Settings
) -> None:
    cache.configure(f"redis://127.0.0.1:{free_port()}")
    try:
        with pytest.raises(NotSent):
            _send(sms)
    finally:
        cache.configure(settings.redis_url)
    assert _outbox(sandbox) == []


def test_reports_are_read(sms: TencentSms) -> None:
    pushed = [
        {"mobile": "13800000000", "report_status": "SUCCESS", "errmsg": "DELIVRD", "sid": "sms:1"},
        {"report_status": "FAIL", "errmsg": "MK:0001", "sid": "sms:2"},
        {},
    ]
    first, second, third = sms.read_reports(json.dumps(pushed).encode())
    assert (first.reference, first.delivered) == ("sms:1", True)
    assert (second.reference, second.delivered, second.code) == ("sms:2", False, "MK:0001")
    assert (third.reference, third.delivered) == ("", False)


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b"\xff", b'{"sid": "1"}'])
def test_reports_of_another_shape(sms: TencentSms, body: bytes) -> None:
    with pytest.raises(ValueError):
        sms.read_reports(body)
