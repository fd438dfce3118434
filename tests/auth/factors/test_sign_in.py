"""Signing in by phone and by WeChat, and adding the phone (DOMAIN 3.7: ID-3, ID-4)."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from auth.accounts import queries as people
from auth.accounts import service as accounts
from auth.accounts.errors import AccountFrozen, LoginCodeInvalid, PhoneHeldByAnother
from auth.accounts.events import AccountChange, AccountChanged, SubjectsMerged
from auth.accounts.models import PhoneBinding, Subject
from auth.accounts.ports import WeChatIdentity, WeChatPhone
from auth.accounts.rules import FreezeReason, SubjectState
from auth.factors import service
from auth.identity import queries as evidence
from auth.sessions import authenticator
from auth.sessions import queries as sessions
from auth.sessions.models import LoginEvent
from auth.sessions.rules import Origin
from auth.sessions.service import Fresh
from core import clock, events
from core.actors import Citizen, System
from core.db import transaction
from core.errors import AuthLevelTooLow, NotAuthenticated, SourceUnavailable
from tests.factories import auth as make
from tests.sandbox_client import Sandbox

pytestmark = pytest.mark.usefixtures("database")

PHONE = "19900000001"
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


def add_phone(actor: Citizen, phone: str) -> Fresh:
    with transaction() as session:
        return service.add_phone(session, actor=actor, phone=WeChatPhone(phone))


def freeze(actor: Citizen) -> None:
    with transaction() as session:
        accounts.freeze(session, actor=System("test"), subject_id=actor.subject_id, reason=FreezeReason.DEATH)


# Signing in by phone --------------------------------------------------------------------------------------------------


def test_a_first_sign_in_makes_a_person_of_level_1() -> None:
    actor = make.signed_in_by_phone(PHONE, Origin("H5", "10.0.0.1", "a browser", "en"))
    assert (actor.level, actor.channel) == (1, "H5")
    assert make.signed_in_by_phone(PHONE).subject_id == actor.subject_id
    with transaction() as session:
        assert people.contact(session, actor.subject_id).language == "en"
        event = sessions.sign_ins(session, actor, {"limit": 5, "cursor": None}).items[-1]
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
        make.signed_in_by_phone(phone)
    with transaction() as session:
        assert session.scalar(select(func.count()).where(LoginEvent.result == "FROZEN")) == 1


def test_a_phone_unused_for_90_days_starts_a_new_person(citizen: Callable[..., Any], heard: list[Any]) -> None:
    """ID-4: operators have given it to somebody else by then."""
    phone = make.phone_number()
    old, _ = citizen(level=2, phone=phone)
    by_sms = make.signed_in_by_phone(phone)
    with clock.shift(timedelta(days=90, minutes=1)):
        new = make.signed_in_by_phone(phone)
        assert new.subject_id != old.subject_id
        assert new.level == 1
        assert make.now_of(old).level == 0
        with pytest.raises(NotAuthenticated):
            make.now_of(by_sms)
    assert [(e.subject_id, e.change) for e in heard] == [(old.subject_id, AccountChange.PHONE_TAKEN)]
    with transaction() as session:
        ended = session.scalars(select(PhoneBinding.end_reason).where(PhoneBinding.ended_at.is_not(None))).all()
    assert ended == ["DORMANT"]


def test_a_phone_in_use_never_goes_dormant() -> None:
    actor = make.signed_in_by_phone(PHONE)
    for days in (80, 160, 240):
        with clock.shift(timedelta(days=days)):
            assert make.signed_in_by_phone(PHONE).subject_id == actor.subject_id


def test_ten_at_once_by_one_new_phone_are_one_person() -> None:
    found: list[Any] = []
    together = threading.Barrier(10)

    def run() -> None:
        together.wait()
        found.append(make.signed_in_by_phone(PHONE).subject_id)

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
    actor = make.signed_in_by_wechat(me)
    assert (actor.level, actor.channel) == (0, "WXMP")
    fresh = add_phone(actor, "+8619900000001")
    assert fresh.level == 1
    assert authenticator.citizen_of(fresh.access_token).level == 1
    again = make.signed_in_by_wechat(me)
    assert (again.subject_id, again.level) == (actor.subject_id, 1)
    with transaction() as session:
        assert people.contact(session, actor.subject_id).phone == "+8619900000001"


def test_a_frozen_person_does_not_sign_in_by_wechat() -> None:
    me = WeChatIdentity(make.openid())
    freeze(make.signed_in_by_wechat(me))
    with pytest.raises(AccountFrozen):
        make.signed_in_by_wechat(me)


def test_the_own_phone_again_changes_nothing(citizen: Callable[..., Any], heard: list[Any]) -> None:
    phone = make.phone_number()
    actor, _ = citizen(level=2, phone=phone)
    assert add_phone(actor, phone).level == 2
    assert heard == []


def test_a_phone_used_elsewhere_by_nobody_proven_makes_one_person(heard: list[Any]) -> None:
    """Signed up on the web by phone, now in WeChat: the same person, nobody has proven anything."""
    on_the_web = make.signed_in_by_phone(PHONE)
    in_wechat = make.signed_in_by_wechat(WeChatIdentity(make.openid()))
    assert add_phone(in_wechat, "+86" + PHONE).level == 1
    assert make.now_of(in_wechat).subject_id == on_the_web.subject_id
    assert heard == [SubjectsMerged(on_the_web.subject_id, in_wechat.subject_id)]


def test_the_phone_of_a_proven_person_joins_restricted(citizen: Callable[..., Any], heard: list[Any]) -> None:
    """A recycled number in a stranger's WeChat must not open the account: level 1 until the identity is proven again."""
    phone = make.phone_number()
    proven, _ = citizen(level=3, phone=phone)
    me = WeChatIdentity(make.openid())
    stranger = make.signed_in_by_wechat(me)
    assert add_phone(stranger, phone).level == 1
    assert make.now_of(stranger) == Citizen(proven.subject_id, stranger.session_id, 1, "WXMP")
    assert make.signed_in_by_wechat(me).level == 1, "and so does every later sign-in by that WeChat account"
    assert make.now_of(proven).level == 3
    assert AccountChange.SIGN_IN_ADDED in [e.change for e in heard if isinstance(e, AccountChanged)]


