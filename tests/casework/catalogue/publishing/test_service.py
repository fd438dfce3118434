"""From a draft to law: review, second person, days, no two in force, withdrawal (S22)."""

import threading
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from casework.catalogue import queries, service
from casework.catalogue.drafts import service as drafts
from casework.catalogue.drafts.errors import ItemEnded
from casework.catalogue.drafts.ports import SECTIONS
from casework.catalogue.errors import (
    AuthorCannotPublish,
    BaseChanged,
    CatalogueFaulty,
    ItemNotInForce,
    PreconditionFailed,
)
from casework.catalogue.models import ItemVersion, ItemVersionEvent
from casework.catalogue.publishing import service as publishing
from casework.catalogue.rules import GoneKind
from core import clock, db
from core.actors import System
from core.errors import InvalidInput, NotFound, StateConflict
from tests.factories import catalogue as sample
from tests.factories import items
from tests.factories.items import DEPARTMENT, ITEM


def hours_on(day: date) -> str:
    with db.transaction() as session:
        return queries.item_in_force(session, ITEM, day).hours


def days(session: Any) -> list[tuple[str, date, date | None]]:
    rows = session.execute(
        select(ItemVersion.state, ItemVersion.effective_from, ItemVersion.effective_to)
        .where(ItemVersion.item_id == ITEM)
        .order_by(ItemVersion.version)
    )
    return [tuple(row) for row in rows]


def test_a_draft_says_what_its_base_says(own_database: str) -> None:
    with db.transaction() as session:
        author, _ = items.managers(session)
        draft = drafts.open_draft(session, actor=author, item_id=ITEM)
        base = queries.item_in_force(session, ITEM, clock.today())
        copy = queries.item_version(session, draft.id)
        for name in ("materials", "questions", "fee_lines", "rules", "legal_limit", "name", "legal_basis"):
            assert getattr(copy, name) == getattr(base, name)
        assert (copy.version, base.version) == (2, 1)
        with pytest.raises(StateConflict) as refused:
            drafts.open_draft(session, actor=author, item_id=ITEM)
        assert refused.value.extra == {"version_id": str(draft.id)}


def test_every_section_can_be_written_back_as_it_is_read(own_database: str) -> None:
    with db.transaction() as session:
        author, _ = items.managers(session)
        draft = drafts.open_draft(session, actor=author, item_id=ITEM)
        before = items.section(session, draft.id, "materials")
        for name in SECTIONS:
            draft = items.edited(session, author, draft, name)
        assert draft.edit == 1 + len(SECTIONS)
        assert items.section(session, draft.id, "materials") == before
        base = queries.item_in_force(session, ITEM, clock.today())
        assert queries.item_version(session, draft.id).materials == base.materials


def test_a_second_person_publishes(own_database: str) -> None:
    with db.transaction() as session:
        author, other = pair = items.managers(session)
        made = items.submitted(session, author, "process", hours="7:00-19:00")
        with pytest.raises(AuthorCannotPublish):
            publishing.publish(session, actor=author, version_id=made.id, effective_from=clock.today())
        publishing.publish(session, actor=pair[1], version_id=made.id, effective_from=clock.today())
        assert queries.item_in_force(session, ITEM, clock.today()).hours == "7:00-19:00"
        done = session.scalars(
            select(ItemVersionEvent.action).where(ItemVersionEvent.version_id == made.id).order_by(ItemVersionEvent.id)
        )
        assert list(done) == ["draft.open", "draft.edit", "version.submit", "version.publish"]
        assert made.published_by == other.staff_id


def test_who_helped_with_the_draft_is_no_second_person(own_database: str) -> None:
    with db.transaction() as session:
        author, helper = items.managers(session)
        draft = drafts.open_draft(session, actor=author, item_id=ITEM)
        draft = items.edited(session, helper, draft, "process", hours="8:00-18:00")
        made = publishing.submit(session, actor=author, version_id=draft.id, edit=draft.edit)
        with pytest.raises(AuthorCannotPublish):
            publishing.publish(session, actor=helper, version_id=made.id, effective_from=clock.today())
    with pytest.raises(DBAPIError, match="published_by_a_second_person"), db.transaction() as session:
        session.execute(
            text("UPDATE item_version SET state = 'PUBLISHED', published_by = :who WHERE id = :id"),
            {"who": helper.staff_id, "id": made.id},
        )
    with pytest.raises(DBAPIError, match="somebody_published_it"), db.transaction() as session:
        session.execute(text("UPDATE item_version SET state = 'PUBLISHED' WHERE id = :id"), {"id": made.id})


