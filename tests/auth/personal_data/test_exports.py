"""Copies: asked for, gathered, downloaded for a day, forgotten (P-4)."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text

from auth.accounts.events import SubjectsMerged
from auth.personal_data.exports import jobs, service
from auth.personal_data.exports.models import DataExport
from auth.personal_data.exports.rules import State
from core import clock
from core.audit import AuditEntry
from core.db import transaction
from core.errors import NotFound, RateLimited
from notifications.messages.models import Message
from tests.factories import auth as make
from tests.factories.personal_data import opened

pytestmark = pytest.mark.usefixtures("database")


def request(actor: Any) -> UUID:
    with transaction() as session:
        return service.request(session, actor=actor).id


def download(actor: Any, export_id: UUID) -> bytes:
    with transaction() as session:
        link = service.link(session, actor=actor, export_id=export_id)
    with transaction() as session:
        return service.open_link(session, export_id=export_id, token=link.token)


def test_a_copy_holds_ones_own_data_and_nobody_elses(
    citizen: Callable[..., Any], run_jobs: Callable[..., None]
) -> None:
    card, phone = make.resident_id(), make.phone_number()
    actor, _ = citizen(level=3, name="欧阳小明", document=card, phone=phone)
    citizen(level=3, name="李雷")
    export_id = request(actor)
    run_jobs()
    data, page = opened(download(actor, export_id))
    assert data["account"]["documents"][0]["number"] == card.number
    assert data["account"]["phones"][0]["phone"] == phone
    assert {proof["type"] for proof in data["identity"]["evidence"]} == {"WECHAT", "PHONE", "NAME_NUMBER", "HALL"}
    assert data["sign_ins"]["sign_ins"][0]["device"] == "微信小程序"
    assert set(data) == {
        "made_at", "account", "identity", "sign_ins", "consents", "prereviews", "appointments", "cases", "bills",
        "deliveries", "files", "messages", "requests", "delegations", "authorisations", "organisations", "items",
        "looks",
    }  # fmt: skip
    assert "欧阳小明" in page
    assert "李雷" not in page
    with transaction() as session:
        titles = session.scalars(select(Message.title).where(Message.receiver_id == actor.subject_id)).all()
    assert "您的个人信息副本已备好" in titles


def test_the_copy_lies_encrypted(citizen: Callable[..., Any], run_jobs: Callable[..., None]) -> None:
    actor, _ = citizen(level=3, name="欧阳小明")
    export_id = request(actor)
    run_jobs()
    packed = download(actor, export_id)
    with transaction() as session:
        raw = session.execute(text("SELECT content FROM data_export")).scalar_one()
        times = session.scalars(select(AuditEntry.facts).where(AuditEntry.action == "data_export.download")).one()
    assert packed[:20] not in bytes(raw)
    assert times == {"times": 1}


def test_asking_twice_is_one_copy(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=3)
    found: list[UUID] = []
    threads = [threading.Thread(target=lambda: found.append(request(actor))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(DataExport)) == 1


def test_three_copies_a_day(citizen: Callable[..., Any], run_jobs: Callable[..., None]) -> None:
    actor, _ = citizen(level=3)
    for _ in range(3):
        request(actor)
        run_jobs()
    with pytest.raises(RateLimited):
        request(actor)


def test_building_again_changes_nothing(citizen: Callable[..., Any], run_jobs: Callable[..., None]) -> None:
    actor, _ = citizen(level=3)
    export_id = request(actor)
    run_jobs()
    before = download(actor, export_id)
    jobs.build_export(str(export_id))
    assert download(actor, export_id) == before


def test_links_are_ones_own_short_and_unforgeable(citizen: Callable[..., Any], run_jobs: Callable[..., None]) -> None:
    (actor, _), (other, _) = citizen(level=3), citizen(level=3)
    export_id = request(actor)
    with pytest.raises(NotFound), transaction() as session:
        service.link(session, actor=actor, export_id=export_id)
    run_jobs()
    for who, which in ((other, export_id), (actor, uuid4())):
        with pytest.raises(NotFound), transaction() as session:
            service.link(session, actor=who, export_id=which)
    with transaction() as session:
        token = service.link(session, actor=actor, export_id=export_id).token
    for wrong in (token[:-1], "1." + token.partition(".")[2], "", "0.x"):
        with pytest.raises(NotFound), transaction() as session:
            service.open_link(session, export_id=export_id, token=wrong)
    with clock.shift(timedelta(minutes=5, seconds=1)), pytest.raises(NotFound), transaction() as session:
        service.open_link(session, export_id=export_id, token=token)


def test_a_copy_is_forgotten_after_a_day(citizen: Callable[..., Any], run_jobs: Callable[..., None]) -> None:
    actor, _ = citizen(level=3)
    export_id = request(actor)
    run_jobs()
    with clock.shift(timedelta(hours=23, minutes=55)):
        jobs.forget_exports()
        assert download(actor, export_id)
    with clock.shift(timedelta(hours=24, seconds=5)):
        with pytest.raises(NotFound):
            download(actor, export_id)
        jobs.forget_exports()
        jobs.forget_exports()
    with transaction() as session:
        row = session.execute(text("SELECT state, content FROM data_export")).one()
        trail = session.scalars(select(AuditEntry).where(AuditEntry.action == "retention.forget")).one()
    assert (row.state, row.content) == (State.FORGOTTEN, None)
    assert (trail.object_id, trail.facts["rows"]) == ("data_exports", 1)


def test_a_merge_forgets_what_was_gathered_before(citizen: Callable[..., Any], run_jobs: Callable[..., None]) -> None:
    (kept, _), (absorbed, _) = citizen(level=3), citizen(level=3)
    export_id = request(absorbed)
    request(kept)
    run_jobs()
    with transaction() as session:
        service.move_owner(session, SubjectsMerged(kept.subject_id, absorbed.subject_id))
    with pytest.raises(NotFound):
        download(kept, export_id)
