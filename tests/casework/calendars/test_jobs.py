"""What follows a publication: due dates move once (K-9), provisional ones become firm (K-10), visits on closed days are moved (AP-4)."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import date, time
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from casework.appointments import queries as appointments
from casework.appointments.rules import State
from casework.calendars import jobs, queries, service
from casework.calendars.models import CalendarProposal
from casework.calendars.queries import Reach
from casework.cases import queries as cases
from casework.slots import service as slots
from core import calendar, clock
from core.actors import Staff
from core.db import transaction
from tests.factories import appointments as visits
from tests.factories import calendars as notice
from tests.factories import cases as make
from tests.factories.appointments import NOW, TOMORROW, at
from tests.factories.catalogue import CITY_HALL

People = Callable[..., tuple[Any, dict[str, str]]]


@pytest.fixture(autouse=True)
def _today(app: Flask) -> Iterator[None]:
    with clock.at(NOW):
        yield


@pytest.fixture
def managers(staff: People) -> tuple[Staff, Staff]:
    return staff("HALL_MANAGER", hall_id=CITY_HALL)[0], staff("SYSTEM_ADMIN")[0]


def changed(managers: tuple[Staff, Staff], day: date, *, is_workday: bool, name: str = "") -> CalendarProposal:
    with transaction() as session:
        days = [{"day": day, "is_workday": is_workday, "name": name}]
        made = service.propose(session, actor=managers[0], days=days, source="市政府通知")
    with transaction() as session:
        return service.decide(session, actor=managers[1], proposal_id=made.id, approved=True)


def queued() -> list[tuple[str, float]]:
    """The jobs that wait, and how many seconds from now until they are due."""
    with transaction() as session:
        rows = session.execute(
            text(
                "SELECT task_name, extract(epoch FROM scheduled_at - now())::float FROM procrastinate_jobs"
                " WHERE status = 'todo' AND (task_name LIKE 'calendars.%' OR task_name = 'cases.recompute_open')"
                " ORDER BY task_name"
            )
        )
        return [(name, seconds) for name, seconds in rows]


def due_changes(case_id: object) -> list[tuple[str, date, date]]:
    with transaction() as session:
        rows = session.execute(
            text(
                "SELECT public_note, old_due_on, new_due_on FROM case_transition"
                " WHERE case_id = :id AND reason = 'calendar changed' ORDER BY id"
            ),
            {"id": case_id},
        )
        return [tuple(row) for row in rows]


def test_each_publication_has_open_cases_reckoned_anew_once(
    own_database: str, citizen: People, staff: People, managers: tuple[Staff, Staff], run_jobs: Callable[..., None]
) -> None:
    clerk = staff("FRONT_CLERK", hall_id=CITY_HALL)[0]
    with transaction() as session:
        case = make.accepted(session, citizen(level=2)[0], clerk)
    assert case.due_on == date(2026, 12, 23)
    changed(managers, date(2026, 12, 9), is_workday=False, name="临时放假")
    assert [name for name, _ in queued()] == ["calendars.follow", "cases.recompute_open"]
    # Only when no process can still accept a case by the old calendar.
    assert all(seconds > calendar.CACHE_SECONDS for _, seconds in queued())
    changed(managers, date(2026, 12, 10), is_workday=False, name="临时放假")
    assert [name for name, _ in queued()] == ["calendars.follow"] * 2 + ["cases.recompute_open"] * 2
    run_jobs(all=True)
    assert queued() == []
    assert due_changes(case.id) == [("工作日历调整", date(2026, 12, 23), date(2026, 12, 25))]


def test_a_new_name_moves_no_date(own_database: str, managers: tuple[Staff, Staff]) -> None:
    changed(managers, date(2026, 12, 9), is_workday=True, name="纪念日")
    assert [name for name, _ in queued()] == ["calendars.follow"]


def test_next_year_from_a_file_makes_provisional_dates_firm(
    own_database: str, citizen: People, staff: People, managers: tuple[Staff, Staff], run_jobs: Callable[..., None]
) -> None:
    owner, clerk = citizen(level=2)[0], staff("FRONT_CLERK", hall_id=CITY_HALL)[0]
    with clock.at(make.at("2026-12-24")):
        with transaction() as session:
            case = make.accepted(session, owner, clerk)
        # 16 working days: 12-25, 28 to 31, then 11 days of January; without the holiday the last is the 15th.
        assert (case.due_on, case.due_status) == (date(2027, 1, 15), "PROVISIONAL")
        with transaction() as session:
            stream = io.BytesIO(notice.as_csv())
            made = service.propose_file(session, actor=managers[0], stream=stream, source=notice.SOURCE, year=2027)
            assert len(made.days) == 365
            found, reach = queries.proposal(session, made.id)
            assert reach == Reach(open_cases=1, appointments=0)
        with transaction() as session:
            service.decide(session, actor=managers[1], proposal_id=found.id, approved=True)
        run_jobs(all=True)
    row = make.row(case.id)
    assert (row.due_on, row.due_status) == (date(2027, 1, 18), "FIRM")
    assert due_changes(case.id) == [("工作日历调整", date(2027, 1, 15), date(2027, 1, 18))]


def test_visits_on_a_day_that_becomes_a_rest_day_are_cancelled_by_the_hall_and_told(
    own_database: str, citizen: People, managers: tuple[Staff, Staff], run_jobs: Callable[..., None]
) -> None:
    """AP-4, AP-15: no penalty, a message at once with the reason, the others stay."""
    people = [citizen()[0] for _ in range(3)]
    thursday = date(2026, 12, 3)
    with transaction() as session:
        gone = visits.book(session, people[0], visits.slot(session))
        stays = visits.book(session, people[1], visits.slot(session, at(9, day=thursday)))
        held = visits.hold(session, people[2], visits.slot(session, at(11)))
    changed(managers, TOMORROW, is_workday=False, name="全市临时放假")
    run_jobs(all=True)
    with transaction() as session:
        assert visits.stored(session, gone).state == State.HALL_CANCELLED
        assert visits.stored(session, gone).close_note == "全市临时放假"
        assert visits.stored(session, stays).state == State.BOOKED
        assert visits.counters(session, held.slot_id) == (0, 0)
    assert _told(people[0]) == ["APPOINTMENT_BOOKED", "APPOINTMENT_HALL_CANCELLED"]
    assert _told(people[1]) == ["APPOINTMENT_BOOKED"]
    jobs.follow(version=2)
    run_jobs(all=True)
    assert _told(people[0]) == ["APPOINTMENT_BOOKED", "APPOINTMENT_HALL_CANCELLED"]
    # The day works again after all: it can be booked again.
    changed(managers, TOMORROW, is_workday=True)
    run_jobs(all=True)
    with transaction() as session:
        assert _capacity(session, TOMORROW) > 0


def _told(person: Any) -> list[str]:
    with transaction() as session:
        rows = session.execute(
            text("SELECT template FROM message WHERE receiver_id = :id ORDER BY id"), {"id": person.subject_id}
        )
        return [template for (template,) in rows if template.startswith("APPOINTMENT_")]


def _capacity(session: Any, day: date) -> int:
    query = text("SELECT coalesce(sum(planned_minutes), 0) FROM slot WHERE day = :day AND hall_id = :hall")
    return int(session.execute(query, {"day": day, "hall": CITY_HALL}).scalar_one())


def test_a_hall_with_hours_of_its_own_that_day_stays_open(
    own_database: str, citizen: People, managers: tuple[Staff, Staff], run_jobs: Callable[..., None]
) -> None:
    """AP-4: a hall's exception is above the calendar."""
    person = citizen()[0]
    with transaction() as session:
        booked = visits.book(session, person, visits.slot(session))
    with transaction() as session:
        slots.set_hours(session, actor=managers[0], day=TOMORROW, periods=((time(9), time(12)),), reason="假日服务")
    changed(managers, TOMORROW, is_workday=False, name="全市临时放假")
    run_jobs(all=True)
    with transaction() as session:
        assert visits.stored(session, booked).state == State.BOOKED