def test_another_department_sees_nothing(own_database: str) -> None:
    with db.transaction() as session:
        author, _ = items.managers(session)
        stranger, _ = items.managers(session, "D40")
        draft = drafts.open_draft(session, actor=author, item_id=ITEM)
        with pytest.raises(NotFound):
            drafts.open_draft(session, actor=stranger, item_id=ITEM)
        for act in (publishing.submit, drafts.rebase):
            with pytest.raises(NotFound):
                act(session, actor=stranger, version_id=draft.id, edit=draft.edit)
        with pytest.raises(NotFound):
            publishing.publish(session, actor=stranger, version_id=draft.id, effective_from=clock.today())


def test_nobody_writes_over_what_somebody_else_just_wrote(own_database: str) -> None:
    with db.transaction() as session:
        author, helper = items.managers(session)
        draft = drafts.open_draft(session, actor=author, item_id=ITEM)
        read = draft.edit
        items.edited(session, author, draft, "process", hours="8:00-18:00")
        content = items.section(session, draft.id, "process") | {"hours": "9:00-12:00"}
        with pytest.raises(PreconditionFailed) as refused:
            drafts.edit(session, actor=helper, version_id=draft.id, edit=read, section="process", content=content)
        assert refused.value.extra == {"edit": 2}
        assert items.section(session, draft.id, "process")["hours"] == "8:00-18:00"


def test_what_is_published_for_later_takes_effect_at_midnight_by_itself(own_database: str) -> None:
    today = clock.today()
    monday = today + timedelta(days=6)
    before = hours_on(today)
    with db.transaction() as session:
        made = items.published(session, items.managers(session), "process", hours="7:00-19:00", effective_from=monday)
        assert made.effective_from == monday
    last_second = clock.day_start(monday) - timedelta(seconds=1)
    with clock.at(last_second):
        assert hours_on(clock.today()) == before
    with clock.at(clock.day_start(monday)):
        assert hours_on(clock.today()) == "7:00-19:00"


def test_a_publication_is_taken_back_before_its_day_and_not_after(own_database: str) -> None:
    today = clock.today()
    monday = today + timedelta(days=6)
    before = hours_on(today)
    with db.transaction() as session:
        pair = items.managers(session)
        made = items.published(session, pair, "process", hours="7:00-19:00", effective_from=monday)
        publishing.withdraw(session, actor=pair[0], version_id=made.id, text="暂缓")
        assert [(state, to) for state, _, to in days(session)] == [("PUBLISHED", None), ("WITHDRAWN", None)]
    assert hours_on(monday) == before
    with db.transaction() as session:
        again = items.published(session, pair, "process", hours="7:30-19:00")
        with pytest.raises(StateConflict):
            publishing.withdraw(session, actor=pair[0], version_id=again.id, text="太晚")
    assert hours_on(today) == "7:30-19:00"


def test_between_two_versions_a_third_ends_where_the_next_begins(own_database: str) -> None:
    today = clock.today()
    with db.transaction() as session:
        pair = items.managers(session)
        items.published(session, pair, "process", hours="later", effective_from=today + timedelta(days=20))
        # The next draft is made of what was published last; it can't become law before that.
        early = items.submitted(session, pair[0], "process", hours="sooner")
        with pytest.raises(BaseChanged):
            publishing.publish(session, actor=pair[1], version_id=early.id, effective_from=today + timedelta(days=10))
        with pytest.raises(InvalidInput):
            publishing.publish(session, actor=pair[1], version_id=early.id, effective_from=today + timedelta(days=20))
        publishing.publish(session, actor=pair[1], version_id=early.id, effective_from=today + timedelta(days=30))
    assert hours_on(today + timedelta(days=29)) == "later"
    assert hours_on(today + timedelta(days=30)) == "sooner"


