"""Slips of item managers that must not be dead ends: wrong days, ends by mistake, codes burnt, corrections that can't wait (S22)."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from casework.catalogue import queries, service
from casework.catalogue.drafts import queries as drafted
from casework.catalogue.drafts import service as drafts
from casework.catalogue.drafts.errors import ItemEnded
from casework.catalogue.errors import BaseChanged, ItemNotInForce
from casework.catalogue.models import ItemVersion
from casework.catalogue.publishing import service as publishing
from casework.catalogue.rules import GoneKind, VersionState
from core import clock, db
from core.actors import Staff, System
from core.errors import InvalidInput, NotFound, StateConflict
from tests.factories import items
from tests.factories.items import DEPARTMENT, ITEM

OPERATOR = System("test")
WEEK = timedelta(days=7)
ABROAD = "NB-097"
"""An item of another department, D40."""


def submitted(session: Session, author: Staff, draft: ItemVersion) -> ItemVersion:
    return publishing.submit(session, actor=author, version_id=draft.id, edit=draft.edit)


def test_a_correction_comes_before_a_version_published_for_later(own_database: str) -> None:
    """A typo in force can't wait for the version of next week, nor must that one be withdrawn for it."""
    with db.transaction() as session:
        author, other = pair = items.managers(session)
        now = queries.item_in_force(session, ITEM, clock.today()).version_id
        later = items.published(session, pair, "process", hours="7:00-19:00", effective_from=clock.today() + WEEK)
        made = items.submitted(session, author, "process", hours="9:00-16:30")
        with pytest.raises(BaseChanged) as refused:
            publishing.publish(session, actor=other, version_id=made.id, effective_from=clock.today())
        assert refused.value.extra == {"in_force": str(now)}
        back = publishing.send_back(session, actor=other, version_id=made.id, text="须立即更正")
        back = drafts.rebase(session, actor=author, version_id=back.id, edit=back.edit, onto=now)
        made = submitted(session, author, back)
        publishing.publish(session, actor=other, version_id=made.id, effective_from=clock.today())
        assert (made.effective_to, later.effective_to) == (clock.today() + WEEK, None)
        hours = [queries.item_in_force(session, ITEM, clock.today() + days).hours for days in (timedelta(), WEEK)]
        assert hours == ["9:00-16:30", "7:00-19:00"]


def test_a_draft_goes_on_from_a_published_version_of_its_item_only(own_database: str) -> None:
    with db.transaction() as session:
        author, other = items.managers(session)
        foreign = queries.item_in_force(session, "NB-001", clock.today()).version_id
        draft = drafts.open_draft(session, actor=author, item_id=ITEM)
        for onto in (foreign, draft.id, other.staff_id):
            with pytest.raises(InvalidInput):
                drafts.rebase(session, actor=author, version_id=draft.id, edit=draft.edit, onto=onto)


@pytest.mark.parametrize("end", ["given up", "withdrawn"])
def test_a_new_item_that_came_to_nothing_is_taken_up_again(own_database: str, end: str) -> None:
    """The code stays its department's, with what was written last."""
    with db.transaction() as session:
        author, other = items.managers(session)
        stranger, _ = items.managers(session, "D40")
        draft = drafts.open_draft(session, actor=author, item_id=ITEM, as_item="NB-901")
        draft = items.edited(session, author, draft, "basics", name="新事项")
        with pytest.raises(StateConflict) as refused:
            drafts.open_draft(session, actor=other, item_id="NB-901")
        assert refused.value.extra == {"version_id": str(draft.id)}
        if end == "given up":
            drafts.give_up(session, actor=author, version_id=draft.id)
        else:
            made = submitted(session, author, draft)
            publishing.publish(session, actor=other, version_id=made.id, effective_from=clock.today() + WEEK)
            publishing.withdraw(session, actor=author, version_id=made.id, text="暂缓")
        with pytest.raises(NotFound):
            drafts.open_draft(session, actor=stranger, item_id="NB-901")
        with pytest.raises(InvalidInput) as taken:
            drafts.open_draft(session, actor=author, item_id=ITEM, as_item="NB-901")
        assert list(taken.value.fields) == ["as_item"]
        again = drafts.open_draft(session, actor=author, item_id="NB-901")
        assert (again.version, again.name, again.base_version_id) == (2, "新事项", None)
        made = submitted(session, author, again)
        publishing.publish(session, actor=other, version_id=made.id, effective_from=clock.today())
        assert queries.item_in_force(session, "NB-901", clock.today()).name == "新事项"


def test_an_item_moves_to_another_department(own_database: str) -> None:
    """The department that takes it over begins with what the other one has in force; then the old code leads there."""
    with db.transaction() as session:
        pair = items.managers(session)
        theirs = queries.item_in_force(session, ABROAD, clock.today())
        assert theirs.department_id != DEPARTMENT
        with pytest.raises(NotFound):
            drafts.open_draft(session, actor=pair[0], item_id=ABROAD)
        items.new_item(session, pair, "NB-902", like=ABROAD, name=theirs.name)
        ours = queries.item_in_force(session, "NB-902", clock.today())
        assert (ours.department_id, ours.authority) == (DEPARTMENT, ours.department_name)
        assert ours.materials == theirs.materials
        service.retire(
            session, actor=OPERATOR, item_id=ABROAD, ends=clock.today(), kind=GoneKind.MOVED, successors=["NB-902"]
        )
        with pytest.raises(ItemNotInForce) as refused:
            queries.item_in_force(session, ABROAD, clock.today())
        assert refused.value.extra["redirects_to"] == "NB-902"


