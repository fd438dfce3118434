"""Sessions on the real database: refresh families, ending, history (ID-9)."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from auth.accounts import service as accounts
from auth.accounts.events import AccountChange, AccountChanged
from auth.accounts.rules import FreezeReason
from auth.identity import service as identity
from auth.identity.rules import EvidenceType
from auth.sessions import authenticator, jobs, queries, rules, service
from auth.sessions.models import CitizenSession, LoginEvent, RefreshToken
from auth.sessions.rules import LoginResult, Method, Origin
from auth.sessions.service import Tokens
from core import clock, events
from core.actors import Channel, Citizen, System
from core.db import transaction
from core.errors import NotAuthenticated, NotFound

pytestmark = pytest.mark.usefixtures("database")

_heard: list[AccountChanged] = []


def _hear(_session: object, event: AccountChanged) -> None:
    _heard.append(event)


@pytest.fixture
def heard() -> Iterator[list[AccountChanged]]:
    events.subscribe(AccountChanged, _hear)
    _heard.clear()
    yield _heard
    _heard.clear()


def sign_in(channel: Channel = "APP", subject_id: UUID | None = None) -> Tokens:
    with transaction() as session:
        return service.open_session(
            session,
            subject_id=subject_id or accounts.open_subject(session),
            origin=Origin(channel, "10.0.0.1", "a phone"),
            method=Method.PHONE_CODE,
        )


def refresh(token: str) -> Tokens | None:
    with transaction() as session:
        return service.refresh(session, refresh_token=token, address="10.0.0.2", device="a phone")


def refreshed(token: str) -> Tokens:
    tokens = refresh(token)
    assert tokens is not None
    return tokens


def alive(tokens: Tokens) -> bool:
    try:
        authenticator.citizen_of(tokens.access_token)
    except NotAuthenticated:
        return False
    return True


def age(token: str, by: timedelta) -> None:
    """Let `by` pass since the refresh token was used."""
    with transaction() as session:
        session.execute(
            update(RefreshToken)
            .where(RefreshToken.token_hash == rules.token_digest(token))
            .values(used_at=RefreshToken.used_at - by)
        )


def row(session_id: UUID) -> CitizenSession:
    with transaction() as session:
        return session.get_one(CitizenSession, session_id)


@pytest.mark.parametrize("channel", list(rules.LIFETIMES))
def test_a_session_lives_as_its_channel_says(channel: Channel) -> None:
    tokens = sign_in(channel)
    found = row(tokens.session_id)
    assert found.expires_at - found.created_at == rules.LIFETIMES[channel].session
    assert tokens.refresh_expires_in == int(rules.LIFETIMES[channel].session.total_seconds())
    assert tokens.expires_in == min(900, tokens.refresh_expires_in)
    assert alive(tokens)


def test_the_refresh_token_is_stored_as_a_hash_only() -> None:
    tokens = sign_in()
    with transaction() as session:
        stored = session.scalars(select(RefreshToken)).one()
    assert tokens.refresh_token.encode() not in stored.token_hash
    assert stored.token_hash == rules.token_digest(tokens.refresh_token)
    assert tokens.refresh_token not in repr(tokens)
    assert tokens.access_token not in repr(tokens)


def test_refresh_tokens_rotate() -> None:
    first = sign_in()
    second = refreshed(first.refresh_token)
    third = refreshed(second.refresh_token)
    assert len({first.refresh_token, second.refresh_token, third.refresh_token}) == 3
    assert {first.session_id, second.session_id, third.session_id} == {first.session_id}
    assert row(first.session_id).address == "10.0.0.2"


def test_a_reused_refresh_token_ends_the_family(heard: list[AccountChanged]) -> None:
    """ID-9: the thief's copy and the owner's are told apart by nobody, so both are out, and the owner is told."""
    first = sign_in()
    second = refreshed(first.refresh_token)
    age(first.refresh_token, rules.REPEAT_WITHIN + timedelta(seconds=1))
    assert refresh(first.refresh_token) is None
    assert refresh(second.refresh_token) is None
    assert not alive(second)
    found = row(first.session_id)
    assert found.end_reason == rules.EndReason.TOKEN_REUSED
    with transaction() as session:
        reused = session.scalars(select(LoginEvent).where(LoginEvent.result == LoginResult.REUSED)).one()
    assert reused.subject_id == found.subject_id
    assert [(e.subject_id, e.change) for e in heard] == [(found.subject_id, AccountChange.DEVICE_SIGNED_OUT)]


def test_a_lost_answer_locks_nobody_out(heard: list[AccountChanged]) -> None:
    first = sign_in()
    lost = refreshed(first.refresh_token)
    again = refreshed(first.refresh_token)
    assert again.refresh_token != lost.refresh_token
    assert refreshed(again.refresh_token)
    assert heard == []


def test_the_lost_successor_is_void(heard: list[AccountChanged]) -> None:
    first = sign_in()
    lost = refreshed(first.refresh_token)
    again = refreshed(first.refresh_token)
    age(lost.refresh_token, rules.REPEAT_WITHIN + timedelta(seconds=1))
    assert refresh(lost.refresh_token) is None
    assert refresh(again.refresh_token) is None
    assert len(heard) == 1


def test_no_repeat_after_the_successor_was_used() -> None:
    """Within the ten seconds, too: then the answer did arrive."""
    first = sign_in()
    second = refreshed(first.refresh_token)
    refreshed(second.refresh_token)
    assert refresh(first.refresh_token) is None
    assert not alive(second)


def test_many_refreshes_at_once_leave_one_line() -> None:
    """Eight requests with one token: each gets a pair or the family ends, but no two open lines are left."""
    first = sign_in()
    together = threading.Barrier(8)

    def run() -> None:
        together.wait()
        refresh(first.refresh_token)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with transaction() as session:
        unused = session.scalar(select(func.count()).select_from(RefreshToken).where(RefreshToken.used_at.is_(None)))
        assert session.scalar(select(func.count()).select_from(RefreshToken)) == 9
    assert unused == 1


def test_an_app_session_slides_and_the_others_do_not() -> None:
    app, page = sign_in("APP"), sign_in("H5")
    with transaction() as session:
        session.execute(update(CitizenSession).values(expires_at=CitizenSession.expires_at - timedelta(hours=20)))
    before = row(page.session_id).expires_at
    refreshed(app.refresh_token)
    refreshed(page.refresh_token)
    assert row(app.session_id).expires_at > clock.wall() + timedelta(days=29, hours=23)
    assert row(page.session_id).expires_at == before


@pytest.mark.parametrize("token", ["", "x", "A" * 43])
def test_an_unknown_refresh_token_is_worth_nothing(token: str) -> None:
    assert refresh(token) is None


def test_an_expired_session_is_not_refreshed() -> None:
    tokens = sign_in()
    with transaction() as session:
        session.execute(update(CitizenSession).values(expires_at=clock.wall()))
    assert refresh(tokens.refresh_token) is None
    assert row(tokens.session_id).ended_at is None


def test_a_frozen_person_is_not_refreshed() -> None:
    tokens = sign_in()
    with transaction() as session:
        accounts.freeze(
            session, actor=System("test"), subject_id=row(tokens.session_id).subject_id, reason=FreezeReason.DEATH
        )
    assert refresh(tokens.refresh_token) is None


def test_a_shifted_business_clock_signs_nobody_out() -> None:
    tokens = sign_in("KIOSK")
    with clock.shift(timedelta(days=5)):
        assert alive(tokens)
        assert refresh(tokens.refresh_token) is not None


def test_signing_out_ends_the_session_at_once(citizen: Callable[..., Any]) -> None:
    actor, headers = citizen(level=2)
    token = headers["Authorization"].removeprefix("Bearer ")
    assert authenticator.citizen_of(token) == actor
    with transaction() as session:
        service.sign_out(session, actor=actor)
    with pytest.raises(NotAuthenticated):
        authenticator.citizen_of(token)


def test_a_person_sees_and_ends_its_own_sessions_only(citizen: Callable[..., Any]) -> None:
    (actor, _), (other, _) = citizen(level=1), citizen(level=1)
    lost = sign_in("APP", actor.subject_id)
    with transaction() as session:
        seen = queries.sessions(session, actor)
        assert [(d.id, d.current) for d in seen] == [(lost.session_id, False), (actor.session_id, True)]
        with pytest.raises(NotFound):
            service.end_session(session, actor=actor, session_id=other.session_id)
        service.end_session(session, actor=actor, session_id=lost.session_id)
        assert [d.id for d in queries.sessions(session, actor)] == [actor.session_id]
        with pytest.raises(NotFound):
            service.end_session(session, actor=actor, session_id=lost.session_id)
    assert refresh(lost.refresh_token) is None


def test_losing_a_factor_ends_the_sessions_signed_in_by_it(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=1)
    with transaction() as session:
        found = session.get_one(CitizenSession, actor.session_id)
        phone, wechat = found.phone_binding_id, found.wechat_binding_id
        opened = {
            name: service.open_session(
                session,
                subject_id=actor.subject_id,
                origin=Origin("H5"),
                method=Method.PHONE_CODE,
                phone_binding_id=binding,
            )
            for name, binding in (("by phone", phone), ("by nothing", None))
        }
    with transaction() as session:
        service.end_signed_in_by(session, subject_id=actor.subject_id, phone_binding_id=phone, wechat_binding_id=None)
    assert row(opened["by phone"].session_id).ended_at is not None
    assert row(opened["by nothing"].session_id).ended_at is None
    assert row(actor.session_id).ended_at is None, "it was signed in by WeChat and only added the phone"
    with transaction() as session:
        service.end_signed_in_by(session, subject_id=actor.subject_id, phone_binding_id=None, wechat_binding_id=wechat)
    assert row(actor.session_id).ended_at is not None
    assert row(opened["by nothing"].session_id).ended_at is None


def test_reissue_tells_the_level_of_now(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=0)
    with transaction() as session:
        identity.prove_factor(session, subject_id=actor.subject_id, kind=EvidenceType.PHONE, subject_hash=b"p")
        fresh = service.reissue(session, actor.session_id)
    assert fresh.level == 1
    assert authenticator.citizen_of(fresh.access_token) == Citizen(actor.subject_id, actor.session_id, 1, "WXMP")


def test_the_database_wants_a_reason_for_an_end() -> None:
    sign_in()
    with pytest.raises(IntegrityError, match="ended_has_reason"), transaction() as session:
        session.execute(update(CitizenSession).values(ended_at=clock.wall()))


def test_what_is_long_over_is_forgotten() -> None:
    old, new = sign_in(), sign_in()
    refreshed(old.refresh_token)
    with transaction() as session:
        past = clock.wall() - rules.KEEP_OVER - timedelta(minutes=1)
        session.execute(update(CitizenSession).where(CitizenSession.id == old.session_id).values(expires_at=past))
        history = select(LoginEvent.id).order_by(LoginEvent.id).limit(1).scalar_subquery()
        session.execute(
            update(LoginEvent)
            .where(LoginEvent.id == history)
            .values(at=clock.wall() - rules.KEEP_HISTORY - timedelta(minutes=1))
        )
    with transaction() as session:
        assert service.prune(session) == 2
        assert service.prune(session) == 0
    with transaction() as session:
        assert list(session.scalars(select(CitizenSession.id))) == [new.session_id]
        assert set(session.scalars(select(RefreshToken.session_id))) == {new.session_id}
        assert session.scalar(select(func.count()).select_from(LoginEvent)) == 1


def test_the_history_of_one_person_a_page_at_a_time(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=1)
    for _ in range(2):
        sign_in("H5", actor.subject_id)
    sign_in()
    with transaction() as session:
        first = queries.sign_ins(session, actor, {"limit": 2, "cursor": None})
        rest = queries.sign_ins(session, actor, {"limit": 2, "cursor": first.next_cursor})
    assert [e.channel for e in first.items] == ["H5", "H5"]
    assert [e.channel for e in rest.items] == ["WXMP"]
    assert rest.next_cursor is None


def test_the_nightly_job_forgets_in_batches_until_nothing_is_left() -> None:
    for _ in range(3):
        sign_in()
    with transaction() as session:
        session.execute(update(CitizenSession).values(expires_at=clock.wall() - timedelta(days=31)))
    jobs.prune()
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(CitizenSession)) == 0
        assert session.scalar(select(func.count()).select_from(RefreshToken)) == 0
        assert session.scalar(select(func.count()).select_from(LoginEvent)) == 3
