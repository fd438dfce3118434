"""One-time codes on real Valkey and the sandbox, and signing in by phone and by WeChat (DOMAIN 3.7, 3.17)."""

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text

from auth.accounts import queries as people
from auth.accounts import service as accounts
from auth.accounts.errors import AccountFrozen, LoginCodeInvalid, PhoneHeldByAnother
from auth.accounts.events import AccountChange, AccountChanged, SubjectsMerged
from auth.accounts.models import PhoneBinding, Subject
from auth.accounts.ports import WeChatIdentity, WeChatPhone
from auth.accounts.rules import SubjectState
from auth.factors import service
from auth.factors.errors import CodeWrong, PhoneNotServed
from auth.identity import queries as evidence
from auth.sessions import authenticator
from auth.sessions import queries as sessions
from auth.sessions.models import LoginEvent
from auth.sessions.rules import Origin
from auth.sessions.service import Fresh
from core import cache, clock, events
from core.actors import Citizen, System
from core.db import transaction
from core.errors import AuthLevelTooLow, NotAuthenticated, RateLimited, SourceUnavailable
from core.identifiers import IdentifierError
from core.ports import PartnerUnavailable
from core.settings import Settings
from tests.factories import auth as make
from tests.sandbox_client import Sandbox, free_port

pytestmark = pytest.mark.usefixtures("database")

PHONE = "19900000001"
H5, WXMP = Origin("H5"), Origin("WXMP")
_heard: list[Any] = []


def _hear(_session: object, event: Any) -> None:
    _heard.append(event)


@pytest.fixture
def heard() -> Iterator[list[Any]]:
    for kind in (SubjectsMerged, AccountChanged):
        events.subscribe(kind, _hear)
    _heard.clear()
    yield _heard
    _heard.clear()


def send(phone: str = PHONE) -> None:
    with transaction() as session:
        service.send_code(session, phone=phone)


def after_a_minute() -> None:
    """Let the minute between two codes pass."""
    for key in cache.client().scan_iter("otp:*:sent"):
        cache.client().delete(key)


def sent_codes(sandbox: Sandbox, phone: str = PHONE) -> list[str]:
    """The codes that arrived on a phone, the newest first."""
    return [str(m["fields"]["code"]) for m in sandbox.get("outbox.json", phone=phone)["messages"]]


