"""The second sender of short messages takes over when the first is away, and nobody gets a message twice."""

from dataclasses import replace
from uuid import uuid4

import pytest

from core import cache
from core.ports import PartnerRefused, PartnerUnavailable
from core.settings import Settings
from notifications.channels.ports import NotSent, NumberLimited
from notifications.templates import queries
from partners.sms.aliyun import AliyunSms
from partners.sms.failover import REST_SECONDS, SmsFailover
from partners.sms.tencent import TencentSms, TencentTemplate
from tests.sandbox_client import Sandbox, free_port

PHONE = "+8619900000001"
TEMPLATES = {
    "PREREVIEW_PASSED": TencentTemplate("330200103", ("matter", "number")),
    "VERIFICATION_CODE": TencentTemplate("330200001", ("code", "minutes")),
}
PARAMS = {"matter": "“存量房转移登记”", "number": "NB2611240000010"}


def senders(settings: Settings, *, first_away: bool = False, second_away: bool = False) -> SmsFailover:
    nowhere = f"http://127.0.0.1:{free_port()}"
    assert settings.tencent_sms is not None
    aliyun = replace(settings.sms, url=nowhere) if first_away else settings.sms
    tencent = replace(settings.tencent_sms, url=nowhere) if second_away else settings.tencent_sms
    return SmsFailover([AliyunSms(aliyun, queries.sms_codes()), TencentSms(tencent, TEMPLATES)])


@pytest.fixture
def both(settings: Settings, sandbox: Sandbox) -> SmsFailover:
    return senders(settings)


def send(sms: SmsFailover, *, phone: str = PHONE, out_id: str = "", attempt: int = 0) -> str:
    return sms.send(
        phone=phone, template="PREREVIEW_PASSED", params=PARAMS, out_id=out_id or str(uuid4()), attempt=attempt
    )


def code(sms: SmsFailover, phone: str = PHONE) -> None:
    sms.send_code(phone, "246810", 5, "sign-in")


def by(sandbox: Sandbox) -> list[str]:
    """Who sent what arrived on the phone, the newest first."""
    found = sandbox.get("outbox.json", phone="19900000001")["messages"]
    return ["aliyun" if message["template"].startswith("SMS_") else "tencent" for message in found]


def asked(sandbox: Sandbox, partner: str) -> int:
    return len(sandbox.get("calls.json", partner=partner)["calls"])


def test_the_first_sends_while_it_can(both: SmsFailover, sandbox: Sandbox) -> None:
    send(both)
    code(both)
    assert by(sandbox) == ["aliyun", "aliyun"]
    assert asked(sandbox, "tencent-sms") == 0


def test_an_outage_before_the_request_goes_to_the_second(settings: Settings, sandbox: Sandbox) -> None:
    sms = senders(settings, first_away=True)
    send(sms)
    code(sms)
    assert by(sandbox) == ["tencent", "tencent"]


@pytest.mark.parametrize("value", ["isv.OUT_OF_SERVICE", "isv.AMOUNT_NOT_ENOUGH", "isp.SYSTEM_ERROR", "Throttling.Api"])
def test_a_fault_of_the_first_goes_to_the_second(both: SmsFailover, sandbox: Sandbox, value: str) -> None:
    sandbox.fault("aliyun-sms", "error", value=value)
    send(both)
    assert by(sandbox) == ["tencent"]


@pytest.mark.parametrize("kind", ["error", "garbage", "drop_response_after_effect"])
def test_a_code_whose_answer_is_lost_goes_by_the_second_too(both: SmsFailover, sandbox: Sandbox, kind: str) -> None:
    """The same code twice is harmless; a person who waits for it in vain is not."""
    sandbox.fault("aliyun-sms", kind)
    code(both)
    arrived = by(sandbox)
    assert arrived[0] == "tencent"
    assert arrived.count("aliyun") == (1 if kind == "drop_response_after_effect" else 0)


def test_a_message_whose_answer_is_lost_is_asked_for_again_where_it_was(both: SmsFailover, sandbox: Sandbox) -> None:
    """It may have gone out: whatever the second sender does, and though the first rests."""
    out_id = str(uuid4())
    sandbox.fault("aliyun-sms", "drop_response_after_effect")
    with pytest.raises(PartnerUnavailable) as unknown:
        send(both, out_id=out_id)
    assert not isinstance(unknown.value, NotSent)
    assert send(both, out_id=out_id) == ""
    assert by(sandbox) == ["aliyun"]


