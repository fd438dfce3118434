"""Version histories walked against open drafts, submitted pre-reviews and cases (S22, PR-2, PR-9).

Each history has a database of its own. Whatever happens to the item: a draft is told exactly when the version in force on
the day isn't its own, what was submitted keeps its list, and a case keeps its version for ever.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from casework.cases.models import ServiceCase
from casework.catalogue import queries as catalogue
from casework.catalogue import service as items_service
from casework.catalogue.errors import ItemNotInForce
from casework.catalogue.publishing import service as publishing
from casework.catalogue.rules import GoneKind
from casework.prereview import queries, service
from casework.prereview.errors import ItemVersionChanged
from casework.prereview.rules import State
from core import clock, db
from core.actors import Staff, System
from tests.factories import cases as make_cases
from tests.factories import catalogue as sample
from tests.factories import items
from tests.factories import prereview as make
from tests.factories.catalogue import CITY_HALL

People = Callable[..., tuple[Any, dict[str, str]]]
Pair = tuple[Staff, Staff]
OPERATOR = System("test")
WEEK = timedelta(days=7)


def nothing(session: Session, pair: Pair) -> None:
    """The item stays as it is."""


def publish(session: Session, pair: Pair) -> None:
    items.published(session, pair, "process", hours="7:00-19:00")


def publish_papers(session: Session, pair: Pair) -> None:
    materials = items.section(session, in_force(session), "materials")["materials"]
    extra = {**materials[0], "no": 20, "name": "宗地图"}
    items.published(session, pair, "materials", materials=[extra, *materials])


def in_force(session: Session) -> UUID:
    return catalogue.item_in_force(session, items.ITEM, clock.today()).version_id


def publish_later(session: Session, pair: Pair) -> None:
    items.published(session, pair, "process", hours="later", effective_from=clock.today() + WEEK)


def publish_and_withdraw(session: Session, pair: Pair) -> None:
    made = items.published(session, pair, "process", hours="later", effective_from=clock.today() + WEEK)
    publishing.withdraw(session, actor=pair[1], version_id=made.id, text="暂缓")


def publish_twice(session: Session, pair: Pair) -> None:
    publish(session, pair)
    items.published(session, pair, "process", hours="6:00-20:00")


def now_and_later(session: Session, pair: Pair) -> None:
    publish(session, pair)
    publish_later(session, pair)


def import_again(session: Session, pair: Pair) -> None:
    def change(document: dict[str, Any]) -> None:
        document["items"][0]["hours"] = "8:00-17:00"

    assert items_service.import_sample(session, sample.document(items.ITEM, change=change)).changed == 1


def retire(session: Session, pair: Pair) -> None:
    items_service.retire(session, actor=OPERATOR, item_id=items.ITEM, ends=clock.today(), reason="取消")


def retire_later(session: Session, pair: Pair) -> None:
    items_service.retire(session, actor=OPERATOR, item_id=items.ITEM, ends=clock.today() + WEEK, reason="取消")


def gone(kind: GoneKind, *successors: str) -> Callable[[Session, Pair], None]:
    def act(session: Session, pair: Pair) -> None:
        for code in (code for code in successors if code.startswith("NB-9")):
            items.new_item(session, pair, code, name=f"新事项{code}")
        items_service.retire(
            session,
            actor=OPERATOR,
            item_id=items.ITEM,
            ends=clock.today(),
            kind=kind,
            successors=successors,
            reason="调整",
        )

    return act


def rename_twice(session: Session, pair: Pair) -> None:
    gone(GoneKind.RENAMED, "NB-901")(session, pair)
    items.new_item(session, pair, "NB-902", like="NB-901", name="又改名")
    items_service.retire(
        session,
        actor=OPERATOR,
        item_id="NB-901",
        ends=clock.today(),
        kind=GoneKind.RENAMED,
        successors=["NB-902"],
        reason="",
    )


@dataclass(frozen=True, slots=True)
class History:
    """What happens, what a draft sees today and in eight days ("same", "changed", "gone"), and where an old code leads."""

    act: Callable[[Session, Pair], None]
    today: str
    later: str
    went_to: tuple[str, ...] = ()
    passed_counts: bool = True


HISTORIES = {
    "nothing": History(nothing, "same", "same"),
    "publish": History(publish, "changed", "changed"),
    "publish more papers": History(publish_papers, "changed", "changed", passed_counts=False),
    "publish for later": History(publish_later, "same", "changed"),
    "publish for later and withdraw": History(publish_and_withdraw, "same", "same"),
    "publish twice on a day": History(publish_twice, "changed", "changed"),
    "publish now and for later": History(now_and_later, "changed", "changed"),
    "import again": History(import_again, "changed", "changed"),
    "retire": History(retire, "gone", "gone", passed_counts=False),
    "retire later": History(retire_later, "same", "gone"),
    "rename": History(gone(GoneKind.RENAMED, "NB-901"), "gone", "gone", ("NB-901",), passed_counts=False),
    "rename twice": History(rename_twice, "gone", "gone", ("NB-902",), passed_counts=False),
    "split": History(gone(GoneKind.SPLIT, "NB-901", "NB-903"), "gone", "gone", ("NB-901", "NB-903"), False),
    "merge": History(gone(GoneKind.MERGED, "NB-001"), "gone", "gone", ("NB-001",), passed_counts=False),
    "move to another department": History(gone(GoneKind.MOVED, "NB-052"), "gone", "gone", ("NB-052",), False),
}


@pytest.mark.parametrize("name", HISTORIES)
def test_what_a_history_does_to_open_matters(own_database: str, citizen: People, staff: People, name: str) -> None:
    history = HISTORIES[name]
    zhang, _ = citizen(level=2)
    clerk, _ = staff("FRONT_CLERK", hall_id=CITY_HALL)
    with db.transaction() as session:
        draft = make.draft(session, zhang)
        make.provide(session, zhang, draft, 1)
        waiting = make.submitted(session, zhang)
        passed = make.passed(session, zhang, clerk)
        case = make_cases.accepted(session, zhang, clerk, item_id=items.ITEM)
        begun_with = in_force(session)
        before = [(m.no, m.name) for m in queries.owned(session, waiting.id, zhang.owner_id).listed]
    with db.transaction() as session:
        history.act(session, items.managers(session))
    for wanted, moment in ((history.today, clock.now()), (history.later, clock.now() + WEEK + timedelta(days=1))):
        with clock.at(moment), db.transaction() as session:
            assert _seen(session, draft.id, zhang, clock.now()) == wanted
            again = queries.owned(session, waiting.id, zhang.owner_id)
            assert [(m.no, m.name) for m in again.listed] == before
            assert again.version_id == begun_with
            kept = session.scalars(select(ServiceCase).where(ServiceCase.id == case.id)).one()
            assert kept.version_id == begun_with
            assert catalogue.item_version(session, kept.version_id).item_id == items.ITEM
    with db.transaction() as session:
        found = queries.owned(session, passed.id, zhang.owner_id)
        assert queries.counts(session, found, clock.now()) is history.passed_counts
    if history.later == "gone":
        with pytest.raises(ItemNotInForce) as over, db.transaction() as session:
            catalogue.item_in_force(session, items.ITEM, clock.today() + WEEK + timedelta(days=1))
        told: Any = over.value.extra["went_to"]
        assert tuple(one["item_id"] for one in told) == history.went_to
    if history.today == "changed":
        _adopt_and_submit(draft.id, zhang, more_papers=name == "publish more papers")
    elif history.today == "gone":
        with pytest.raises(ItemNotInForce), db.transaction() as session:
            service.submit(session, actor=zhang, prereview_id=draft.id)
    else:
        with db.transaction() as session:
            assert service.submit(session, actor=zhang, prereview_id=draft.id).version_id == begun_with


def _seen(session: Session, prereview_id: UUID, actor: Any, now: Any) -> str:
    found = queries.owned(session, prereview_id, actor.owner_id)
    try:
        catalogue.item_in_force(session, found.item_id, clock.local(now).date())
    except ItemNotInForce:
        return "gone"
    change = queries.detail(session, found, now).version_change
    if change is None:
        return "same"
    assert change.told
    assert [step.action for step in change.choices] == ["ADOPT", "KEEP"]
    return "changed"


def _adopt_and_submit(prereview_id: UUID, zhang: Any, *, more_papers: bool) -> None:
    """KEEP can't be submitted; ADOPT keeps the file that still fits."""
    with pytest.raises(ItemVersionChanged) as refused, db.transaction() as session:
        service.submit(session, actor=zhang, prereview_id=prereview_id)
    assert refused.value.extra["difference"]
    with db.transaction() as session:
        version_id = in_force(session)
        adopted = service.confirm_version(session, actor=zhang, prereview_id=prereview_id, version_id=version_id)
        assert [len(m.files) for m in adopted.listed if m.no == 1] == [1]
        assert ("宗地图" in [m.name for m in adopted.listed]) is more_papers
        if more_papers:
            make.provide(session, zhang, adopted, 20)
        assert service.submit(session, actor=zhang, prereview_id=prereview_id).state == State.SUBMITTED