def test_an_import_leaves_what_is_published_for_later(own_database: str) -> None:
    today = clock.today()
    with db.transaction() as session:
        pair = items.managers(session)
        items.published(session, pair, "process", hours="later", effective_from=today + timedelta(days=20))
        change = lambda document: document["items"][0].update(hours="imported")  # noqa: E731
        assert service.import_sample(session, sample.document(ITEM, change=change)).changed == 1
    assert hours_on(today) == "imported"
    assert hours_on(today + timedelta(days=20)) == "later"


def test_an_unchanged_document_leaves_what_managers_published(own_database: str) -> None:
    """The draft took over the digest of its base: only a document with other words makes a new version."""
    with db.transaction() as session:
        items.published(session, items.managers(session), "process", hours="7:00-19:00")
        assert service.import_sample(session, sample.document(ITEM)).changed == 0
    assert hours_on(clock.today()) == "7:00-19:00"


def test_a_draft_of_an_overtaken_base_is_looked_at_again(own_database: str) -> None:
    with db.transaction() as session:
        pair = items.managers(session)
        draft = drafts.open_draft(session, actor=pair[0], item_id=ITEM)
        change = lambda document: document["items"][0].update(consult="0574-12345")  # noqa: E731
        service.import_sample(session, sample.document(ITEM, change=change))
        draft = items.edited(session, pair[0], draft, "process", hours="7:00-19:00")
        made = publishing.submit(session, actor=pair[0], version_id=draft.id, edit=draft.edit)
        with pytest.raises(BaseChanged):
            publishing.publish(session, actor=pair[1], version_id=made.id, effective_from=clock.today())
        back = publishing.send_back(session, actor=pair[1], version_id=made.id, text="请核对咨询电话")
        back = drafts.rebase(session, actor=pair[0], version_id=back.id, edit=back.edit)
        back = items.edited(session, pair[0], back, "process", consult="0574-12345")
        made = publishing.submit(session, actor=pair[0], version_id=back.id, edit=back.edit)
        publishing.publish(session, actor=pair[1], version_id=made.id, effective_from=clock.today())
        found = queries.item_in_force(session, ITEM, clock.today())
        assert (found.hours, found.consult) == ("7:00-19:00", "0574-12345")


def test_the_linter_stands_before_review_and_before_publication(own_database: str) -> None:
    with db.transaction() as session:
        author, _ = items.managers(session)
        draft = drafts.open_draft(session, actor=author, item_id=ITEM)
        situations = items.section(session, draft.id, "situations")
        situations["rules"] += [
            {"no": 11, "condition": {"question": "agent", "is": "maybe"}, "effect": "LEVEL", "params": {"level": 3}}
        ]
        draft = items.edited(session, author, draft, "situations", **situations)
        with pytest.raises(CatalogueFaulty) as refused:
            publishing.submit(session, actor=author, version_id=draft.id, edit=draft.edit)
        told: Any = refused.value.extra["faults"]
        assert [fault["path"] for fault in told] == ["rules.11.condition"]
        assert "maybe" in told[0]["problem"]
        assert told[0]["mend"]


@pytest.mark.parametrize(
    ("section", "changes", "path"),
    [
        ("process", {"trips_to_hall": 3, "trips_reason": ""}, "trips_reason"),
        ("law", {"promised_limit": {"value": 31, "unit": "WORKDAY"}}, "promised_limit"),
        ("law", {"promised_limit": {"value": 2, "unit": "WORKDAY"}}, "promised_limit"),
        ("fees", {"is_fee": False}, "is_fee"),
        ("fees", {"fee_lines": []}, "fee_lines"),
    ],
)
def test_elements_must_make_sense_together(own_database: str, section: str, changes: dict[str, Any], path: str) -> None:
    with db.transaction() as session:
        author, _ = items.managers(session)
        with pytest.raises(CatalogueFaulty) as refused:
            items.submitted(session, author, section, **changes)
        told: Any = refused.value.extra["faults"]
        # Without lines the rules that call for them lead nowhere too.
        assert [fault["path"] for fault in told if not fault["path"].startswith("rules.")] == [path]


