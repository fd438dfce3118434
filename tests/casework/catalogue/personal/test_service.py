"""Favourites and what was looked at lately: whose they are, how many, how long."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from auth.accounts.events import AccountClosed, SubjectsMerged
from casework.catalogue.personal import queries, service
from casework.catalogue.personal.errors import FavouritesFull
from casework.catalogue.search import queries as search
from core import clock, db, events
from core.errors import NotFound
from tests.factories import catalogue


def test_an_item_is_kept_once_and_dropped(session: Session, citizen: Any) -> None:
    me, other = (citizen()[0].subject_id for _ in range(2))
    for item_id in ("NB-002", "NB-052", "NB-002"):
        service.keep(session, subject_id=me, item_id=item_id)
    assert set(queries.favourites(session, me)) == {"NB-002", "NB-052"}
    assert queries.favourites(session, other) == []
    for _ in range(2):
        service.drop(session, subject_id=me, item_id="NB-002")
    assert queries.favourites(session, me) == ["NB-052"]
    with pytest.raises(NotFound):
        service.keep(session, subject_id=me, item_id="NB-999")
    with pytest.raises(NotFound):
        service.note_seen(session, subject_id=me, item_id="NB-999")


def test_the_list_has_an_end(session: Session, citizen: Any) -> None:
    me = citizen()[0].subject_id
    codes = list(catalogue.contents())
    for item_id in codes[: service.MOST_FAVOURITES]:
        service.keep(session, subject_id=me, item_id=item_id)
    service.keep(session, subject_id=me, item_id=codes[0])
    with pytest.raises(FavouritesFull):
        service.keep(session, subject_id=me, item_id=codes[service.MOST_FAVOURITES])


def test_many_at_once_don_t_go_over_the_end(citizen: Any) -> None:
    me = citizen()[0].subject_id
    codes = list(catalogue.contents())
    with db.transaction() as session:
        for item_id in codes[: service.MOST_FAVOURITES - 1]:
            service.keep(session, subject_id=me, item_id=item_id)
    start = threading.Barrier(4)
    told: list[str] = []

    def keep(item_id: str) -> None:
        start.wait()
        try:
            with db.transaction() as session:
                service.keep(session, subject_id=me, item_id=item_id)
            told.append("kept")
        except FavouritesFull:
            told.append("full")

    threads = [threading.Thread(target=keep, args=(item_id,)) for item_id in codes[-4:]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(told) == ["full", "full", "full", "kept"]


def test_the_latest_looked_at_comes_first_and_old_looks_are_forgotten(citizen: Any) -> None:
    me = citizen()[0].subject_id
    start = clock.now()
    for number, item_id in enumerate(["NB-001", "NB-002", "NB-001"]):
        with clock.at(start + timedelta(minutes=number)), db.transaction() as session:
            service.note_seen(session, subject_id=me, item_id=item_id)
    with db.transaction() as session:
        assert queries.seen_lately(session, me) == ["NB-001", "NB-002"]
    with clock.at(start + timedelta(days=service.KEPT_DAYS, minutes=1, seconds=30)), db.transaction() as session:
        service.forget_old(session)
        assert queries.seen_lately(session, me) == ["NB-001"]
        service.forget_seen(session, subject_id=me)
        assert queries.seen_lately(session, me) == []


def test_two_subjects_that_are_one_person_keep_each_item_once(session: Session, citizen: Any) -> None:
    kept, absorbed = (citizen()[0].subject_id for _ in range(2))
    for subject_id, item_id in ((kept, "NB-002"), (absorbed, "NB-002"), (absorbed, "NB-003")):
        service.keep(session, subject_id=subject_id, item_id=item_id)
        service.note_seen(session, subject_id=subject_id, item_id=item_id)
    service.move_owner(session, SubjectsMerged(kept=kept, absorbed=absorbed))
    assert set(queries.favourites(session, kept)) == set(queries.seen_lately(session, kept)) == {"NB-002", "NB-003"}
    assert queries.favourites(session, absorbed) == queries.seen_lately(session, absorbed) == []


def test_nothing_is_kept_of_a_closed_account(session: Session, citizen: Any) -> None:
    me = citizen()[0].subject_id
    service.keep(session, subject_id=me, item_id="NB-002")
    service.note_seen(session, subject_id=me, item_id="NB-002")
    events.publish(session, AccountClosed(me))
    assert queries.favourites(session, me) == queries.seen_lately(session, me) == []


def test_what_most_people_looked_at_is_listed_first(own_database: str, citizen: Any) -> None:
    with db.transaction() as session:
        for number in range(3):
            subject_id = citizen()[0].subject_id
            service.note_seen(session, subject_id=subject_id, item_id="NB-112")
            if not number:
                service.note_seen(session, subject_id=subject_id, item_id="NB-068")
    from casework.catalogue.personal.jobs import count_uses

    count_uses()
    with db.transaction() as session:
        used = search.most_used(session, clock.today(), limit=2, language="zh")
        assert [entry.item_id for entry in used] == ["NB-112", "NB-068"]