def another(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def by_phone(phone: str, origin: Origin = H5) -> Citizen:
    with transaction() as session:
        outcome = service.sign_in_by_phone(session, phone=phone, proven=True, origin=origin)
    return authenticator.citizen_of(outcome.insist().access_token)


def by_wechat(identity: WeChatIdentity) -> Citizen:
    with transaction() as session:
        outcome = service.sign_in_by_wechat(session, identity_of=identity, origin=WXMP)
    return authenticator.citizen_of(outcome.insist().access_token)


def add_phone(actor: Citizen, phone: str) -> Fresh:
    with transaction() as session:
        return service.add_phone(session, actor=actor, phone=WeChatPhone(phone))


def now_of(actor: Citizen) -> Citizen:
    return authenticator.citizen_of(make.headers_for(actor)["Authorization"].removeprefix("Bearer "))


def freeze(actor: Citizen) -> None:
    with transaction() as session:
        accounts.freeze(session, actor=System("test"), subject_id=actor.subject_id, reason="DECEASED")


# One-time codes ------------------------------------------------------------------------------------------------------


def test_a_code_arrives_and_works_once(sandbox: Sandbox, run_jobs: Callable[..., None]) -> None:
    send()
    run_jobs()
    (code,) = sent_codes(sandbox)
    assert len(code) == 6
    assert code.isdigit()
    assert service.check_code(phone="+86 " + PHONE, code=code) is True
    assert service.check_code(phone=PHONE, code=code) is False


def test_five_wrong_tries_burn_a_code(sandbox: Sandbox, run_jobs: Callable[..., None]) -> None:
    send()
    run_jobs()
    (code,) = sent_codes(sandbox)
    for _ in range(5):
        assert service.check_code(phone=PHONE, code=another(code)) is False
    assert service.check_code(phone=PHONE, code=code) is False


def test_four_wrong_tries_do_not(sandbox: Sandbox, run_jobs: Callable[..., None]) -> None:
    send()
    run_jobs()
    (code,) = sent_codes(sandbox)
    for _ in range(4):
        assert service.check_code(phone=PHONE, code=another(code)) is False
    assert service.check_code(phone=PHONE, code=code) is True


def test_tries_at_the_same_time_are_all_counted(sandbox: Sandbox, run_jobs: Callable[..., None]) -> None:
    """One right code, twenty tries with it at once: one signs in."""
    send()
    run_jobs()
    (code,) = sent_codes(sandbox)
    right: list[bool] = []
    together = threading.Barrier(20)

    def check() -> None:
        together.wait()
        right.append(service.check_code(phone=PHONE, code=code))

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
    assert service.check_code(phone="19900000002", code=code) is False
    assert service.check_code(phone=PHONE, code=code) is True


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
    assert service.check_code(phone=PHONE, code=old) is False
    assert service.check_code(phone=PHONE, code=new) is True


def test_a_code_that_was_replaced_is_no_longer_sent(sandbox: Sandbox, run_jobs: Callable[..., None]) -> None:
    send()
    after_a_minute()
    send()
    run_jobs()
    (code,) = sent_codes(sandbox)
    assert service.check_code(phone=PHONE, code=code) is True


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
            outcome = service.sign_in_by_phone(session, phone=phone, proven=False, origin=H5)
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
    service.check_code(phone=PHONE, code=code)
    by_phone(PHONE)
    logged += _said(caplog)
    stored += _rows("SELECT args::text FROM procrastinate_jobs")
    assert code not in stored + logged
    stored += _rows("SELECT p::text FROM phone_binding p UNION ALL SELECT e::text FROM login_event e")
    assert PHONE not in stored + logged
    assert "partner call" in logged, "the sender's own log line was seen"


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
            service.check_code(phone=PHONE, code="123456")
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
    sandbox.fault("aliyun-sms", "error")
    with pytest.raises(PartnerUnavailable):
        service.deliver_code(delivery)
    service.deliver_code(delivery)
    service.deliver_code(delivery)
    (code,) = sent_codes(sandbox)
    assert service.check_code(phone=PHONE, code=code) is True


def test_a_phone_the_sender_refuses_is_given_up(sandbox: Sandbox, run_jobs: Callable[..., None]) -> None:
    send("19900009002")
    run_jobs()
    assert list(cache.client().scan_iter("otp:delivery:*")) == []


# Signing in by phone --------------------------------------------------------------------------------------------------


def test_a_first_sign_in_makes_a_person_of_level_1() -> None:
    actor = by_phone(PHONE, Origin("H5", "10.0.0.1", "a browser", "en"))
    assert (actor.level, actor.channel) == (1, "H5")
    assert by_phone(PHONE).subject_id == actor.subject_id
    with transaction() as session:
        assert people.contact(session, actor.subject_id).language == "en"
        event = sessions.sign_ins(session, actor.subject_id, {"limit": 5, "cursor": None}).items[-1]
        assert (event.method, event.result, event.address, event.device) == (
            "PHONE_CODE",
            "OK",
            "10.0.0.1",
            "a browser",
        )


def test_a_frozen_person_is_told_so_and_gets_no_session(citizen: Callable[..., Any]) -> None:
    phone = make.phone_number()
    actor, _ = citizen(level=2, phone=phone)
    freeze(actor)
    with pytest.raises(AccountFrozen):
        by_phone(phone)
    with transaction() as session:
        assert session.scalar(select(func.count()).where(LoginEvent.result == "FROZEN")) == 1


def test_a_phone_unused_for_90_days_starts_a_new_person(citizen: Callable[..., Any], heard: list[Any]) -> None:
    """ID-4: operators have given it to somebody else by then."""
    phone = make.phone_number()
    old, _ = citizen(level=2, phone=phone)
    by_sms = by_phone(phone)
    with clock.shift(timedelta(days=90, minutes=1)):
        new = by_phone(phone)
        assert new.subject_id != old.subject_id
        assert new.level == 1
        assert now_of(old).level == 0
        with pytest.raises(NotAuthenticated):
            now_of(by_sms)
    assert [(e.subject_id, e.change) for e in heard] == [(old.subject_id, AccountChange.PHONE_TAKEN)]
    with transaction() as session:
        ended = session.scalars(select(PhoneBinding.end_reason).where(PhoneBinding.ended_at.is_not(None))).all()
    assert ended == ["DORMANT"]


def test_a_phone_in_use_never_goes_dormant() -> None:
    actor = by_phone(PHONE)
    for days in (80, 160, 240):
        with clock.shift(timedelta(days=days)):
            assert by_phone(PHONE).subject_id == actor.subject_id


def test_ten_at_once_by_one_new_phone_are_one_person() -> None:
    found: list[Any] = []
    together = threading.Barrier(10)

    def run() -> None:
        together.wait()
        found.append(by_phone(PHONE).subject_id)

    threads = [threading.Thread(target=run) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 10
    assert len(set(found)) == 1
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(Subject)) == 1


# Signing in by WeChat, and adding the phone ------------------------------------------------------------------------------


def test_an_openid_alone_is_level_0_and_a_phone_makes_it_1() -> None:
    me = WeChatIdentity(make.openid())
    actor = by_wechat(me)
    assert (actor.level, actor.channel) == (0, "WXMP")
    fresh = add_phone(actor, "+8619900000001")
    assert fresh.level == 1
    assert authenticator.citizen_of(fresh.access_token).level == 1
    again = by_wechat(me)
    assert (again.subject_id, again.level) == (actor.subject_id, 1)
    with transaction() as session:
        assert people.contact(session, actor.subject_id).phone == "+8619900000001"


def test_a_frozen_person_does_not_sign_in_by_wechat() -> None:
    me = WeChatIdentity(make.openid())
    freeze(by_wechat(me))
    with pytest.raises(AccountFrozen):
        by_wechat(me)


def test_the_own_phone_again_changes_nothing(citizen: Callable[..., Any], heard: list[Any]) -> None:
    phone = make.phone_number()
    actor, _ = citizen(level=2, phone=phone)
    assert add_phone(actor, phone).level == 2
    assert heard == []


def test_a_phone_used_elsewhere_by_nobody_proven_makes_one_person(heard: list[Any]) -> None:
    """Signed up on the web by phone, now in WeChat: the same person, nobody has proven anything."""
    on_the_web = by_phone(PHONE)
    in_wechat = by_wechat(WeChatIdentity(make.openid()))
    assert add_phone(in_wechat, "+86" + PHONE).level == 1
    assert now_of(in_wechat).subject_id == on_the_web.subject_id
    assert heard == [SubjectsMerged(on_the_web.subject_id, in_wechat.subject_id)]


def test_the_phone_of_a_proven_person_joins_restricted(citizen: Callable[..., Any], heard: list[Any]) -> None:
    """A recycled number in a stranger's WeChat must not open the account: level 1 until the identity is proven again."""
    phone = make.phone_number()
    proven, _ = citizen(level=3, phone=phone)
    me = WeChatIdentity(make.openid())
    stranger = by_wechat(me)
    assert add_phone(stranger, phone).level == 1
    assert now_of(stranger) == Citizen(proven.subject_id, stranger.session_id, 1, "WXMP")
    assert by_wechat(me).level == 1, "and so does every later sign-in by that WeChat account"
    assert now_of(proven).level == 3
    assert AccountChange.SIGN_IN_ADDED in [e.change for e in heard if isinstance(e, AccountChanged)]


def test_a_proven_person_without_a_phone_takes_an_unproven_ones(citizen: Callable[..., Any]) -> None:
    lost, own = make.phone_number(), make.phone_number()
    proven, _ = citizen(level=2, phone=lost)
    web = by_phone(own)
    with clock.shift(timedelta(days=91)):
        by_phone(lost)
        assert now_of(proven).level == 0
    assert add_phone(proven, own).level == 2
    with transaction() as session:
        assert people.find_by_phone(session, own) == proven.subject_id
        assert people.standing(session, web.subject_id).state is SubjectState.MERGED
    assert now_of(web) == Citizen(proven.subject_id, web.session_id, 1, "H5")


def test_the_phone_of_another_proven_person_is_refused(citizen: Callable[..., Any]) -> None:
    phone = make.phone_number()
    (owner, _), (other, _) = citizen(level=2, phone=phone), citizen(level=2)
    with pytest.raises(PhoneHeldByAnother):
        add_phone(other, phone)
    assert (now_of(owner).level, now_of(other).level) == (2, 2)


def test_a_second_phone_of_a_proven_person_needs_level_4(citizen: Callable[..., Any], app: Any) -> None:
    """ID-3."""
    actor, _ = citizen(level=3)
    with app.test_request_context(), pytest.raises(AuthLevelTooLow) as refusal:
        add_phone(actor, make.phone_number())
    assert refusal.value.extra["needed_level"] == 4
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(PhoneBinding)) == 1