def test_while_the_first_is_still_away_such_a_message_waits(settings: Settings, sandbox: Sandbox) -> None:
    out_id = str(uuid4())
    sandbox.fault("aliyun-sms", "drop_response_after_effect")
    with pytest.raises(PartnerUnavailable):
        send(senders(settings), out_id=out_id)
    with pytest.raises(NotSent) as away:
        send(senders(settings, first_away=True), out_id=out_id)
    assert not away.value.reached, "says nothing about the earlier time"
    assert by(sandbox) == ["aliyun"]
    assert asked(sandbox, "tencent-sms") == 0


@pytest.mark.parametrize(("number", "refusal"), [("19900009002", PartnerRefused), ("19900009005", PartnerRefused)])
def test_what_is_refused_for_good_is_not_tried_elsewhere(
    both: SmsFailover, sandbox: Sandbox, number: str, refusal: type[Exception]
) -> None:
    for act in (send, code):
        with pytest.raises(refusal):
            act(both, phone=f"+86{number}")
    assert asked(sandbox, "tencent-sms") == 0


def test_the_limit_of_a_number_is_not_got_round_and_says_nothing_about_the_sender(
    both: SmsFailover, sandbox: Sandbox
) -> None:
    for act in (send, code):
        with pytest.raises(NumberLimited):
            act(both, phone="+8619900009001")
    assert asked(sandbox, "tencent-sms") == 0
    send(both)
    assert by(sandbox) == ["aliyun"]


def test_who_was_away_is_asked_last_for_half_a_minute(both: SmsFailover, sandbox: Sandbox) -> None:
    sandbox.fault("aliyun-sms", "error", value="isv.OUT_OF_SERVICE")
    code(both)
    before = asked(sandbox, "aliyun-sms")
    for _ in range(3):
        code(both)
    assert asked(sandbox, "aliyun-sms") == before, "nobody else waits for it"
    (left,) = [cache.client().ttl(key) for key in cache.client().scan_iter("*sms:rests*")]
    assert 0 < int(left) <= REST_SECONDS
    cache.client().flushdb()
    code(both)
    assert by(sandbox)[0] == "aliyun"


def test_who_rests_is_asked_after_all_when_the_other_is_away_too(both: SmsFailover, sandbox: Sandbox) -> None:
    sandbox.fault("aliyun-sms", "error", value="isv.OUT_OF_SERVICE")
    code(both)
    sandbox.fault("tencent-sms", "error", value="InternalError.OtherError")
    code(both)
    assert by(sandbox) == ["aliyun", "tencent"]


def test_all_away(settings: Settings, sandbox: Sandbox) -> None:
    sms = senders(settings, first_away=True, second_away=True)
    with pytest.raises(NotSent):
        send(sms)
    with pytest.raises(PartnerUnavailable):
        code(sms)


def test_a_lone_sender_works_without_a_second(settings: Settings, sandbox: Sandbox) -> None:
    sms = SmsFailover([AliyunSms(settings.sms, queries.sms_codes())])
    send(sms)
    sandbox.fault("aliyun-sms", "error", value="isv.OUT_OF_SERVICE")
    with pytest.raises(NotSent):
        send(sms)
    code(sms)
    assert by(sandbox) == ["aliyun", "aliyun"]


def test_without_redis_messages_go_by_the_first_alone_and_codes_by_both(settings: Settings, sandbox: Sandbox) -> None:
    cache.configure(f"redis://127.0.0.1:{free_port()}")
    try:
        send(senders(settings))
        with pytest.raises(NotSent):
            send(senders(settings, first_away=True))
        code(senders(settings, first_away=True))
    finally:
        cache.configure(settings.redis_url)
    assert by(sandbox) == ["tencent", "aliyun"]


def test_reports_by_sender(both: SmsFailover) -> None:
    (aliyun,) = both.read_reports("aliyun-sms", b'[{"biz_id": "1^0", "success": true}]')
    (tencent,) = both.read_reports("tencent-sms", b'[{"sid": "sms:1", "report_status": "SUCCESS"}]')
    assert (aliyun.reference, tencent.reference) == ("1^0", "sms:1")
    with pytest.raises(ValueError, match="no such sender"):
        both.read_reports("another", b"[]")
