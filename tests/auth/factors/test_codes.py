"""One-time codes on real Valkey, sent through the sandbox (DOMAIN 3.17)."""

import logging
import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from auth.factors import service
from auth.factors.errors import CodeWrong, PhoneNotServed
from auth.factors.rules import SIGN_IN, CodePurpose, CodeUse, at_counter, binding_within, on_page
from auth.sessions.models import LoginEvent
from auth.sessions.rules import Origin
from core import cache
from core.db import transaction
from core.errors import RateLimited, SourceUnavailable
from core.identifiers import IdentifierError
from core.ports import PartnerUnavailable
from core.settings import Settings
from tests.factories import auth as make
from tests.sandbox_client import Sandbox, free_port

pytestmark = pytest.mark.usefixtures("database")

PHONE = "19900000001"


def send(phone: str = PHONE) -> None:
    with transaction() as session:
        service.send_code(session, phone=phone, use=SIGN_IN)


def after_a_minute() -> None:
    """Let the minute between two codes pass."""
    for key in cache.client().scan_iter("otp:*:sent"):
        cache.client().delete(key)


def sent_codes(sandbox: Sandbox, phone: str = PHONE) -> list[str]:
    """The codes that arrived on a phone, the newest first."""
    return [str(m["fields"]["code"]) for m in sandbox.get("outbox.json", phone=phone)["messages"]]


