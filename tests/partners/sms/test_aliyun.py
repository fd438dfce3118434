"""SendSms against the sandbox, which verifies the signature with code of its own (PROTOCOLS 5.1)."""

import json
from dataclasses import replace
from uuid import uuid4

import pytest

from core.ports import PartnerRefused, PartnerUnavailable
from core.settings import Settings
from notifications.channels.ports import NotSent
from notifications.templates import queries
from partners.sms.aliyun import AliyunSms
from tests.sandbox_client import Sandbox, free_port

PHONE = "+8619900000001"
PARAMS = {"matter": "“存量房转移登记”", "number": "NB2611240000010"}


@pytest.fixture
def sms(settings: Settings, sandbox: Sandbox) -> AliyunSms:
    return AliyunSms(settings.sms, queries.sms_codes())


def _send(sms: AliyunSms, *, phone: str = PHONE, out_id: str = "", attempt: int = 0) -> str:
    return sms.send(
        phone=phone, template="PREREVIEW_PASSED", params=PARAMS, out_id=out_id or str(uuid4()), attempt=attempt
    )


def _outbox(sandbox: Sandbox) -> list[dict[str, str]]:
    found: list[dict[str, str]] = sandbox.get("outbox.json", phone="19900000001")["messages"]
    return found


def test_a_message_goes_out_under_our_sign(sms: AliyunSms, sandbox: Sandbox) -> None:
    assert _send(sms)
    sent = _outbox(sandbox)
    assert len(sent) == 1
    assert sent[0]["text"].startswith("【宁波政务】")
    assert "NB2611240000010" in sent[0]["text"]


def test_the_registered_texts_and_our_fields_agree(sms: AliyunSms, sandbox: Sandbox) -> None:
    """What is to be registered at Aliyun, with the variables we send: none missing, none left over."""
    sandbox.post("aliyun-sms/configure", templates=queries.sms_registrations())
    for entry in queries.all_templates().values():
        if entry.registration is None:
            continue
        params = dict.fromkeys(entry.registration.fields, "某")
        assert sms.send(phone=PHONE, template=entry.code, params=params, out_id=str(uuid4()), attempt=0)
        text = _outbox(sandbox)[0]["text"]
        assert "$" not in text
        assert text.count("某") >= len(params)


def test_a_one_time_code(sms: AliyunSms, sandbox: Sandbox) -> None:
    sandbox.post("aliyun-sms/configure", templates=queries.sms_registrations())
    sms.send_code(PHONE, "246810", 5, "sign_in")
    sent = _outbox(sandbox)[0]
    assert "246810" in sent["text"]
    assert "5分钟" in sent["text"]


def test_a_repeated_request_goes_out_once(sms: AliyunSms, sandbox: Sandbox) -> None:
    out_id = str(uuid4())
    assert _send(sms, out_id=out_id)
    assert _send(sms, out_id=out_id) == ""
    assert len(_outbox(sandbox)) == 1
    assert _send(sms, out_id=out_id, attempt=1)
    assert len(_outbox(sandbox)) == 2


def test_a_lost_answer_is_found_out_by_asking_again(sms: AliyunSms, sandbox: Sandbox) -> None:
    out_id = str(uuid4())
    sandbox.fault("aliyun-sms", "drop_response_after_effect")
    with pytest.raises(PartnerUnavailable) as unknown:
        _send(sms, out_id=out_id)
    assert not isinstance(unknown.value, NotSent)
    assert _send(sms, out_id=out_id) == ""
    assert len(_outbox(sandbox)) == 1


@pytest.mark.parametrize(
    ("phone", "word"),
    [
        ("+8619900009002", "PHONE_INVALID"),
        ("+8619900009005", "CONTENT_OR_PHONE_BLOCKED"),
        ("+85251234567", "PHONE_ABROAD"),
        ("12345", "PHONE_INVALID"),
    ],
)
def test_refusals_for_good(sms: AliyunSms, phone: str, word: str) -> None:
    with pytest.raises(PartnerRefused) as caught:
        _send(sms, phone=phone)
    assert caught.value.code == word


@pytest.mark.parametrize("number", ["19900009001", "19900009003", "19900009004", "19900009006"])
def test_refusals_that_may_pass(sms: AliyunSms, number: str) -> None:
    with pytest.raises(NotSent) as caught:
        _send(sms, phone=f"+86{number}")
    assert caught.value.reached


@pytest.mark.parametrize("code", ["isv.SMS_TEMPLATE_ILLEGAL", "isv.TEMPLATE_MISSING_PARAMETERS", "isv.NEW_CODE"])
def test_codes_by_fault(sms: AliyunSms, sandbox: Sandbox, code: str) -> None:
    sandbox.fault("aliyun-sms", "error", value=code)
    with pytest.raises(PartnerRefused):
        _send(sms)


@pytest.mark.parametrize(
    "fault", [{"kind": "garbage"}, {"kind": "error", "value": 503}, {"kind": "timeout", "value": 0.1}]
)
def test_an_unreadable_answer_is_unknown(sms: AliyunSms, sandbox: Sandbox, fault: dict[str, object]) -> None:
    sandbox.fault("aliyun-sms", **fault)  # type: ignore[arg-type]
    with pytest.raises(PartnerUnavailable) as caught:
        _send(sms)
    assert not isinstance(caught.value, NotSent)


def test_an_outage_before_the_request(settings: Settings, sandbox: Sandbox) -> None:
    away = AliyunSms(replace(settings.sms, url=f"http://127.0.0.1:{free_port()}"), queries.sms_codes())
    with pytest.raises(NotSent) as caught:
        _send(away)
    assert not caught.value.reached


def test_a_wrong_secret_is_noticed(settings: Settings, sandbox: Sandbox) -> None:
    wrong = AliyunSms(replace(settings.sms, access_key_secret="x" * 30), queries.sms_codes())
    with pytest.raises(NotSent):
        _send(wrong)
    assert _outbox(sandbox) == []


def test_a_template_without_a_code_is_refused_here(settings: Settings, sandbox: Sandbox) -> None:
    with pytest.raises(PartnerRefused):
        _send(AliyunSms(settings.sms, {}))


def test_long_values_are_cut(sms: AliyunSms, sandbox: Sandbox) -> None:
    sms.send(
        phone=PHONE, template="PREREVIEW_PASSED", params={**PARAMS, "matter": "长" * 60}, out_id=str(uuid4()), attempt=0
    )
    assert _outbox(sandbox)[0]["text"].count("长") == 35


def test_reports_are_read_leniently(sms: AliyunSms) -> None:
    pushed = [
        {"phone_number": "13800000000", "success": True, "err_code": "DELIVERED", "biz_id": "1^0", "out_id": "a"},
        {"success": "false", "err_code": "MK:0001", "biz_id": 2, "sms_size": "1"},
    ]
    first, second = sms.read_reports(json.dumps(pushed).encode())
    assert (first.reference, first.out_id, first.delivered) == ("1^0", "a", True)
    assert (second.reference, second.delivered, second.code) == ("2", False, "MK:0001")


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b"\xff", b'{"success": true}'])
def test_reports_of_another_shape(sms: AliyunSms, body: bytes) -> None:
    with pytest.raises(ValueError):
        sms.read_reports(body)