def test_who_has_proven_nothing_may_change_the_phone(citizen: Callable[..., Any], heard: list[Any]) -> None:
    old, new = make.phone_number(), make.phone_number()
    actor, _ = citizen(level=1, phone=old)
    assert add_phone(actor, new).level == 1
    with transaction() as session:
        assert people.contact(session, actor.subject_id).phone == new
        assert people.find_by_phone(session, old) is None
        kinds = [e.type.value for e in evidence.standing_evidence(session, actor.subject_id, clock.now())]
    assert kinds.count("PHONE") == 1
    assert heard == []


def test_the_phone_of_a_frozen_person_is_not_joined(citizen: Callable[..., Any]) -> None:
    phone = make.phone_number()
    owner, _ = citizen(level=2, phone=phone)
    freeze(owner)
    stranger = by_wechat(WeChatIdentity(make.openid()))
    with pytest.raises(AccountFrozen):
        add_phone(stranger, phone)
    assert now_of(stranger).level == 0


def test_a_dormant_phone_goes_to_whoever_proves_it_in_wechat(citizen: Callable[..., Any], heard: list[Any]) -> None:
    phone = make.phone_number()
    old, _ = citizen(level=2, phone=phone)
    new = by_wechat(WeChatIdentity(make.openid()))
    with clock.shift(timedelta(days=91)):
        assert add_phone(new, phone).level == 1
        assert now_of(new).subject_id == new.subject_id
        assert now_of(old).level == 0
    assert [e.change for e in heard] == [AccountChange.PHONE_TAKEN]


