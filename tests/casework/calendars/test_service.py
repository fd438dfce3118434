"""The calendar changed by two people: nothing before the second, everything after (K-9); the alarm (K-10)."""

import threading
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from casework.calendars import jobs, service
from casework.calendars.errors import CalendarChanged, CalendarFaulty, CalendarUnchanged, SamePersonPublishes
from casework.calendars.faults.rules import Fault
from casework.calendars.models import CalendarProposal
from casework.calendars.rules import whole_year
from core import calendar, clock
from core.actors import Staff, System
from core.calendar import CalendarDay
from core.db import transaction
from core.errors import StateConflict
from core.settings import Settings
from core.workdays import Day
from tests.factories import cases as make
from tests.factories.catalogue import CITY_HALL

People = Callable[..., tuple[Any, dict[str, str]]]
# The Wednesday after the acceptance becomes a day off.
WEDNESDAY = date(2026, 12, 2)
CLOSED = {"day": WEDNESDAY, "is_workday": False, "name": "临时放假"}


@pytest.fixture
def managers(staff: People) -> tuple[Staff, Staff]:
    """Two who may decide on each other's."""
    return staff("HALL_MANAGER", hall_id=CITY_HALL)[0], staff("SYSTEM_ADMIN")[0]


def propose(actor: Staff, *days: dict[str, Any], source: str = "国办通知（测试）", **more: Any) -> CalendarProposal:
    with transaction() as session:
        return service.propose(session, actor=actor, days=days, source=source, **more)


def decide(actor: Staff, proposal: CalendarProposal, *, approved: bool = True) -> CalendarProposal:
    with transaction() as session:
        return service.decide(session, actor=actor, proposal_id=proposal.id, approved=approved)


def test_nothing_before_the_second_person_and_everything_after(
    own_database: str, managers: tuple[Staff, Staff]
) -> None:
    first, second = managers
    made = propose(first, CLOSED)
    assert (made.state, made.version) == ("OPEN", None)
    assert made.days == [
        {"day": "2026-12-02", "was_workday": True, "was_name": "", "is_workday": False, "name": "临时放假"}
    ]
    with pytest.raises(SamePersonPublishes):
        decide(first, made)
    with transaction() as session:
        assert session.get_one(CalendarDay, WEDNESDAY).is_workday
    done = decide(second, made)
    assert (done.state, done.version) == ("APPROVED", 2)
    for again in (True, False):
        with pytest.raises(StateConflict) as refused:
            decide(second, made, approved=again)
        assert refused.value.extra == {"state": "APPROVED"}
    with transaction() as session:
        changed = session.get_one(CalendarDay, WEDNESDAY)
        assert (changed.is_workday, changed.name, changed.version) == (False, "临时放假", 2)
        assert not calendar.load(session).day(WEDNESDAY).is_workday


def test_a_rejected_proposal_changes_nothing(database: Any, managers: tuple[Staff, Staff]) -> None:
    first, second = managers
    assert decide(second, propose(first, CLOSED), approved=False).state == "REJECTED"
    with transaction() as session:
        assert session.get_one(CalendarDay, WEDNESDAY).is_workday


def test_only_what_differs_is_proposed_and_the_same_twice_is_one_proposal(
    database: Any, managers: tuple[Staff, Staff]
) -> None:
    first, second = managers
    thursday = {"day": date(2026, 12, 3), "is_workday": True, "name": ""}
    made = propose(first, CLOSED, thursday)
    assert [one["day"] for one in made.days] == ["2026-12-02"]
    assert propose(second, CLOSED).id == made.id
    assert propose(first, CLOSED, source="另一通知").id != made.id
    with pytest.raises(CalendarUnchanged):
        propose(first, thursday)
    with pytest.raises(CalendarFaulty) as refused:
        propose(first, CLOSED, CLOSED)
    fault = Fault("DAY_TWICE", 2, "day", {"day": WEDNESDAY, "first": 1})
    assert refused.value.extra == {"faults": [fault.told()]}