def test_who_has_no_department_copies_nothing(own_database: str) -> None:
    with db.transaction() as session:
        nobody = Staff(items.managers(session)[0].staff_id, items.managers(session)[0].session_id, frozenset())
        with pytest.raises(NotFound):
            drafts.open_draft(session, actor=nobody, item_id=ITEM, as_item="NB-903")


def test_no_draft_is_opened_of_an_item_that_ends(own_database: str) -> None:
    with db.transaction() as session:
        author, _ = items.managers(session)
        service.retire(session, actor=OPERATOR, item_id=ITEM, ends=clock.today() + WEEK)
        with pytest.raises(ItemEnded) as refused:
            drafts.open_draft(session, actor=author, item_id=ITEM)
        assert refused.value.extra == {"gone": "ENDED"}
        with pytest.raises(ItemEnded):
            service.retire(session, actor=OPERATOR, item_id=ITEM, ends=clock.today())


def test_an_end_is_taken_back_before_its_day(own_database: str) -> None:
    ends = clock.today() + WEEK
    with db.transaction() as session:
        pair = items.managers(session)
        service.retire(
            session, actor=OPERATOR, item_id=ITEM, ends=ends, kind=GoneKind.RENAMED, successors=["NB-001"], reason="x"
        )
        service.keep(session, actor=OPERATOR, item_id=ITEM, reason="误操作")
        assert queries.item_in_force(session, ITEM, ends).effective_to is None
        kept = drafted.latest(session, ITEM)
        assert kept is not None
        assert (kept.state, kept.retire_reason) == (VersionState.PUBLISHED, "")
        # Nothing is left of the end: the item goes on, and the other way round is no loop.
        items.published(session, pair, "process", hours="8:00-12:00")
        service.retire(
            session, actor=OPERATOR, item_id="NB-001", ends=ends, kind=GoneKind.RENAMED, successors=[ITEM], reason="x"
        )
        with pytest.raises(StateConflict):
            service.keep(session, actor=OPERATOR, item_id=ITEM, reason="x")


def test_an_end_stands_from_its_day_on(own_database: str) -> None:
    with db.transaction() as session:
        service.retire(session, actor=OPERATOR, item_id=ITEM, ends=clock.today())
        with pytest.raises(StateConflict):
            service.keep(session, actor=OPERATOR, item_id=ITEM, reason="x")
        with pytest.raises(NotFound):
            service.keep(session, actor=OPERATOR, item_id="NB-777", reason="x")
    with pytest.raises(DBAPIError, match="does not go from"), db.transaction() as session:
        session.execute(text("UPDATE item_version SET state = 'WITHDRAWN' WHERE state = 'RETIRED'"))


def test_a_slip_in_the_year_is_refused(own_database: str) -> None:
    with db.transaction() as session:
        author, other = items.managers(session)
        made = items.submitted(session, author, "process", hours="x")
        day = clock.today() + timedelta(days=732)
        with pytest.raises(InvalidInput) as refused:
            publishing.publish(session, actor=other, version_id=made.id, effective_from=day)
        assert list(refused.value.fields) == ["effective_from"]
        with pytest.raises(InvalidInput) as refused:
            service.retire(session, actor=OPERATOR, item_id=ITEM, ends=day)
        assert list(refused.value.fields) == ["ends"]


PAUSED: dict[str, Any] = {"paused": True, "pause_reason": "系统升级", "bookable": False, "pre_review": False}


def test_a_paused_item_says_why_and_takes_nothing_in(own_database: str) -> None:
    """事项状态 (DOMAIN 2.2): a pause is a version like any other, so it has its days, its second person and its message."""
    with db.transaction() as session:
        pair = items.managers(session)
        draft = drafts.open_draft(session, actor=pair[0], item_id=ITEM)
        for changes, fields in (
            ({"bookable": True}, {"bookable"}), ({"pre_review": True}, {"pre_review"}), ({"pause_reason": ""}, {"pause_reason"}),
        ):  # fmt: skip
            with pytest.raises(InvalidInput) as refused:
                items.edited(session, pair[0], draft, "service", **PAUSED | changes)
            assert set(refused.value.fields) == fields
        draft = items.edited(session, pair[0], draft, "service", **PAUSED)
        made = submitted(session, pair[0], draft)
        publishing.publish(session, actor=pair[1], version_id=made.id, effective_from=clock.today())
        told = drafted.compared(session, pair[0], made.id, clock.today(), "zh").changes
        assert "暂停原因由无改为“系统升级”" in {change["text"] for change in told}
        found = queries.item_in_force(session, ITEM, clock.today())
        assert (found.bookable, found.pre_review) == (False, False)
    with pytest.raises(DBAPIError, match="pause_takes_nothing_in"), db.transaction() as session:
        author = items.managers(session)[0]
        again = drafts.open_draft(session, actor=author, item_id=ITEM)
        session.execute(text("UPDATE item_version SET bookable = true WHERE id = :id"), {"id": again.id})