def test_a_proven_person_without_a_phone_takes_an_unproven_ones(citizen: Callable[..., Any]) -> None:
    lost, own = make.phone_number(), make.phone_number()
    proven, _ = citizen(level=2, phone=lost)
    web = make.signed_in_by_phone(own)
    with clock.shift(timedelta(days=91)):
        make.signed_in_by_phone(lost)
        assert make.now_of(proven).level == 0
    assert add_phone(proven, own).level == 2
    with transaction() as session:
        assert people.find_by_phone(session, own) == proven.subject_id
        assert people.standing(session, web.subject_id).state is SubjectState.MERGED
    assert make.now_of(web) == Citizen(proven.subject_id, web.session_id, 1, "H5")


def test_the_phone_of_another_proven_person_is_refused(citizen: Callable[..., Any]) -> None:
    phone = make.phone_number()
    (owner, _), (other, _) = citizen(level=2, phone=phone), citizen(level=2)
    with pytest.raises(PhoneHeldByAnother):
        add_phone(other, phone)
    assert (make.now_of(owner).level, make.now_of(other).level) == (2, 2)


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
    stranger = make.signed_in_by_wechat(WeChatIdentity(make.openid()))
    with pytest.raises(AccountFrozen):
        add_phone(stranger, phone)
    assert make.now_of(stranger).level == 0


def test_a_dormant_phone_goes_to_whoever_proves_it_in_wechat(citizen: Callable[..., Any], heard: list[Any]) -> None:
    phone = make.phone_number()
    old, _ = citizen(level=2, phone=phone)
    new = make.signed_in_by_wechat(WeChatIdentity(make.openid()))
    with clock.shift(timedelta(days=91)):
        assert add_phone(new, phone).level == 1
        assert make.now_of(new).subject_id == new.subject_id
        assert make.now_of(old).level == 0
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
