"""Codes to scan on real Valkey: two minutes, once, one browser, one phone."""

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from auth.accounts import service as accounts
from auth.accounts.errors import AccountFrozen
from auth.accounts.rules import FreezeReason
from auth.factors.scan import rules, service
from auth.factors.scan.errors import ScanCodeInvalid
from auth.factors.scan.rules import State
from auth.factors.scan.service import Asking, Offer
from auth.sessions import service as sessions
from auth.sessions.models import CitizenSession, LoginEvent
from auth.sessions.rules import Origin
from auth.sessions.service import Tokens
from core import cache, clock
from core.actors import Citizen, System
from core.db import transaction
from core.errors import NotAuthenticated, SourceUnavailable
from core.settings import Settings
from tests.sandbox_client import free_port

pytestmark = pytest.mark.usefixtures("database")

OWN = "http://localhost"
BROWSER = "secret-of-the-browser"
AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36"


def offer(browser: str = BROWSER) -> Offer:
    return service.offer(browser=browser, site_zh="不动产网", site_en="Property", device=AGENT, address="183.136.4.5")


def look(actor: Citizen, code: str, address: str = "183.136.4.5") -> Asking:
    return service.look_up(actor=actor, scanned=OWN + rules.PATH + code, own=OWN, address=address)


def answer(actor: Citizen, code: str, *, confirm: bool = True) -> None:
    service.answer(actor=actor, scanned=code, own=OWN, confirm=confirm)


@pytest.fixture
def person(citizen: Callable[..., Any]) -> Citizen:
    actor: Citizen = citizen(level=2)[0]
    return actor


@pytest.fixture
def stranger(citizen: Callable[..., Any]) -> Citizen:
    actor: Citizen = citizen(level=2)[0]
    return actor


def test_scanned_and_confirmed_once(person: Citizen) -> None:
    code = offer().code
    assert service.collect(browser=BROWSER, code=code).state is State.WAITING
    asked = look(person, code)
    assert (asked.site_zh, asked.site_en, asked.same_network) == ("不动产网", "Property", True)
    assert asked.device == AGENT
    assert 0 < asked.expires_in <= 120
    assert service.collect(browser=BROWSER, code=code).state is State.SEEN
    answer(person, code)
    collected = service.collect(browser=BROWSER, code=code)
    assert (collected.state, collected.session_id) == (State.CONFIRMED, person.session_id)
    assert service.collect(browser=BROWSER, code=code).state is State.OVER


def test_refused(person: Citizen) -> None:
    code = offer().code
    look(person, code)
    answer(person, code, confirm=False)
    assert service.collect(browser=BROWSER, code=code) == service.Collected(State.REFUSED)
    assert service.collect(browser=BROWSER, code=code).state is State.OVER


def test_another_browser_learns_nothing_and_takes_nothing(person: Citizen) -> None:
    code = offer().code
    look(person, code)
    answer(person, code)
    assert service.collect(browser="another", code=code) == service.Collected(State.OVER)
    assert service.collect(browser=BROWSER, code=code).state is State.CONFIRMED


def test_the_first_phone_is_the_only_one(person: Citizen, stranger: Citizen) -> None:
    code = offer().code
    look(person, code)
    look(person, code)
    with pytest.raises(ScanCodeInvalid):
        look(stranger, code)
    with pytest.raises(ScanCodeInvalid):
        answer(stranger, code)
    answer(person, code)


def test_no_answer_without_having_looked(person: Citizen) -> None:
    code = offer().code
    with pytest.raises(ScanCodeInvalid):
        answer(person, code)
    assert service.collect(browser=BROWSER, code=code).state is State.WAITING


def test_an_answer_stands(person: Citizen) -> None:
    code = offer().code
    look(person, code)
    answer(person, code, confirm=False)
    with pytest.raises(ScanCodeInvalid):
        answer(person, code)
    with pytest.raises(ScanCodeInvalid):
        look(person, code)


def test_two_minutes(person: Citizen) -> None:
    made = offer()
    assert made.expires_in == 120
    (key,) = cache.client().keys("scan:*")
    assert 118 <= int(cache.client().ttl(key)) <= 120
    cache.client().delete(key)
    with pytest.raises(ScanCodeInvalid):
        look(person, made.code)
    assert service.collect(browser=BROWSER, code=made.code).state is State.OVER


