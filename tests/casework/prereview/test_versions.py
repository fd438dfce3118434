"""What a new version of the item does to pre-reviews (PR-2, PR-9). Each test has a database of its own: it changes the catalogue."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from casework.catalogue import service as catalogue
from casework.catalogue.errors import ItemNotInForce
from casework.prereview import jobs, queries, service
from casework.prereview.errors import ItemVersionChanged, MaterialMissing
from casework.prereview.models import PreReview
from casework.prereview.rules import Reason, State
from core import clock, db
from core.actors import System
from core.errors import StateConflict
from tests.factories import catalogue as items
from tests.factories import papers
from tests.factories import prereview as make
from tests.factories.catalogue import CITY_HALL

People = Callable[..., tuple[Any, dict[str, str]]]


def _another_paper(document: dict[str, Any]) -> None:
    found = document["items"][0]["materials"]
    found.append({**found[0], "material_no": 9, "name": "宗地图"})
    found[1] |= {"waivable": False, "licence_key": "", "licence_name": ""}


def _less_papers(document: dict[str, Any]) -> None:
    found = document["items"][0]["materials"]
    left = [paper for paper in found if paper["material_no"] != 2]
    document["items"][0]["materials"] = [paper | {"material_no": no} for no, paper in enumerate(left, 1)]


def _publish(change: Callable[[dict[str, Any]], None]) -> None:
    with db.transaction() as session:
        report = catalogue.import_sample(session, items.document(make.ITEM, change=change))
        assert report.changed == 1, report


def test_a_draft_is_told_what_a_new_version_changes(own_database: str, citizen: People) -> None:
    """PR-2."""
    zhang, _ = citizen(level=2)
    with db.transaction() as session:
        prereview = make.draft(session, zhang)
        make.provide(session, zhang, prereview, 1)
    _publish(_another_paper)
    with db.transaction() as session:
        seen = queries.detail(session, queries.owned(session, prereview.id, zhang.owner_id), clock.now())
        assert seen.version_change is not None
        told = [(change.kind, change.name) for change in seen.version_change.changes]
        assert told == [("ADDED", "宗地图"), ("CHANGED", "转让方和受让方身份证明")]
        version_id = seen.version_change.item.version_id
    with pytest.raises(ItemVersionChanged) as refused, db.transaction() as session:
        service.submit(session, actor=zhang, prereview_id=prereview.id)
    assert refused.value.extra["version_id"] == str(version_id)
    with pytest.raises(ItemVersionChanged), db.transaction() as session:
        service.confirm_version(session, actor=zhang, prereview_id=prereview.id, version_id=prereview.version_id)
    with db.transaction() as session:
        confirmed = service.confirm_version(session, actor=zhang, prereview_id=prereview.id, version_id=version_id)
        assert [m.no for m in confirmed.listed] == [1, 2, 3, 4, 7, 9]
        assert len(confirmed.listed[0].files) == 1
        with pytest.raises(MaterialMissing) as missing:
            service.submit(session, actor=zhang, prereview_id=prereview.id)
        assert missing.value.extra == {"materials": [2, 9]}
        for no in (2, 9):
            make.provide(session, zhang, confirmed, no, papers.png(no * 10))
        assert service.submit(session, actor=zhang, prereview_id=prereview.id).state == State.SUBMITTED


def test_after_submission_the_list_is_frozen(own_database: str, citizen: People, staff: People) -> None:
    """PR-2, PR-9: a passed one ends when the new version asks for more."""
    zhang, _ = citizen(level=2)
    clerk, _ = staff("FRONT_CLERK", hall_id=CITY_HALL)
    with db.transaction() as session:
        waiting = make.submitted(session, zhang)
        back = make.needs_change(session, zhang, clerk, {1: Reason.BLURRED})
        good = make.passed(session, zhang, clerk)
    _publish(_another_paper)
    with db.transaction() as session:
        make.provide(session, zhang, back, 1, papers.jpeg())
        assert service.submit(session, actor=zhang, prereview_id=back.id).round == 2
        assert [m.no for m in queries.owned(session, waiting.id, zhang.owner_id).listed] == [1, 2, 3, 4, 7]
        with pytest.raises(StateConflict):
            queries.passed(session, good.id, clock.now())


def test_a_version_that_asks_for_less_leaves_a_passed_one_alone(
    own_database: str, citizen: People, staff: People
) -> None:
    """PR-9."""
    zhang, _ = citizen(level=2)
    clerk, _ = staff("FRONT_CLERK", hall_id=CITY_HALL)
    with db.transaction() as session:
        good = make.passed(session, zhang, clerk)
    _publish(_less_papers)
    with db.transaction() as session:
        assert queries.passed(session, good.id, clock.now()).number == good.number


def test_nothing_goes_on_with_an_item_that_left_force(own_database: str, citizen: People, staff: People) -> None:
    """PR-9."""
    zhang, _ = citizen(level=2)
    clerk, _ = staff("FRONT_CLERK", hall_id=CITY_HALL)
    with db.transaction() as session:
        opened = make.draft(session, zhang)
        waiting = make.submitted(session, zhang)
        good = make.passed(session, zhang, clerk)
        catalogue.retire(session, actor=System("test"), item_id=make.ITEM, ends=clock.today())
    with pytest.raises(ItemNotInForce), db.transaction() as session:
        service.submit(session, actor=zhang, prereview_id=opened.id)
    jobs.expire()
    with db.transaction() as session:
        states = {p.id: p.state for p in session.scalars(select(PreReview))}
    assert states == {opened.id: State.DRAFT, waiting.id: State.EXPIRED, good.id: State.EXPIRED}
