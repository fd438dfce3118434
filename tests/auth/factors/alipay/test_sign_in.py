"""Signing in with Alipay, through the sandbox's page and gateway (PROTOCOLS 3.2)."""

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from auth.accounts import service as accounts
from auth.accounts.alipay import service as bindings
from auth.accounts.alipay.errors import AlipayCodeInvalid
from auth.accounts.alipay.ports import AlipayIdentity
from auth.accounts.errors import AccountFrozen
from auth.accounts.models import AlipayBinding
from auth.accounts.ports import WeChatPhone
from auth.accounts.rules import FreezeReason
from auth.factors import service as factors
from auth.factors.alipay import rules, service
from auth.factors.alipay.errors import AlipayNotHere
from auth.identity import service as identity
from auth.sessions import authenticator
from auth.sessions.models import LoginEvent
from auth.sessions.rules import Origin
from core.actors import Citizen, System
from core.db import transaction
from core.errors import SourceUnavailable
from core.identifiers import DocumentType, normalise_document
from tests.alipay_browser import ids, login_code, visit
from tests.factories import auth as make
from tests.sandbox_client import Sandbox

pytestmark = pytest.mark.usefixtures("database")

CARD = normalise_document(DocumentType.RESIDENT_ID, "330299199003070013")
H5 = Origin("H5", "127.0.0.1", "Mozilla/5.0 (iPhone) Safari")


@pytest.fixture(autouse=True)
def _new_application(sandbox: Sandbox) -> Iterator[None]:
    ids(sandbox, "open_id")
    yield
    ids(sandbox, "open_id")


def address(origin: Origin = H5) -> tuple[str, str]:
    with transaction() as session:
        return service.start(session, origin=origin, return_to="/me", holder="browser")


def identity_of(sandbox: Sandbox, persona: str) -> AlipayIdentity:
    return service.ask(login_code(sandbox, address()[0], persona))


def signed_in(answer: AlipayIdentity, origin: Origin = H5) -> Citizen:
    with transaction() as session:
        outcome = service.sign_in(session, answer=answer, origin=origin)
    return authenticator.citizen_of(outcome.insist().access_token)


def test_through_the_page_and_back(sandbox: Sandbox) -> None:
    url, state = address()
    back = visit(url, "zhang-wei")
    assert back["state"] == state
    with transaction() as session:
        assert service.finish(session, state=state, holder="browser").channel == "H5"
    actor = signed_in(service.ask(back["auth_code"]))
    assert (actor.level, actor.channel) == (0, "H5"), "an Alipay account alone is level 0: a phone is still needed"
    assert signed_in(identity_of(sandbox, "zhang-wei")).subject_id == actor.subject_id
    assert signed_in(identity_of(sandbox, "li-na")).subject_id != actor.subject_id
    with transaction() as session:
        assert set(session.scalars(select(LoginEvent.method))) == {"ALIPAY"}


def test_whoever_refuses_brings_no_code() -> None:
    back = visit(address()[0], None)
    assert "auth_code" not in back
    assert back["state"]


def test_a_code_works_once(sandbox: Sandbox) -> None:
    code = login_code(sandbox, address()[0], "zhang-wei")
    service.ask(code)
    for used in (code, "made-up"):
        with pytest.raises(AlipayCodeInvalid):
            service.ask(used)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("error", None),
        ("error", "isp.unknow-error"),
        ("error", "isv.invalid-signature"),
        ("garbage", None),
        ("timeout", 0.1),
        ("wrong_signature", None),
    ],
)
def test_alipay_away_slow_or_forged_is_said_so(sandbox: Sandbox, kind: str, value: object) -> None:
    code = login_code(sandbox, address()[0], "zhang-wei")
    sandbox.fault("alipay", kind, value=value)
    with pytest.raises(SourceUnavailable):
        service.ask(code)


def test_a_lost_answer_is_not_asked_for_again(sandbox: Sandbox) -> None:
    code = login_code(sandbox, address()[0], "zhang-wei")
    sandbox.fault("alipay", "drop_response_after_effect")
    with pytest.raises(SourceUnavailable):
        service.ask(code)
    calls = [
        call for call in sandbox.get("calls.json", partner="alipay")["calls"] if "oauth.token" in call["operation"]
    ]
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("channel", "device", "opens"),
    [
        ("APP", "NingboGov/1.0 (Android)", True),
        ("H5", "Mozilla/5.0 Safari", True),
        ("H5", None, True),
        ("H5", "Mozilla/5.0 (iPhone) AppleWebKit MicroMessenger/8.0.49", False),
        ("APP", "micromessenger", False),
        ("WXMP", "anything", False),
        ("WXOA", None, False),
        ("KIOSK", None, False),
    ],
)
def test_never_inside_wechat(channel: Any, device: str | None, opens: bool) -> None:
    assert rules.opens(channel, device) is opens
    if opens:
        assert address(Origin(channel, device=device))[0]
    else:
        with pytest.raises(AlipayNotHere):
            address(Origin(channel, device=device))


def test_a_phone_makes_it_level_1(sandbox: Sandbox) -> None:
    actor = signed_in(identity_of(sandbox, "zhang-wei"))
    with transaction() as session:
        fresh = factors.add_phone(session, actor=actor, phone=WeChatPhone("+8619912300001"))
    assert fresh.level == 1
    assert signed_in(identity_of(sandbox, "zhang-wei")).level == 1