def test_a_confirmation_waits_half_a_minute(person: Citizen) -> None:
    code = offer().code
    look(person, code)
    answer(person, code)
    (key,) = cache.client().keys("scan:*")
    assert 28 <= int(cache.client().ttl(key)) <= 30


def test_only_hashes_are_kept() -> None:
    code = offer().code
    (key,) = cache.client().keys("scan:*")
    assert code not in key
    assert BROWSER not in cache.client().hgetall(key).values()


@pytest.mark.parametrize("scanned", ["", "https://evil.example/oidc/scan/", "short", "x" * 65, "有字", "a b" * 10])
def test_made_up_codes(person: Citizen, scanned: str) -> None:
    with pytest.raises(ScanCodeInvalid):
        service.look_up(actor=person, scanned=scanned, own=OWN, address=None)


def test_a_code_of_another_address_is_none(person: Citizen) -> None:
    code = offer().code
    with pytest.raises(ScanCodeInvalid):
        service.look_up(actor=person, scanned="https://evil.example" + rules.PATH + code, own=OWN, address=None)


def test_another_network_is_told(person: Citizen) -> None:
    assert look(person, offer().code, "115.1.2.3").same_network is False


def test_two_phones_at_once(person: Citizen, stranger: Citizen) -> None:
    code = offer().code
    seen: list[Citizen] = []

    def scan(actor: Citizen) -> None:
        try:
            look(actor, code)
            seen.append(actor)
        except ScanCodeInvalid:
            pass

    threads = [threading.Thread(target=scan, args=(actor,)) for actor in (person, stranger) * 5]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(seen)) == 1


def test_the_browser_is_collected_for_once_at_once(person: Citizen) -> None:
    code = offer().code
    look(person, code)
    answer(person, code)
    states: list[State] = []
    threads = [
        threading.Thread(target=lambda: states.append(service.collect(browser=BROWSER, code=code).state))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert states.count(State.CONFIRMED) == 1


def test_redis_away(person: Citizen, settings: Settings) -> None:
    cache.configure(f"redis://127.0.0.1:{free_port()}/0")
    try:
        for act in (offer, lambda: look(person, "x" * 32), lambda: service.collect(browser=BROWSER, code="x" * 32)):
            with pytest.raises(SourceUnavailable):
                act()
    finally:
        cache.configure(settings.redis_url)


def opened(confirmed_by: UUID) -> Tokens:
    with transaction() as session:
        made = service.sign_in(session, confirmed_by=confirmed_by, origin=Origin("H5", "183.136.4.5", AGENT))
    assert isinstance(made, Tokens)
    return made


def test_the_new_session_is_the_same_person_at_the_same_level(person: Citizen) -> None:
    tokens = opened(person.session_id)
    assert tokens.level == 2
    with transaction() as session:
        row = session.get_one(CitizenSession, tokens.session_id)
        phone = session.get_one(CitizenSession, person.session_id)
        assert (row.subject_id, row.channel, row.wechat_binding_id) == (
            person.subject_id,
            "H5",
            phone.wechat_binding_id,
        )
        noted = session.scalars(select(LoginEvent).where(LoginEvent.method == "SCAN")).all()
        assert [(line.subject_id, line.result) for line in noted] == [(person.subject_id, "OK")]


def test_a_restricted_session_hands_over_a_restricted_one(person: Citizen) -> None:
    """ID-4: what the phone has not proven, its browser has not either."""
    with transaction() as session:
        sessions.restrict(session, subject_id=person.subject_id, proofs_since=clock.now())
    tokens = opened(person.session_id)
    assert tokens.level == 1


def test_a_phone_signed_out_meanwhile(person: Citizen) -> None:
    with transaction() as session:
        sessions.sign_out(session, actor=person)
    with pytest.raises(NotAuthenticated):
        opened(person.session_id)


def test_a_frozen_account(person: Citizen) -> None:
    with transaction() as session:
        accounts.freeze(session, actor=System("tests"), subject_id=person.subject_id, reason=FreezeReason.DEATH)
    with transaction() as session:
        made = service.sign_in(session, confirmed_by=person.session_id, origin=Origin("H5"))
    assert isinstance(made, AccountFrozen)
    with transaction() as session:
        assert session.scalars(select(LoginEvent.result).where(LoginEvent.method == "SCAN")).all() == ["FROZEN"]
