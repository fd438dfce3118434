"""Another phone or WeChat account (ID-3), phones that changed hands or are shared (ID-4)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from auth.accounts import queries as people
from auth.accounts import service as accounts
from auth.accounts.errors import DocumentDiffers, PhoneHeldByAnother
from auth.accounts.models import PhoneBinding
from auth.accounts.ports import WeChatIdentity
from auth.factors.errors import CodeWrong
from auth.identity import queries as evidence
from auth.identity.rules import Purpose
from auth.rebinding import service
from auth.rebinding.errors import NotANewOwner
from auth.sessions.service import Fresh
from core import clock
from core.actors import Citizen
from core.db import transaction
from core.errors import AuthLevelTooLow, NotAuthenticated, NotFound
from core.identifiers import DocumentNumber
from notifications.messages.models import Message
from tests.factories import auth as make
from tests.factories.identity import CLERK, answer, fresh_proof, level_of, level_without_session, prove, subject_of
from tests.sandbox_client import Sandbox

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture(autouse=True)
def request_context(app: Flask) -> Any:
    """A refusal for a level names the ways in the request's language."""
    with app.test_request_context():
        yield


def change(actor: Citizen, phone: str, *, proven: bool = True) -> Fresh:
    with transaction() as session:
        return service.change_phone(session, actor=actor, phone=phone, proven=proven)


def phone_of(subject_id: Any) -> str | None:
    with transaction() as session:
        return people.contact(session, subject_id).phone


def notes_to(subject_id: Any) -> list[str]:
    with transaction() as session:
        rows = session.scalars(
            select(Message.fields).where(Message.receiver_id == subject_id, Message.template == "SECURITY_NOTICE")
        )
        return list(rows)


def test_a_new_phone_takes_a_fresh_proof(citizen: Callable[..., Any]) -> None:
    """ID-3: level 4 for this very act; the other devices are signed out, the person is told."""
    old, new, card = make.phone_number(), make.phone_number(), make.resident_id()
    actor, _ = citizen(level=3, phone=old, document=card)
    with transaction() as session:
        elsewhere = make.sign_in_again(session, actor)
    with pytest.raises(AuthLevelTooLow) as refused:
        change(actor, new)
    assert refused.value.extra["purpose"] == "CHANGE_PHONE"
    fresh_proof(actor, Purpose.CHANGE_WECHAT, card)
    with pytest.raises(AuthLevelTooLow):
        change(actor, new)
    fresh_proof(actor, Purpose.CHANGE_PHONE, card)
    assert change(actor, new).level == 3
    assert phone_of(actor.subject_id) == new
    assert level_of(actor) == 3
    with pytest.raises(NotAuthenticated):
        level_of(elsewhere)
    assert any("手机号已更换" in note for note in notes_to(actor.subject_id))
    with transaction() as session:
        ended = session.scalars(select(PhoneBinding.end_reason).where(PhoneBinding.ended_at.is_not(None))).all()
        assert ended == ["REPLACED"]
        assert people.find_by_phone(session, old) is None
    with pytest.raises(AuthLevelTooLow):
        change(actor, make.phone_number())


def test_the_old_phone_is_told(citizen: Callable[..., Any], sandbox: Sandbox, run_jobs: Callable[..., None]) -> None:
    """ID-3: whoever holds the old number hears of it, though messages go to the new one from now on."""
    old, card = make.phone_number(), make.resident_id()
    actor, _ = citizen(level=3, phone=old, document=card)
    fresh_proof(actor, Purpose.CHANGE_PHONE, card)
    change(actor, make.phone_number())
    run_jobs(all=True)
    texts = [m["text"] for m in sandbox.get("outbox.json", phone=old.removeprefix("+86"))["messages"]]
    assert len(texts) == 1
    assert "本号码不再用于登录" in texts[0]


def test_a_wrong_code_changes_nothing(citizen: Callable[..., Any]) -> None:
    card = make.resident_id()
    actor, _ = citizen(level=3, document=card)
    fresh_proof(actor, Purpose.CHANGE_PHONE, card)
    with pytest.raises(CodeWrong):
        change(actor, make.phone_number(), proven=False)
    change(actor, make.phone_number())


def test_typing_the_own_number_uses_no_proof_up(citizen: Callable[..., Any]) -> None:
    phone = make.phone_number()
    actor, _ = citizen(level=3, phone=phone)
    assert change(actor, phone).level == 3
    assert phone_of(actor.subject_id) == phone