# Asking WeChat -----------------------------------------------------------------------------------------------------------


def test_who_a_code_of_wechat_stands_for(sandbox: Sandbox) -> None:
    persona = next(p for p in sandbox.get("personas.json")["personas"] if p["key"] == "zhang-wei")
    code = sandbox.post("wechat/login-code", persona="zhang-wei")["code"]
    found = service.ask_wechat(code)
    assert (found.openid, found.unionid) == (persona["openid"], persona["unionid"])
    assert persona["openid"] not in repr(found)
    with pytest.raises(LoginCodeInvalid):
        service.ask_wechat(code)
    phone = service.ask_wechat_phone(sandbox.post("wechat/phone-code", persona="zhang-wei")["code"])
    assert phone.number_e164 == "+86" + persona["phone"]


def test_a_code_of_wechat_is_never_sent_twice(sandbox: Sandbox) -> None:
    """PROTOCOLS 1.2: a second try would be refused as used, so the person has to tap again."""
    code = sandbox.post("wechat/login-code", persona="zhang-wei")["code"]
    sandbox.fault("wechat", "drop_response_after_effect", path="jscode2session")
    with pytest.raises(SourceUnavailable):
        service.ask_wechat(code)
    calls = [c for c in sandbox.get("calls.json", partner="wechat")["calls"] if "jscode2session" in str(c)]
    assert len(calls) == 1
