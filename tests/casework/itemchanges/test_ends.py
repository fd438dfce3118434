"""Who is told that an item ends, or doesn't after all: owners of drafts, and of bookings that would be too late (S22, S23)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from casework.catalogue import queries as catalogue
from casework.catalogue import service
from casework.catalogue.rules import GoneKind
from casework.itemchanges import jobs
from core import clock, db
from core.actors import System
from notifications.messages.models import Message
from tests.factories import appointments as bookings
from tests.factories import items
from tests.factories import prereview as make

People = Callable[..., tuple[Any, dict[str, str]]]
OPERATOR = System("test")


def told(session: Session, template: str) -> dict[UUID, list[str]]:
    rows = session.execute(
        select(Message.receiver_id, Message.matter_type, Message.body).where(Message.template == template)
    )
    return {row.receiver_id: [row.matter_type, row.body] for row in rows}


def retire(session: Session, ends: Any) -> str:
    version = catalogue.item_in_force(session, items.ITEM, clock.today()).version_id
    service.retire(
        session, actor=OPERATOR, item_id=items.ITEM, ends=ends, kind=GoneKind.RENAMED, successors=["NB-001"], reason="x"
    )
    return str(version)


def test_who_would_come_in_vain_is_told_where_to_go(own_database: str, citizen: People) -> None:
    drafting, early, late = (citizen(level=2)[0] for _ in range(3))
    with clock.at(bookings.NOW):
        with db.transaction() as session:
            make.draft(session, drafting)
        bookings.visit(late)
        ends = bookings.TOMORROW
        with db.transaction() as session:
            version = retire(session, ends)
            queued = session.scalars(
                text("SELECT args->>'what' FROM procrastinate_jobs WHERE task_name = 'itemchanges.tell'")
            )
            assert queued.all() == ["ENDED", "ENDED"]
        jobs.tell(version, "ENDED")
        jobs.tell(version, "ENDED")
        with db.transaction() as session:
            found = told(session, "ITEM_ENDED")
            assert {key: kind for key, (kind, _) in found.items()} == {
                drafting.subject_id: "prereview",
                late.subject_id: "appointment",
            }
            assert early.subject_id not in found
            successor = catalogue.item_in_force(session, "NB-001", clock.today()).name
            body = found[late.subject_id][1]
            assert successor in body
            assert f"{ends:%Y年%-m月%-d日}" in body


def test_a_visit_before_the_end_stays_as_it_is(own_database: str, citizen: People) -> None:
    zhang, _ = citizen(level=2)
    with clock.at(bookings.NOW):
        bookings.visit(zhang)
        with db.transaction() as session:
            version = retire(session, bookings.TOMORROW + timedelta(days=1))
        jobs.tell(version, "ENDED")
        with db.transaction() as session:
            assert told(session, "ITEM_ENDED") == {}


def test_an_end_that_is_taken_back_is_told_too(own_database: str, citizen: People) -> None:
    zhang, _ = citizen(level=2)
    with clock.at(bookings.NOW):
        bookings.visit(zhang)
        with db.transaction() as session:
            version = retire(session, bookings.TOMORROW)
        jobs.tell(version, "ENDED")
        with db.transaction() as session:
            service.keep(session, actor=OPERATOR, item_id=items.ITEM, reason="误操作")
        jobs.tell(version, "KEPT")
        jobs.tell(version, "ENDED")  # the job of its first day comes all the same
        with db.transaction() as session:
            assert list(told(session, "ITEM_ENDED")) == [zhang.subject_id]
            assert list(told(session, "ITEM_CHANGE_CANCELLED")) == [zhang.subject_id]
            retire(session, bookings.TOMORROW)
        jobs.tell(version, "KEPT")  # comes late: it ends again
        with db.transaction() as session:
            assert len(told(session, "ITEM_CHANGE_CANCELLED")) == 1
