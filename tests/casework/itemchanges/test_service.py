"""The batches: in order, without gap or repetition, drafts before bookings."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from casework.itemchanges import service
from casework.itemchanges.service import What
from core import clock, db
from tests.factories import appointments as bookings
from tests.factories import items
from tests.factories import prereview as make

People = Callable[..., tuple[Any, dict[str, str]]]


def test_batches_join_up(own_database: str, citizen: People) -> None:
    people = [citizen(level=2)[0] for _ in range(3)]
    drafts, booked = [], []
    with clock.at(bookings.NOW), db.transaction() as session:
        for person in people:
            drafts.append(make.draft(session, person).id)
    for person in people:
        booked.append(bookings.visit(person).id)
    with clock.at(bookings.NOW), db.transaction() as session:
        made = items.published(session, items.managers(session), "process", hours="7:00-19:00")
    seen: list[tuple[str, UUID]] = []
    after: tuple[str, UUID | None] = ("prereview", None)
    with clock.at(bookings.NOW), db.transaction() as session:
        while batch := service.concerned(session, made.id, What.CHANGED, after, limit=2):
            assert len(batch) <= 2
            seen += [(kind, key) for kind, key, _ in batch]
            after = (batch[-1][0], batch[-1][1])
    assert seen == [("prereview", key) for key in drafts] + [("appointment", key) for key in booked]