def test_an_account_that_joins_a_proven_person_joins_restricted(
    sandbox: Sandbox, citizen: Callable[..., tuple[Citizen, dict[str, str]]]
) -> None:
    """ID-4: whoever holds the phone of a proven person is not that person yet, by Alipay no more than by WeChat."""
    proven, _ = citizen(level=3, phone="+8619912300002")
    actor = signed_in(identity_of(sandbox, "zhang-wei"))
    with transaction() as session:
        factors.add_phone(session, actor=actor, phone=WeChatPhone("+8619912300002"))
    again = signed_in(identity_of(sandbox, "zhang-wei"))
    assert (again.subject_id, again.level) == (proven.subject_id, 1)


def test_a_frozen_person_does_not_sign_in(sandbox: Sandbox) -> None:
    actor = signed_in(identity_of(sandbox, "zhang-wei"))
    with transaction() as session:
        accounts.freeze(session, actor=System("tests"), subject_id=actor.subject_id, reason=FreezeReason.DEATH)
    with pytest.raises(AccountFrozen):
        signed_in(identity_of(sandbox, "zhang-wei"))
    with transaction() as session:
        assert "FROZEN" in set(session.scalars(select(LoginEvent.result)))


def test_whoever_proves_to_be_somebody_we_know_joins_that_person_with_the_account(
    sandbox: Sandbox, citizen: Callable[..., tuple[Citizen, dict[str, str]]]
) -> None:
    """ID-3: one person, one subject; the Alipay account comes along, restricted until it has proven the person itself."""
    known, _ = citizen(level=3, name="张伟", document=CARD)
    actor = signed_in(identity_of(sandbox, "zhang-wei"))
    with transaction() as session:
        factors.add_phone(session, actor=actor, phone=WeChatPhone("+8619912300004"))
    prove(actor)
    assert make.now_of(actor).subject_id == known.subject_id
    again = signed_in(identity_of(sandbox, "zhang-wei"))
    assert (again.subject_id, again.level) == (known.subject_id, 2), "what was proven before the join doesn't count"


def test_an_account_that_changed_hands_goes_with_its_new_owner(
    sandbox: Sandbox, citizen: Callable[..., tuple[Citizen, dict[str, str]]]
) -> None:
    """ID-4: it had joined a proven person by the phone alone, and now its holder proves to be somebody else."""
    old, _ = citizen(level=3, name="李娜", document=make.resident_id(11), phone="+8619912300005")
    actor = signed_in(identity_of(sandbox, "zhang-wei"))
    with transaction() as session:
        factors.add_phone(session, actor=actor, phone=WeChatPhone("+8619912300005"))
    prove(actor)
    mine = make.now_of(actor)
    assert mine.subject_id != old.subject_id
    again = signed_in(identity_of(sandbox, "zhang-wei"))
    assert (again.subject_id, again.level) == (mine.subject_id, 2)
    assert [row[0] for row in live_bindings()] == [mine.subject_id]


def prove(actor: Citizen) -> None:
    """Name and number of the persona zhang-wei, at the population source."""
    answer = identity.ask(actor=actor, name="张伟", document_type="111", document_number=CARD.number)
    with transaction() as session:
        identity.record_answer(session, actor=actor, answer=answer).insist()


# user_id and open_id -------------------------------------------------------------------------------------------------


def live_bindings() -> list[tuple[UUID, bool, bool]]:
    with transaction() as session:
        rows = session.scalars(select(AlipayBinding).where(AlipayBinding.ended_at.is_(None))).all()
        return [(row.subject_id, row.open_id is not None, row.user_id is not None) for row in rows]


def test_on_the_way_from_user_id_to_open_id_nobody_becomes_a_stranger(sandbox: Sandbox) -> None:
    seen = []
    for kind in ("user_id", "both", "open_id"):
        ids(sandbox, kind)
        seen.append(signed_in(identity_of(sandbox, "zhang-wei")).subject_id)
    assert len(set(seen)) == 1
    assert live_bindings() == [(seen[0], True, True)]


def test_one_account_that_became_two_is_one_again(sandbox: Sandbox) -> None:
    """Signed in by the old id, then by the new one alone: when both are told at last, the newer way counts."""
    ids(sandbox, "user_id")
    old = signed_in(identity_of(sandbox, "zhang-wei")).subject_id
    ids(sandbox, "open_id")
    new = signed_in(identity_of(sandbox, "zhang-wei")).subject_id
    assert old != new
    ids(sandbox, "both")
    assert signed_in(identity_of(sandbox, "zhang-wei")).subject_id == new
    assert live_bindings() == [(new, True, True)]


def test_two_first_sign_ins_at_once_make_one_subject(sandbox: Sandbox) -> None:
    answer = identity_of(sandbox, "zhang-wei")
    found: list[UUID] = []
    together = threading.Barrier(6)

    def sign_in() -> None:
        together.wait()
        found.append(signed_in(answer).subject_id)

    threads = [threading.Thread(target=sign_in) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1
    with transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM subject")) == 1


def test_an_account_belongs_to_one_subject_at_a_time(sandbox: Sandbox) -> None:
    """ID-3, kept by the database too."""
    answer = identity_of(sandbox, "zhang-wei")
    actor = signed_in(answer)
    with transaction() as session:
        other = accounts.open_subject(session)
        assert bindings.bind(session, subject_id=other, identity=answer) is None
        held = bindings.holder(session, answer)
        assert held is not None
        moved = bindings.move(session, binding_id=held.id, to=other, proofs_since=None)
        assert moved != held.id
    assert signed_in(answer).subject_id == other != actor.subject_id


def test_no_id_of_alipay_is_logged_or_stored_in_clear(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ids(sandbox, "both")
    answer = identity_of(sandbox, "zhang-wei")
    signed_in(answer)
    with transaction() as session:
        stored = session.scalar(text("SELECT b::text FROM alipay_binding b")) or ""
    for secret in (answer.open_id, answer.user_id):
        assert secret
        assert secret not in stored + caplog.text + repr(answer)
