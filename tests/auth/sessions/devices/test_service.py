"""New devices are announced; a disowned sign-in ends everything and leaves a trail."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update

from auth.accounts import service as accounts
from auth.accounts.events import SubjectsMerged
from auth.rebinding import service as rebinding
from auth.sessions import queries, service
from auth.sessions.devices import service as devices
from auth.sessions.devices.errors import RebindingFrozen
from auth.sessions.devices.models import SignInReport
from auth.sessions.models import LoginEvent
from auth.sessions.rules import LoginResult, Method, Origin
from core import clock
from core.actors import Channel, Citizen
from core.audit import AuditEntry
from core.db import transaction
from core.errors import NotAuthenticated, NotFound, StateConflict
from notifications.messages.models import Message
from tests.factories import auth as make

pytestmark = pytest.mark.usefixtures("database")

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X)"
ANDROID = "Mozilla/5.0 (Linux; Android 15)"


def subject() -> UUID:
    with transaction() as session:
        return accounts.open_subject(session)


def sign_in(subject_id: UUID, device: str, channel: Channel = "APP") -> Citizen:
    with transaction() as session:
        tokens = service.open_session(
            session, subject_id=subject_id, origin=Origin(channel, "10.0.0.1", device), method=Method.PHONE_CODE
        )
    return Citizen(subject_id, tokens.session_id, tokens.level, channel)


def notices(subject_id: UUID) -> list[str]:
    with transaction() as session:
        return list(session.scalars(select(Message.body).where(Message.receiver_id == subject_id).order_by(Message.id)))


def last_line(subject_id: UUID) -> UUID:
    with transaction() as session:
        found = session.scalar(
            select(LoginEvent.id).where(LoginEvent.subject_id == subject_id).order_by(LoginEvent.id.desc())
        )
    assert found is not None
    return found


def test_only_a_device_not_seen_before_is_announced() -> None:
    person = subject()
    sign_in(person, IPHONE)
    sign_in(person, IPHONE.replace("18_1", "18_2"))
    assert notices(person) == []
    sign_in(person, ANDROID)
    (notice,) = notices(person)
    assert "安卓手机 · “宁波政务” App" in notice
    sign_in(person, ANDROID)
    assert len(notices(person)) == 1


def test_a_device_not_seen_for_long_is_new_again() -> None:
    person = subject()
    sign_in(person, IPHONE)
    with transaction() as session:
        session.execute(update(LoginEvent).values(at=LoginEvent.at - timedelta(days=91)))
    sign_in(person, ANDROID)
    # Nothing was used lately, so there is nothing to compare with.
    assert notices(person) == []
    sign_in(person, IPHONE)
    assert len(notices(person)) == 1


def test_a_wrong_code_makes_a_device_not_known() -> None:
    person = subject()
    sign_in(person, IPHONE)
    with transaction() as session:
        service.note(
            session,
            subject_id=person,
            origin=Origin("APP", "10.0.0.9", ANDROID),
            method=Method.PHONE_CODE,
            result=LoginResult.WRONG_CODE,
        )
    sign_in(person, ANDROID)
    assert len(notices(person)) == 1


def test_disowning_ends_everything_and_tells(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=2)
    thief = sign_in(actor.subject_id, ANDROID)
    line = last_line(actor.subject_id)
    with transaction() as session:
        out = devices.disown(session, actor=actor, login_event_id=line)
    assert out.sessions_ended == 2
    for gone in (actor, thief):
        with pytest.raises(NotAuthenticated):
            make.now_of(gone)
    assert any("已退出所有设备" in body for body in notices(actor.subject_id))
    now = clock.now()
    with transaction() as session:
        until = queries.rebinding_frozen_until(session, actor.subject_id, now)
        assert until == out.rebinding_frozen_until
        assert until is not None
        assert timedelta(hours=71) < until - now <= timedelta(hours=72)
        assert queries.rebinding_frozen_until(session, actor.subject_id, now + timedelta(hours=73)) is None
        assert queries.rebinding_frozen_until(session, uuid4(), now) is None
        trail = session.scalars(select(AuditEntry).where(AuditEntry.action == "sign_in.disown")).one()
    assert (trail.object_id, trail.facts["sessions_ended"]) == (str(actor.subject_id), 2)


def test_disowning_twice_is_one_report(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=1)
    line = last_line(actor.subject_id)
    found = []

    def disown() -> None:
        with transaction() as session:
            found.append(devices.disown(session, actor=actor, login_event_id=line).report_id)

    threads = [threading.Thread(target=disown) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(SignInReport)) == 1


def test_nobody_disowns_for_others(citizen: Callable[..., Any]) -> None:
    (mine, _), (other, _) = citizen(level=1), citizen(level=1)
    for line in (last_line(other.subject_id), uuid4()):
        with pytest.raises(NotFound), transaction() as session:
            devices.disown(session, actor=mine, login_event_id=line)
    assert make.now_of(other).subject_id == other.subject_id


def test_a_report_is_closed_once_with_a_finding(citizen: Callable[..., Any], staff: Callable[..., Any]) -> None:
    actor, _ = citizen(level=1)
    admin, _ = staff("SECURITY_ADMIN")
    with transaction() as session:
        report = devices.disown(session, actor=actor, login_event_id=last_line(actor.subject_id)).report_id
        assert devices.close_report(session, actor=admin, report_id=report, finding="本人误报").closed_by
    for wrong, refusal in ((report, StateConflict), (uuid4(), NotFound)):
        with pytest.raises(refusal), transaction() as session:
            devices.close_report(session, actor=admin, report_id=wrong, finding="再次")


def test_reports_follow_a_merge(citizen: Callable[..., Any]) -> None:
    (kept, _), (absorbed, _) = citizen(level=1), citizen(level=1)
    with transaction() as session:
        devices.disown(session, actor=absorbed, login_event_id=last_line(absorbed.subject_id))
        devices.move_owner(session, SubjectsMerged(kept.subject_id, absorbed.subject_id))
        assert queries.rebinding_frozen_until(session, kept.subject_id, clock.now()) is not None


def test_a_kiosk_session_slides_but_not_for_ever() -> None:
    from auth.sessions import rules

    opened = clock.wall()
    for minutes, left in ((1, 2), (18, 2), (19, 1), (20, 0)):
        now = opened + timedelta(minutes=minutes)
        assert rules.slid_end("KIOSK", opened, now) - now == timedelta(minutes=left)


def test_nothing_is_rebound_for_a_while_after_a_disowned_sign_in() -> None:
    phone = make.phone_number()
    actor = make.signed_in_by_phone(phone)
    with transaction() as session:
        devices.disown(session, actor=actor, login_event_id=last_line(actor.subject_id))
    again = make.signed_in_by_phone(phone)
    assert again.subject_id == actor.subject_id
    with pytest.raises(RebindingFrozen) as refused, transaction() as session:
        rebinding.change_phone(session, actor=again, phone=make.phone_number(), proven=True)
    assert refused.value.extra["until"]
    with clock.shift(timedelta(hours=72, minutes=1)), transaction() as session:
        rebinding.change_phone(session, actor=again, phone=make.phone_number(), proven=True)