def test_who_has_proven_nothing_changes_the_phone_by_its_code(citizen: Callable[..., Any]) -> None:
    old, new = make.phone_number(), make.phone_number()
    (actor, _), (proven, _) = citizen(level=1, phone=old), citizen(level=2)
    assert change(actor, new).level == 1
    assert phone_of(actor.subject_id) == new
    held = phone_of(proven.subject_id)
    assert held is not None
    with pytest.raises(PhoneHeldByAnother):
        change(actor, held)


@pytest.mark.parametrize("carrier", ["162", "165", "167", "170", "171", "192"])
def test_virtual_and_new_carriers_are_phones_like_others(citizen: Callable[..., Any], carrier: str) -> None:
    actor, _ = citizen(level=1)
    change(actor, f"+86{carrier}12345678")
    assert phone_of(actor.subject_id) == f"+86{carrier}12345678"


def test_another_s_phone_changes_hands(citizen: Callable[..., Any]) -> None:
    """ID-4: OTP and a proof beyond level 3; the old owner is told and drops until a phone is proven again."""
    phone, card, theirs = make.phone_number(), make.resident_id(), make.resident_id()
    (old, _), (new, _) = citizen(level=3, phone=phone, document=theirs), citizen(level=3, document=card)
    fresh_proof(new, Purpose.CHANGE_PHONE, card)
    assert change(new, phone).level == 3
    assert phone_of(new.subject_id) == phone
    assert level_without_session(old.subject_id) <= 2
    assert any("新的使用人" in note for note in notes_to(old.subject_id))


# At the counter ---------------------------------------------------------------------------------------------------------


def at_counter(card: DocumentNumber, phone: str, *, name: str = "张三", proven: bool = True) -> Any:
    with transaction() as session:
        return service.change_phone_at_counter(
            session, actor=CLERK, name=name, document=card, phone=phone, proven=proven
        )


def test_who_lost_the_phone_gets_another_at_the_counter(citizen: Callable[..., Any]) -> None:
    old, new, card = make.phone_number(), make.phone_number(), make.resident_id()
    actor, _ = citizen(level=2, phone=old, document=card)
    assert at_counter(card, new) == actor.subject_id
    assert phone_of(actor.subject_id) == new
    with pytest.raises(NotAuthenticated):
        level_of(actor)
    again = make.signed_in_by_phone(new)
    assert again.subject_id == actor.subject_id
    assert prove(again, answer(card)).insist().level == 2
    finder = make.signed_in_by_phone(old)
    assert finder.subject_id != actor.subject_id, "whoever found the old phone is somebody new"


def test_what_the_counter_refuses(citizen: Callable[..., Any]) -> None:
    card = make.resident_id()
    actor, _ = citizen(level=2, document=card)
    before = phone_of(actor.subject_id)
    with pytest.raises(NotFound):
        at_counter(make.resident_id(), make.phone_number())
    with pytest.raises(DocumentDiffers):
        at_counter(card, make.phone_number(), name="李四")
    with pytest.raises(CodeWrong):
        at_counter(card, make.phone_number(), proven=False)
    assert (phone_of(actor.subject_id), level_of(actor)) == (before, 2)


# WeChat ---------------------------------------------------------------------------------------------------------------------


def change_wechat(actor: Citizen, openid: str) -> Fresh:
    with transaction() as session:
        return service.change_wechat(session, actor=actor, identity_of=WeChatIdentity(openid))


def test_another_wechat_account_takes_a_fresh_proof_too(citizen: Callable[..., Any]) -> None:
    card, openid = make.resident_id(), make.openid()
    actor, _ = citizen(level=3, document=card)
    with transaction() as session:
        before = people.contact(session, actor.subject_id).openid
        elsewhere = make.sign_in_again(session, actor)
    assert before is not None
    with pytest.raises(AuthLevelTooLow) as refused:
        change_wechat(actor, openid)
    assert refused.value.extra["purpose"] == "CHANGE_WECHAT"
    fresh_proof(actor, Purpose.CHANGE_WECHAT, card)
    assert change_wechat(actor, openid).level == 3
    with pytest.raises(NotAuthenticated):
        level_of(elsewhere)
    assert make.signed_in_by_wechat(WeChatIdentity(openid)).subject_id == actor.subject_id
    assert make.signed_in_by_wechat(WeChatIdentity(before)).subject_id != actor.subject_id
    assert change_wechat(actor, openid).level == 3, "the own one: nothing to prove"