def test_a_past_day_is_refused(own_database: str) -> None:
    with db.transaction() as session:
        pair = items.managers(session)
        with pytest.raises(InvalidInput):
            items.published(session, pair, "process", hours="x", effective_from=clock.today() - timedelta(days=1))


def test_an_item_that_ends_takes_no_new_version(own_database: str) -> None:
    with db.transaction() as session:
        pair = items.managers(session)
        made = items.submitted(session, pair[0], "process", hours="x")
        ends = clock.today() + timedelta(days=10)
        service.retire(
            session, actor=System("test"), item_id=ITEM, ends=ends, kind=GoneKind.MERGED, successors=["NB-001"]
        )
        for day in (clock.today(), ends, ends + timedelta(days=3)):
            with pytest.raises(ItemEnded):
                publishing.publish(session, actor=pair[1], version_id=made.id, effective_from=day)
        with pytest.raises(ItemNotInForce):
            queries.item_in_force(session, ITEM, ends)


def test_what_is_to_come_must_be_withdrawn_before_an_item_ends(own_database: str) -> None:
    with db.transaction() as session:
        pair = items.managers(session)
        later = clock.today() + timedelta(days=10)
        made = items.published(session, pair, "process", hours="x", effective_from=later)
        with pytest.raises(InvalidInput, match="INVALID_INPUT") as refused:
            service.retire(session, actor=System("test"), item_id=ITEM, ends=clock.today() + timedelta(days=1))
        assert later.isoformat() in refused.value.fields["ends"][0]
        publishing.withdraw(session, actor=pair[0], version_id=made.id, text="取消")
        service.retire(session, actor=System("test"), item_id=ITEM, ends=later)


def test_two_reviewers_at_once_publish_one(own_database: str) -> None:
    """Real threads, real commits: one version becomes law, the other reviewer is told."""
    with db.transaction() as session:
        author, two = items.managers(session)
        three, _ = items.managers(session)
        made = items.submitted(session, author, "process", hours="7:00-19:00")
    told: list[str] = []
    start = threading.Barrier(2)

    def act(actor: Any) -> None:
        start.wait()
        try:
            with db.transaction() as session:
                publishing.publish(session, actor=actor, version_id=made.id, effective_from=clock.today())
            told.append("published")
        except StateConflict:
            told.append("too late")

    threads = [threading.Thread(target=act, args=(actor,)) for actor in (two, three)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(told) == ["published", "too late"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE item_version SET hours = 'x' WHERE id = :id",
        "UPDATE item_rule SET effect = 'LEVEL' WHERE version_id = :id",
        "INSERT INTO item_step (version_id, no, name, owner, standard, result) VALUES (:id, 1, 'x', '', '', '')",
        "INSERT INTO item_common_question (version_id, no, question, answer) VALUES (:id, 1, 'x', '')",
        "DELETE FROM item_version_event WHERE version_id = :id",
    ],
)
def test_the_database_keeps_what_is_published(own_database: str, statement: str) -> None:
    with db.transaction() as session:
        pair = items.managers(session)
        situations = items.section(
            session, queries.item_in_force(session, ITEM, clock.today()).version_id, "situations"
        )
        level = {"no": 11, "condition": {"question": "agent", "is": "yes"}, "effect": "LEVEL", "params": {"level": 3}}
        made = items.published(session, pair, "situations", **situations | {"rules": [*situations["rules"], level]})
    with pytest.raises(DBAPIError, match=r"never changed|only grows"), db.transaction() as session:
        session.execute(text(statement), {"id": made.id})


def test_review_freezes_the_draft(own_database: str) -> None:
    with db.transaction() as session:
        author, _ = items.managers(session)
        made = items.submitted(session, author, "process", hours="7:00-19:00")
        with pytest.raises(StateConflict):
            items.edited(session, author, made, "process", hours="x")
    with pytest.raises(DBAPIError, match="never changed"), db.transaction() as session:
        session.execute(text("UPDATE item_version SET hours = 'x' WHERE id = :id"), {"id": made.id})


def test_department_of_the_factory_is_the_items(own_database: str) -> None:
    with db.transaction() as session:
        assert queries.item_in_force(session, ITEM, clock.today()).department_id == DEPARTMENT
