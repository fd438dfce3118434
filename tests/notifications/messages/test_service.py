"""One message per event and receiver, in the receiver's language, and what the database holds of it (DOMAIN 3.17)."""

import threading
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from auth.accounts.events import SubjectsMerged
from core import clock, db
from core.actors import Citizen
from core.clock import SHANGHAI
from core.errors import NotFound
from notifications.messages import queries, service
from notifications.messages.queries import Letter
from tests.factories.notifications import FIELDS, reader, tell

DAY = datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)


def _inbox(receiver: UUID) -> list[Letter]:
    with db.transaction() as session:
        return list(queries.inbox(session, receiver, {"limit": 100}).items)


def _announce(session: Session, to: UUID, event_id: str, **more: Any) -> UUID | None:
    return service.announce(
        session, to=to, template="CASE_ACCEPTED", event_id=event_id, fields={**FIELDS, "when": "2026-12-31"}, **more
    )


def _jobs() -> list[tuple[str, datetime | None]]:
    with db.transaction() as session:
        rows = session.execute(
            text(
                "SELECT args->>'channel' AS channel, scheduled_at FROM procrastinate_jobs"
                " WHERE task_name = 'messages.deliver' ORDER BY id"
            )
        )
        return [(row.channel, row.scheduled_at) for row in rows]


def test_the_inbox_has_it_at_once(database: Flask) -> None:
    to, case = reader(), uuid4()
    with db.transaction() as session:
        _announce(session, to, "case:1", matter_type="case", matter_id=case)
    (letter,) = _inbox(to)
    assert letter.title == "已受理"
    assert letter.text == (
        "您的“存量房转移登记”已经受理，办件编号 NB2611240000010。最晚 2026年12月31日 办好。您可以随时在“宁波政务”查看进度。"
    )
    assert letter.important
    assert letter.matter is not None
    assert (letter.matter.type, letter.matter.id) == ("case", case)
    assert letter.read_at is None


def test_in_the_language_of_the_receiver(database: Flask) -> None:
    to = reader(language="en")
    with db.transaction() as session:
        _announce(session, to, "case:1")
    assert _inbox(to)[0].text.startswith("Your “存量房转移登记” has been accepted, case number NB2611240000010.")


def test_a_sensitive_matter_is_not_named(database: Flask) -> None:
    to = reader()
    with db.transaction() as session:
        _announce(session, to, "case:1", sensitive=True)
    assert _inbox(to)[0].text.startswith("您的办件已经受理")


def test_one_event_tells_a_person_once(database: Flask) -> None:
    to, other = reader(), reader(phone="+8619900000002")
    with db.transaction() as session:
        assert _announce(session, to, "case:1") is not None
        assert _announce(session, to, "case:1") is None
        assert _announce(session, other, "case:1") is not None
        assert _announce(session, to, "case:2") is not None
    assert len(_inbox(to)) == 2
    assert len(_inbox(other)) == 1


def test_one_event_told_by_many_at_once(database: Flask) -> None:
    to = reader()

    def announce() -> None:
        with db.transaction() as session:
            _announce(session, to, "case:1")

    threads = [threading.Thread(target=announce) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(_inbox(to)) == 1
    assert sorted(channel for channel, _at in _jobs()) == ["SMS", "WECHAT"]


def test_what_is_rolled_back_was_never_said(database: Flask) -> None:
    to = reader()
    with pytest.raises(RuntimeError), db.transaction() as session:
        _announce(session, to, "case:1")
        raise RuntimeError
    assert _inbox(to) == []
    assert _jobs() == []


def test_an_unknown_template_is_refused(session: Session, database: Flask) -> None:
    with pytest.raises(LookupError):
        service.announce(session, to=reader(), template="CASE_LOST", event_id="1", fields={})


def test_it_is_queued_for_its_channels(database: Flask) -> None:
    to = reader()
    with clock.at(DAY):
        tell(to, "CASE_ACCEPTED")
        tell(to, "TICKET_CALLED")
        tell(to, "IDENTITY_RAISED")
    assert _jobs() == [("WECHAT", None), ("SMS", None), ("SMS", None)]


def test_reading(database: Flask) -> None:
    to, other = reader(), reader(phone="+8619900000002")
    first, second = tell(to), tell(to)
    me, stranger = (Citizen(subject, uuid4(), 2, "WXMP") for subject in (to, other))
    with db.transaction() as session:
        assert queries.unread_count(session, to) == 2
        with pytest.raises(NotFound):
            service.mark_read(session, actor=stranger, message_id=first)
        with pytest.raises(NotFound):
            service.mark_read(session, actor=me, message_id=uuid4())
        read_at = service.mark_read(session, actor=me, message_id=first).read_at
    with db.transaction() as session:
        assert service.mark_read(session, actor=me, message_id=first).read_at == read_at
        assert queries.unread_count(session, to) == 1
    assert [letter.id for letter in _inbox(to)] == [second, first]


def test_one_does_not_read_the_mail_of_whom_one_acts_for(database: Flask) -> None:
    """DG-2: an agent acts for the principal but has an inbox of its own."""
    to = reader()
    message = tell(to)
    agent = Citizen(reader(phone="+8619900000002"), uuid4(), 2, "WXMP", on_behalf_of=to)
    with pytest.raises(NotFound), db.transaction() as session:
        service.mark_read(session, actor=agent, message_id=message)


def test_texts_lie_encrypted(database: Flask) -> None:
    tell(reader(), note="房产证第二页看不清")
    with db.transaction() as session:
        row = session.execute(text("SELECT m::text FROM message m")).scalar_one()
        raw = session.execute(text("SELECT title || body || fields FROM message")).scalar_one()
    for word in ("存量房", "NB2611240000010"):
        assert word not in row
        assert word.encode() not in bytes(raw)


def test_merged_subjects_share_one_inbox(database: Flask) -> None:
    kept, absorbed = reader(), reader(phone="+8619900000002")
    with db.transaction() as session:
        for to in (kept, absorbed):
            _announce(session, to, "both")
        _announce(session, absorbed, "one")
        service.move_owner(session, SubjectsMerged(kept=kept, absorbed=absorbed))
    assert len(_inbox(kept)) == 2
    assert _inbox(absorbed) == []