def another(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_a_code_arrives_and_works_once(sandbox: Sandbox, run_jobs: Callable[..., None]) -> None:
    send()
    run_jobs()
    (code,) = sent_codes(sandbox)
    assert len(code) == 6
    assert code.isdigit()
    assert service.check_code(phone="+86 " + PHONE, code=code, use=SIGN_IN) is True
    assert service.check_code(phone=PHONE, code=code, use=SIGN_IN) is False


SESSION, ANOTHER = UUID(int=1), UUID(int=2)
USES = [
    SIGN_IN,
    binding_within(SESSION),
    binding_within(ANOTHER),
    at_counter(SESSION),
    at_counter(ANOTHER),
    on_page(CodePurpose.SIGN_IN, "one"),
    on_page(CodePurpose.SIGN_IN, "two"),
    on_page(CodePurpose.BIND_PHONE, "one"),
]


@pytest.mark.parametrize("asked", USES, ids=str)
def test_a_code_is_good_for_what_it_was_asked_for_alone(
    sandbox: Sandbox, run_jobs: Callable[..., None], asked: CodeUse
) -> None:
    """PROTOCOLS 5.3: not for another act, and not in another session or sign-in."""
    with transaction() as session:
        service.send_code(session, phone=PHONE, use=asked)
    run_jobs()
    (code,) = sent_codes(sandbox)
    # Tries of the same purpose count; there are fewer than five here.
    assert [use for use in USES if use != asked and service.check_code(phone=PHONE, code=code, use=use)] == []
    assert service.check_code(phone=PHONE, code=code, use=asked) is True


def test_one_live_code_for_each_purpose(sandbox: Sandbox, run_jobs: Callable[..., None]) -> None:
    """A code for another purpose voids none; the minute between two and the numbers an hour are the phone's."""
    send()
    with pytest.raises(RateLimited), transaction() as session:
        service.send_code(session, phone=PHONE, use=binding_within(SESSION))
    after_a_minute()
    with transaction() as session:
        service.send_code(session, phone=PHONE, use=binding_within(SESSION))
    run_jobs()
    # Both were sent at once: which came first isn't told.
    codes = sent_codes(sandbox)
    assert len(codes) == 2
    assert sum(service.check_code(phone=PHONE, code=code, use=SIGN_IN) for code in codes) == 1
    assert sum(service.check_code(phone=PHONE, code=code, use=binding_within(SESSION)) for code in codes) == 1


def test_five_wrong_tries_burn_a_code(sandbox: Sandbox, run_jobs: Callable[..., None]) -> None:
    send()
    run_jobs()
    (code,) = sent_codes(sandbox)
    for _ in range(5):
        assert service.check_code(phone=PHONE, code=another(code), use=SIGN_IN) is False
    assert service.check_code(phone=PHONE, code=code, use=SIGN_IN) is False


def test_four_wrong_tries_do_not(sandbox: Sandbox, run_jobs: Callable[..., None]) -> None:
    send()
    run_jobs()
    (code,) = sent_codes(sandbox)
    for _ in range(4):
        assert service.check_code(phone=PHONE, code=another(code), use=SIGN_IN) is False
    assert service.check_code(phone=PHONE, code=code, use=SIGN_IN) is True


def test_tries_at_the_same_time_are_all_counted(sandbox: Sandbox, run_jobs: Callable[..., None]) -> None:
    """One right code, twenty tries with it at once: one signs in."""
    send()
    run_jobs()
    (code,) = sent_codes(sandbox)
    right: list[bool] = []
    together = threading.Barrier(20)

    def check() -> None:
        together.wait()
        right.append(service.check_code(phone=PHONE, code=code, use=SIGN_IN))

    threads = [threading.Thread(target=check) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert right.count(True) == 1
    assert len(right) == 20


def test_a_code_belongs_to_its_phone(sandbox: Sandbox, run_jobs: Callable[..., None]) -> None:
    send()
    run_jobs()
    (code,) = sent_codes(sandbox)
    assert service.check_code(phone="19900000002", code=code, use=SIGN_IN) is False
    assert service.check_code(phone=PHONE, code=code, use=SIGN_IN) is True


def test_a_code_is_good_for_five_minutes() -> None:
    send()
    ttls = [int(cache.client().pttl(key)) for key in cache.client().scan_iter("otp:*") if not key.endswith(":sent")]
    assert len(ttls) == 2
    assert all(295_000 < ttl <= 300_000 for ttl in ttls)


def test_a_new_code_voids_the_old_one(sandbox: Sandbox, run_jobs: Callable[..., None]) -> None:
    send()
    run_jobs()
    (old,) = sent_codes(sandbox)
    for _ in range(3):
        after_a_minute()
        send()
        run_jobs()
        new = sent_codes(sandbox)[0]
        if new != old:
            break
    assert service.check_code(phone=PHONE, code=old, use=SIGN_IN) is False
    assert service.check_code(phone=PHONE, code=new, use=SIGN_IN) is True


def test_a_code_that_was_replaced_is_no_longer_sent(sandbox: Sandbox, run_jobs: Callable[..., None]) -> None:
    send()
    after_a_minute()
    send()
    run_jobs()
    (code,) = sent_codes(sandbox)
    assert service.check_code(phone=PHONE, code=code, use=SIGN_IN) is True


def test_a_minute_between_two_codes() -> None:
    send()
    with pytest.raises(RateLimited) as refusal:
        send()
    assert 1 <= int(refusal.value.headers["Retry-After"]) <= 60
    send("19900000002")
    after_a_minute()
    send()


def test_five_codes_an_hour_per_phone() -> None:
    for _ in range(5):
        send()
        after_a_minute()
    with pytest.raises(RateLimited):
        send()
    send("19900000002")


def test_ten_codes_a_day_per_phone() -> None:
    for _ in range(10):
        send()
        after_a_minute()
        for key in cache.client().scan_iter("limit:*otp-phone-hour*"):
            cache.client().delete(key)
    with pytest.raises(RateLimited) as refusal:
        send()
    assert int(refusal.value.headers["Retry-After"]) <= 86_400
    send("19900000002")


def test_ten_codes_an_hour_per_device_whatever_the_phone() -> None:
    for number in range(10):
        with transaction() as session:
            service.send_code(session, phone=f"1990000{number:04d}", use=SIGN_IN, device="device-0001")
    with pytest.raises(RateLimited), transaction() as session:
        service.send_code(session, phone="19900000999", use=SIGN_IN, device="device-0001")
    with transaction() as session:
        service.send_code(session, phone="19900000999", use=SIGN_IN, device="device-0002")
    assert "device-0001" not in " ".join(cache.client().scan_iter("*"))


@pytest.mark.parametrize("phone", ["17012345678", "17112345678", "16212345678", "16712345678", "19212345678"])
def test_virtual_carriers_and_new_segments_are_served(
    sandbox: Sandbox, run_jobs: Callable[..., None], phone: str
) -> None:
    send(phone)
    run_jobs()
    (code,) = sent_codes(sandbox, phone)
    assert service.check_code(phone=phone, code=code, use=SIGN_IN) is True


def test_known_and_unknown_phones_are_treated_alike(
    citizen: Callable[..., Any], count_queries: Callable[[], Any]
) -> None:
    """3.17: not even the work done tells whether somebody uses the phone."""
    citizen(level=2, phone="+86" + PHONE)
    seen = []
    for phone in (PHONE, "19900000002"):
        with count_queries() as queries:
            send(phone)
        seen.append(list(queries))
    assert seen[0] == seen[1]
    assert seen[0]


def test_a_wrong_code_costs_the_same_for_known_and_unknown_phones(
    citizen: Callable[..., Any], count_queries: Callable[[], Any]
) -> None:
    actor, _ = citizen(level=2, phone="+86" + PHONE)
    seen = []
    for phone in (PHONE, "19900000002"):
        with count_queries() as queries, transaction() as session:
            outcome = service.sign_in_by_phone(session, phone=phone, proven=False, origin=Origin("H5"))
        seen.append(list(queries))
        with pytest.raises(CodeWrong):
            outcome.insist()
    assert seen[0] == seen[1]
    with transaction() as session:
        noted = session.scalars(
            select(LoginEvent.subject_id).where(LoginEvent.result == "WRONG_CODE").order_by(LoginEvent.id)
        ).all()
    assert noted == [actor.subject_id, None]


def test_neither_code_nor_phone_is_in_a_log_or_in_the_database(
    sandbox: Sandbox, run_jobs: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    send()
    stored = _rows("SELECT args::text FROM procrastinate_jobs")
    assert "delivery_id" in stored
    run_jobs()
    logged = _said(caplog)
    (code,) = sent_codes(sandbox)
    caplog.clear()
    service.check_code(phone=PHONE, code=code, use=SIGN_IN)
    make.signed_in_by_phone(PHONE)
    logged += _said(caplog)
    stored += _rows("SELECT args::text FROM procrastinate_jobs")
    assert code not in stored + logged
    stored += _rows("SELECT p::text FROM phone_binding p UNION ALL SELECT e::text FROM login_event e")
    assert PHONE not in stored + logged
    assert "partner call" in logged, "the sender's own log line was seen"


def test_neither_is_in_what_is_said_about_a_failed_sending(
    sandbox: Sandbox, run_jobs: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    """Exceptions and their tracebacks too, down to DEBUG, of both senders and of the worker."""
    caplog.set_level(logging.DEBUG)
    send()
    for sender in ("aliyun-sms", "tencent-sms"):
        sandbox.fault(sender, "garbage")
    run_jobs()
    said = _said(caplog) + caplog.text
    assert "PartnerUnavailable" in said, "the worker has told of the fault"
    (delivery,) = [key.split(":")[-1] for key in cache.client().scan_iter("otp:delivery:*")]
    cache.client().delete(*cache.client().scan_iter("{sms:rests}*"))
    service.deliver_code(delivery)
    (code,) = sent_codes(sandbox)
    for secret in (PHONE, code):
        assert secret not in said.replace(delivery, "")


def test_the_second_sender_brings_the_code_when_the_first_is_away(
    sandbox: Sandbox, run_jobs: Callable[..., None]
) -> None:
    send()
    sandbox.fault("aliyun-sms", "error", value=503)
    run_jobs()
    (message,) = sandbox.get("outbox.json", phone=PHONE)["messages"]
    assert service.check_code(phone=PHONE, code=message["fields"]["1"], use=SIGN_IN) is True


def _rows(query: str) -> str:
    with transaction() as session:
        return " ".join(session.scalars(text(query)))


def _said(caplog: pytest.LogCaptureFixture) -> str:
    """Messages and extra fields; not times and thread ids, which hold any six digits sooner or later."""
    usual = set(logging.LogRecord("", 0, "", 0, "", None, None).__dict__)
    return " ".join(
        record.getMessage() + str({key: value for key, value in record.__dict__.items() if key not in usual})
        for record in caplog.records
    )


def test_redis_holds_neither_code_nor_phone_in_clear(sandbox: Sandbox, run_jobs: Callable[..., None]) -> None:
    send()
    client = cache.client()
    held = " ".join(
        key + str(client.hgetall(key) if client.type(key) == "hash" else client.get(key)) for key in client.scan_iter()
    )
    run_jobs()
    (code,) = sent_codes(sandbox)
    assert PHONE not in held
    assert f"'{code}'" not in held


def test_without_redis_there_are_no_codes(settings: Settings) -> None:
    """Fails closed, and says so; nothing is queued."""
    cache.configure(f"redis://127.0.0.1:{free_port()}")
    try:
        with pytest.raises(SourceUnavailable):
            send()
        with pytest.raises(SourceUnavailable):
            service.check_code(phone=PHONE, code="123456", use=SIGN_IN)
    finally:
        cache.configure(settings.redis_url)
    with transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM procrastinate_jobs")) == 0


@pytest.mark.parametrize("phone", ["", "12345", "abc", "8610010", "1440123456789"])
def test_what_is_no_mobile_is_refused(phone: str) -> None:
    with pytest.raises(IdentifierError):
        send(phone)


def test_abroad_is_said_to_be_out_of_reach() -> None:
    with pytest.raises(PhoneNotServed):
        send("+852 9123 4567")


def test_a_sender_that_is_away_is_asked_again(sandbox: Sandbox) -> None:
    """The job fails and stays to be tried again; the code is still good."""
    send()
    (delivery,) = [key.split(":")[-1] for key in cache.client().scan_iter("otp:delivery:*")]
    for sender in ("aliyun-sms", "tencent-sms"):
        sandbox.fault(sender, "error")
    with pytest.raises(PartnerUnavailable):
        service.deliver_code(delivery)
    service.deliver_code(delivery)
    service.deliver_code(delivery)
    (code,) = sent_codes(sandbox)
    assert service.check_code(phone=PHONE, code=code, use=SIGN_IN) is True


def test_a_phone_the_sender_refuses_is_given_up(sandbox: Sandbox, run_jobs: Callable[..., None]) -> None:
    send("19900009002")
    run_jobs()
    assert list(cache.client().scan_iter("otp:delivery:*")) == []
