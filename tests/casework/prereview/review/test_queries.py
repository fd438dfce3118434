"""The queue of a hall (PR-3)."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from casework.prereview import service
from casework.prereview.review import queries as desk
from casework.prereview.review import service as review
from casework.prereview.rules import State
from core.actors import Citizen, Staff
from core.errors import NotFound
from tests.factories import prereview as make

People = Callable[..., tuple[Any, dict[str, str]]]
PAGE = {"limit": 20, "cursor": None}


def test_the_queue_is_the_halls_longest_waiting_first(
    session: Session, zhang: Citizen, clerk: Staff, elsewhere: Staff
) -> None:
    """PR-3: in the order of submission, not of the drafts."""
    early = make.draft(session, zhang)
    for _ in range(2):
        make.submitted(session, zhang)
    make.draft(session, zhang)
    make.provide(session, zhang, early, 1)
    service.submit(session, actor=zhang, prereview_id=early.id)
    whole = desk.queue(session, clerk, PAGE).items
    assert len(whole) == 3
    assert whole[-1].id == early.id
    seen: list[UUID] = []
    cursor = None
    while True:
        page = desk.queue(session, clerk, {"limit": 1, "cursor": cursor})
        seen += [found.id for found in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == [found.id for found in whole]
    assert desk.queue(session, elsewhere, PAGE).items == []


def test_the_queue_is_filtered(session: Session, zhang: Citizen, clerk: Staff) -> None:
    waiting, taken = make.submitted(session, zhang), make.claimed(session, zhang, clerk)

    def found(**filters: object) -> list[UUID]:
        return [row.id for row in desk.queue(session, clerk, PAGE | filters).items]

    assert found(state=State.SUBMITTED) == [waiting.id]
    assert found(state=State.IN_REVIEW) == [taken.id]
    assert found(zone="Z4", item_id=make.ITEM) == [waiting.id, taken.id]
    assert found(zone="Z5") == []


def test_a_clerk_sees_only_the_own_hall_and_no_drafts(
    session: Session, zhang: Citizen, clerk: Staff, elsewhere: Staff, staff: People
) -> None:
    nowhere, _ = staff("FRONT_CLERK", hall_id=None)
    drafted, waiting = make.draft(session, zhang), make.submitted(session, zhang)
    for actor, prereview in ((clerk, drafted), (elsewhere, waiting), (nowhere, waiting)):
        for act in (review.claim, review.read):
            with pytest.raises(NotFound):
                act(session, actor=actor, prereview_id=prereview.id)