def test_a_make_up_day_can_be_booked_once_it_is_published(
    own_database: str, managers: tuple[Staff, Staff], run_jobs: Callable[..., None]
) -> None:
    saturday = date(2026, 12, 5)
    with transaction() as session:
        slots.ensure_slots(session, hall_id=CITY_HALL, zone_code=visits.ZONE, day=saturday)
        assert _capacity(session, saturday) == 0
    changed(managers, saturday, is_workday=True, name="调休上班")
    run_jobs(all=True)
    with transaction() as session:
        assert _capacity(session, saturday) > 0


def test_reach_counts_what_the_days_touch_and_stops_counting(
    own_database: str, citizen: People, staff: People, managers: tuple[Staff, Staff], count_queries: Callable[[], Any]
) -> None:
    clerk = staff("FRONT_CLERK", hall_id=CITY_HALL)[0]
    people = [citizen(level=2)[0] for _ in range(2)]
    with transaction() as session:
        for person in people:
            make.accepted(session, person, clerk)
            visits.book(session, person, visits.slot(session))

    def reach(day: date, *, is_workday: bool = False) -> Reach:
        with transaction() as session:
            days = [{"day": day, "is_workday": is_workday, "name": "临时放假"}]
            made = service.propose(session, actor=managers[0], days=days, source="通知")
        with transaction() as session, count_queries() as asked:
            found = queries.proposal(session, made.id)[1]
        assert len(asked) <= 3
        return found

    assert reach(TOMORROW) == Reach(2, 2)
    assert reach(date(2026, 12, 3)) == Reach(2, 0)
    # The law's limit runs to January, the day of acceptance itself doesn't count, a name alone moves nothing.
    assert reach(date(2026, 12, 31)) == Reach(2, 0)
    assert reach(NOW.date()) == Reach(0, 0)
    assert reach(TOMORROW, is_workday=True) == Reach(0, 0)
    with transaction() as session:
        assert cases.count_reckoned_with(session, [TOMORROW], 1) == 1
        assert appointments.count_booked_on(session, [TOMORROW], 1) == 1
        assert cases.count_reckoned_with(session, [], 1) == appointments.count_booked_on(session, [], 1) == 0


def test_a_publication_needs_no_more_statements_for_more_days(
    own_database: str, managers: tuple[Staff, Staff], count_queries: Callable[[], Any]
) -> None:
    with count_queries() as asked, transaction() as session:
        service.propose_file(
            session, actor=managers[0], stream=io.BytesIO(notice.as_json()), source=notice.SOURCE, year=2027
        )
    assert len(asked) <= 6