def test_a_proposal_holds_only_while_its_days_are_what_it_says(
    own_database: str, managers: tuple[Staff, Staff]
) -> None:
    first, second = managers
    friday = {"day": date(2026, 12, 4), "is_workday": False, "name": "放假"}
    both, one, other = propose(first, CLOSED, friday), propose(first, CLOSED, source="另一通知"), propose(first, friday)
    decide(second, one)
    with pytest.raises(CalendarChanged) as stale:
        decide(second, both)
    assert stale.value.extra == {"days": ["2026-12-02"]}
    with transaction() as session:
        assert session.get_one(CalendarDay, date(2026, 12, 4)).is_workday
    assert decide(second, both, approved=False).state == "REJECTED"
    # Another day changed meanwhile is none of its business.
    assert decide(second, other).version == 3


def _at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each came to, an exception included, all begun together."""
    gate, done = threading.Barrier(len(acts)), []

    def run(act: Callable[[], Any]) -> None:
        gate.wait()
        try:
            done.append(act())
        except Exception as refused:  # the test looks at it
            done.append(refused)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done


def test_two_second_persons_at_once_publish_once(
    own_database: str, managers: tuple[Staff, Staff], staff: People
) -> None:
    first, second = managers
    third = staff("SYSTEM_ADMIN")[0]
    made = propose(first, CLOSED)
    done = _at_once(lambda: decide(second, made), lambda: decide(third, made, approved=False))
    assert sorted(type(one).__name__ for one in done) == ["CalendarProposal", "StateConflict"]
    again = propose(first, {"day": date(2026, 12, 4), "is_workday": False, "name": "放假"})
    done = _at_once(lambda: decide(second, again), lambda: decide(third, again))
    assert sorted(type(one).__name__ for one in done) == ["CalendarProposal", "StateConflict"]
    with transaction() as session:
        query = text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'cases.recompute_open' AND args = '{}'")
        published = session.scalars(select(CalendarProposal).where(CalendarProposal.version.is_not(None))).all()
        assert session.scalar(query) == len(published)


def test_the_same_proposal_twice_at_once_is_one(database: Any, managers: tuple[Staff, Staff]) -> None:
    first, second = managers
    done = _at_once(lambda: propose(first, CLOSED), lambda: propose(second, CLOSED))
    assert len({one.id for one in done}) == 1


def test_the_database_wants_two_people_too(database: Any, managers: tuple[Staff, Staff]) -> None:
    propose(managers[0], CLOSED)
    with pytest.raises(IntegrityError), transaction() as session:
        who = session.scalars(select(CalendarProposal.proposed_by)).one()
        session.execute(update(CalendarProposal).values(state="APPROVED", decided_by=who))


def test_an_operator_replaces_nothing_by_accident(own_database: str) -> None:
    def run(*days: Day, **more: bool) -> service.Published:
        with transaction() as session:
            return service.publish(session, actor=System("operator"), days=days, source="文件", **more)

    closed, new = Day(WEDNESDAY, is_workday=False, name="放假"), Day(date(2027, 1, 1), is_workday=False, name="元旦")
    tried = run(closed, new, dry_run=True, replace=True)
    assert (tried.version, len(tried.changes), len(tried.conflicts)) == (None, 2, 1)
    refused = run(closed, new)
    assert refused.version is None
    assert [one.becomes for one in refused.conflicts] == [closed]
    with transaction() as session:
        assert session.get(CalendarDay, new.day) is None
        assert session.get_one(CalendarDay, WEDNESDAY).is_workday
    assert run(closed, new, replace=True).version == 2
    assert run(closed, new) == service.Published(None, (), ())


def test_the_alarm_is_in_readiness_and_metrics(client: FlaskClient, settings: Settings) -> None:
    """K-10."""
    scrape = {"Authorization": f"Bearer {settings.metrics_token}"}
    for day, notes, gauge in (
        ("2026-11-24", [], 0),
        ("2026-12-01", ["calendar of 2027 is missing"], 1),
        ("2027-01-01", ["calendar of 2027 is missing"], 1),
    ):
        with clock.at(make.at(day)):
            ready = client.get("/readyz")
            assert (ready.status_code, ready.get_json()["notes"]) == (200, notes)
            assert f"\ncalendar_missing {gauge}.0\n" in client.get("/metrics", headers=scrape).get_data(as_text=True)


def test_the_log_says_so_every_day_until_it_is_published(own_database: str, capfd: Any) -> None:
    with clock.at(make.at("2026-12-01")):
        jobs.watch()
        assert "calendar.missing" in "".join(capfd.readouterr())
        with transaction() as session:
            calendar.publish(session, whole_year(2027), source="通知", published_by="system:test")
        jobs.watch()
        assert "calendar.missing" not in "".join(capfd.readouterr())