def test_another_s_wechat_account_changes_hands(citizen: Callable[..., Any]) -> None:
    """ID-3: one WeChat account belongs to one subject at a time."""
    card, openid = make.resident_id(), make.openid()
    old = make.signed_in_by_wechat(WeChatIdentity(openid))
    new, _ = citizen(level=3, document=card)
    fresh_proof(new, Purpose.CHANGE_WECHAT, card)
    change_wechat(new, openid)
    with pytest.raises(NotAuthenticated):
        level_of(old)
    assert make.signed_in_by_wechat(WeChatIdentity(openid)).subject_id == new.subject_id
    assert any("微信" in note for note in notes_to(old.subject_id))
    unproven, _ = citizen(level=1)
    with pytest.raises(PhoneHeldByAnother):
        change_wechat(unproven, openid)


# 此号码已换主 ---------------------------------------------------------------------------------------------------------------


def declare(actor: Citizen) -> Fresh:
    with transaction() as session:
        return service.declare_new_owner(session, actor=actor)


def test_a_new_owner_says_so_and_sees_nothing_of_the_old_one(citizen: Callable[..., Any]) -> None:
    phone = make.phone_number()
    old, _ = citizen(level=3, phone=phone)
    new = make.signed_in_by_phone(phone)
    assert (new.subject_id, new.level) == (old.subject_id, 1)
    assert declare(new).level == 1
    assert subject_of(new) != old.subject_id
    with transaction() as session:
        account = evidence.account(session, make.now_of(new), language="zh")
        assert (account.name, account.document_number) == (None, None)
        assert people.find_by_phone(session, phone) == subject_of(new)
    assert phone_of(old.subject_id) is None
    assert any("新的使用人" in note for note in notes_to(old.subject_id))
    with pytest.raises(NotANewOwner):
        declare(make.now_of(new))


def test_nobody_gives_a_phone_away_by_mistake(citizen: Callable[..., Any]) -> None:
    """Not in a WeChat session, and not after the person has proven who it is."""
    phone, card = make.phone_number(), make.resident_id()
    owner, _ = citizen(level=3, phone=phone, document=card)
    with pytest.raises(NotANewOwner):
        declare(owner)
    again = make.signed_in_by_phone(phone)
    prove(again, answer(card)).insist()
    with pytest.raises(NotANewOwner):
        declare(make.now_of(again))
    assert phone_of(owner.subject_id) == phone


# Shared and recycled phones (ID-4) ----------------------------------------------------------------------------------------


def test_an_elderly_couple_with_one_phone(citizen: Callable[..., Any]) -> None:
    """It belongs to one of them at a time; whoever proves the identity has it, and nobody's rights are lost."""
    phone, hers, his = make.phone_number(), make.resident_id(), make.resident_id()
    wife, _ = citizen(level=3, phone=phone, document=hers)
    for _turn in range(2):
        husband = make.signed_in_by_phone(phone)
        assert prove(husband, answer(his, name="李四")).insist().level == 2
        with transaction() as session:
            assert people.find_by_phone(session, phone) == people.find_by_document(session, his)
        again = make.signed_in_by_phone(phone)
        assert prove(again, answer(hers)).insist().level == 2
        assert subject_of(again) == wife.subject_id
    assert level_without_session(wife.subject_id) == 3, (
        "what she proved at the counter still counts once she has a phone again"
    )


def test_a_village_shares_a_phone_for_messages(citizen: Callable[..., Any]) -> None:
    """A phone told at a counter is for messages: many may name one, and it signs nobody in."""
    phone = make.phone_number()
    owner, _ = citizen(level=2, phone=phone)
    with transaction() as session:
        others = [
            accounts.open_for_walk_in(session, actor=CLERK, name="张三", document=make.resident_id(), phone=phone)
            for _ in range(3)
        ]
    assert {phone_of(subject_id) for subject_id in others} == {phone}
    assert make.signed_in_by_phone(phone).subject_id == owner.subject_id


def test_after_ninety_days_a_code_shows_nothing_of_the_old_owner(citizen: Callable[..., Any]) -> None:
    """ID-4: an unused number may have been given out again; who proves the old identity is that person again."""
    phone, card = make.phone_number(), make.resident_id()
    old, _ = citizen(level=3, phone=phone, document=card)
    with clock.shift(timedelta(days=91)):
        new = make.signed_in_by_phone(phone)
        assert new.subject_id != old.subject_id
        assert any("新的使用人" in note for note in notes_to(old.subject_id))
        prove(new, answer(card)).insist()
        assert subject_of(new) == old.subject_id
