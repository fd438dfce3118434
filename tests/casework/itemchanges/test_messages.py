"""Who is told when an item changes: owners of drafts and bookings, once, in batches (S22)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from casework.appointments.models import Appointment
from casework.appointments.versions import service as versions
from casework.catalogue.publishing import service as publishing
from casework.itemchanges import jobs
from casework.prereview.errors import ItemVersionChanged
from core import clock, db
from core.errors import NotFound
from notifications.messages.models import Message
from tests.factories import appointments as bookings
from tests.factories import items
from tests.factories import prereview as make

People = Callable[..., tuple[Any, dict[str, str]]]


def told(session: Session, template: str = "ITEM_CHANGED") -> dict[Any, int]:
    rows = session.execute(
        select(Message.receiver_id, func.count()).where(Message.template == template).group_by(Message.receiver_id)
    )
    return {row[0]: row[1] for row in rows}


def test_owners_of_drafts_are_told_once_each(own_database: str, citizen: People) -> None:
    """Two drafts of one person: one message. Somebody who has submitted isn't told."""
    people = [citizen(level=2)[0] for _ in range(4)]
    with db.transaction() as session:
        for person in people[:3]:
            make.draft(session, person)
        make.draft(session, people[0])
        make.submitted(session, people[3])
    with db.transaction() as session:
        made = items.published(session, items.managers(session), "process", hours="7:00-19:00")
    jobs.tell(str(made.id), "CHANGED")
    jobs.tell(str(made.id), "CHANGED")
    with db.transaction() as session:
        assert told(session) == {person.subject_id: 1 for person in people[:3]}
        body = session.scalars(select(Message.body).where(Message.template == "ITEM_CHANGED").limit(1)).one()
        assert "办理时间" in body


def test_a_publication_queues_the_job_only_where_somebody_is_concerned(own_database: str, citizen: People) -> None:
    def queued(session: Session) -> Any:
        return session.scalar(text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'itemchanges.tell'"))

    with db.transaction() as session:
        items.published(session, items.managers(session), "process", hours="7:00-19:00")
        assert queued(session) == 0
    zhang, _ = citizen(level=2)
    with db.transaction() as session:
        make.draft(session, zhang)
        items.published(session, items.managers(session), "process", hours="6:00-19:00")
        assert queued(session) == 1


def test_what_is_taken_back_is_told_too(own_database: str, citizen: People) -> None:
    zhang, _ = citizen(level=2)
    with db.transaction() as session:
        make.draft(session, zhang)
        pair = items.managers(session)
        day = clock.today() + timedelta(days=9)
        made = items.published(session, pair, "process", hours="7:00-19:00", effective_from=day)
    jobs.tell(str(made.id), "CHANGED")
    with db.transaction() as session:
        publishing.withdraw(session, actor=pair[0], version_id=made.id, text="暂缓")
    jobs.tell(str(made.id), "CANCELLED")
    jobs.tell(str(made.id), "CHANGED")  # the job of its first day comes all the same
    with db.transaction() as session:
        assert told(session) == {zhang.subject_id: 1}
        assert told(session, "ITEM_CHANGE_CANCELLED") == {zhang.subject_id: 1}


def test_a_booking_shows_what_changes_on_its_day_and_takes_it_over(own_database: str, citizen: People) -> None:
    zhang, _ = citizen(level=2)
    stranger, _ = citizen(level=2)
    booked = bookings.visit(zhang)
    with clock.at(bookings.NOW), db.transaction() as session:
        pair = items.managers(session)
        materials = items.section(session, booked.version_id, "materials")["materials"]
        extra = {**materials[0], "no": 20, "name": "宗地图"}
        day = bookings.TOMORROW
        made = items.published(session, pair, "materials", materials=[*materials, extra], effective_from=day)
        change = versions.change_of(session, session.get_one(Appointment, booked.id))
        assert change is not None
        assert [one["text"] for one in change.difference.told("zh")] == ["新增材料“宗地图”"]
        before = list(bookings.stored(session, booked).papers)
    with clock.at(bookings.NOW):
        jobs.tell(str(made.id), "CHANGED")
    with clock.at(bookings.NOW), db.transaction() as session:
        assert told(session) == {zhang.subject_id: 1}
        with pytest.raises(ItemVersionChanged):
            versions.adopt(session, actor=zhang, appointment_id=booked.id, version_id=booked.version_id)
        with pytest.raises(NotFound):
            versions.adopt(session, actor=stranger, appointment_id=booked.id, version_id=made.id)
        adopted = versions.adopt(session, actor=zhang, appointment_id=booked.id, version_id=made.id)
        assert adopted.papers == [*before, "宗地图"]
        assert versions.change_of(session, adopted) is None


def test_what_no_citizen_would_notice_is_not_told(own_database: str, citizen: People) -> None:
    zhang, _ = citizen(level=2)
    with db.transaction() as session:
        make.draft(session, zhang)
        made = items.published(session, items.managers(session), "service", avg_handle_minutes=44)
    jobs.tell(str(made.id), "CHANGED")
    with db.transaction() as session:
        assert told(session) == {}
