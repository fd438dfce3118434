"""What the clock does by itself: deemed acceptance, corrections that never came, a changed calendar."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from casework.calendars.rules import whole_year
from casework.cases import jobs, service
from casework.cases.queries import Case
from core import calendar, clock
from core.actors import Citizen, Staff
from core.db import transaction
from core.workdays import Day
from tests.factories import cases as make
from tests.factories import prereview as papers
from tests.factories.catalogue import CITY_HALL

People = Callable[..., tuple[Any, dict[str, str]]]


@pytest.fixture
def owner(citizen: People) -> Citizen:
    actor: Citizen = citizen(level=2)[0]
    return actor


@pytest.fixture
def clerk(staff: People) -> Staff:
    actor: Staff = staff("FRONT_CLERK", hall_id=CITY_HALL)[0]
    return actor


def _received(owner: Citizen, clerk: Staff, day: str) -> Case:
    with clock.at(make.at(day)), transaction() as session:
        return make.received(session, owner, clerk)


def _end_of(day: str, run_jobs: Callable[..., None]) -> None:
    """The job just after midnight that begins `day`, and what it queued."""
    with clock.at(make.at(day, 0, 5)):
        jobs.close_the_day()
        jobs.close_the_day()
        run_jobs()


def test_silence_means_accepted_as_of_the_receipt_day(
    owner: Citizen, clerk: Staff, run_jobs: Callable[..., None]
) -> None:
    """C-5: received on Tuesday 09-01, the notice is due on 09-08."""
    case = _received(owner, clerk, "2026-09-01")
    _end_of("2026-09-08", run_jobs)
    assert make.row(case.id).state == "RECEIVED"
    _end_of("2026-09-09", run_jobs)
    row = make.row(case.id)
    assert (row.state, row.deemed, row.accepted_on, row.due_on) == (
        "UNDER_REVIEW",
        True,
        date(2026, 9, 1),
        date(2026, 9, 22),
    )
    assert make.moves(case.id) == ["RECEIVED", "ACCEPTED", "UNDER_REVIEW"]
    _end_of("2026-09-10", run_jobs)
    assert make.moves(case.id) == ["RECEIVED", "ACCEPTED", "UNDER_REVIEW"]
    assert make.messages(owner.subject_id) == ["CASE_ACCEPTED"]


def test_after_a_correction_the_day_its_papers_came_counts(
    owner: Citizen, clerk: Staff, run_jobs: Callable[..., None]
) -> None:
    """K-7: the citizen's own time is not on the clock; K-2: papers of a Saturday count from the next working day."""
    case = _received(owner, clerk, "2026-11-02")
    with clock.at(make.at("2026-11-03")), transaction() as session:
        service.request_correction(session, actor=clerk, case_id=case.id, defects=["缺页"])
    with clock.at(make.at("2026-11-14")), transaction() as session:
        stored = papers.upload(session, owner)
        service.answer_correction(session, actor=owner, case_id=case.id, file_ids=[stored.id])
    _end_of("2026-11-21", run_jobs)
    row = make.row(case.id)
    assert (row.deemed, row.accepted_on) == (True, date(2026, 11, 16))


def test_a_correction_that_never_comes_closes_the_case(
    owner: Citizen, clerk: Staff, run_jobs: Callable[..., None]
) -> None:
    """2.4: 15 working days from 2026-11-02 end on 11-23."""
    with clock.at(make.at("2026-11-02")), transaction() as session:
        case = make.received(session, owner, clerk)
        service.request_correction(session, actor=clerk, case_id=case.id, defects=["缺页"])
    _end_of("2026-11-23", run_jobs)
    assert make.row(case.id).state == "CORRECTING"
    _end_of("2026-11-24", run_jobs)
    assert make.row(case.id).state == "CLOSED_NO_CORRECTION"
    assert make.messages(owner.subject_id) == ["CASE_CORRECTION", "CASE_WITHDRAWN"]


def test_an_answer_that_overtakes_the_job_counts(owner: Citizen, clerk: Staff) -> None:
    with clock.at(make.at("2026-11-02")), transaction() as session:
        case = make.received(session, owner, clerk)
        service.request_correction(session, actor=clerk, case_id=case.id, defects=["缺页"])
        stored = papers.upload(session, owner)
        service.answer_correction(session, actor=owner, case_id=case.id, file_ids=[stored.id])
    jobs.close_without_correction(str(case.id))
    jobs.deem_accepted(str(case.id))
    assert make.moves(case.id)[:3] == ["RECEIVED", "CORRECTING", "RECEIVED"]
    assert make.row(case.id).state != "CLOSED_NO_CORRECTION"


def test_a_withdrawn_case_is_left_alone(owner: Citizen, clerk: Staff, run_jobs: Callable[..., None]) -> None:
    with clock.at(make.at("2026-11-02")), transaction() as session:
        case = make.received(session, owner, clerk)
        service.request_correction(session, actor=clerk, case_id=case.id, defects=["缺页"])
        service.withdraw(session, actor=owner, case_id=case.id)
    with clock.at(make.at("2026-12-31")):
        jobs.close_the_day()
    with transaction() as session:
        assert (
            session.execute(text("SELECT count(*) FROM procrastinate_jobs WHERE task_name LIKE 'cases.%'")).scalar()
            == 0
        )
    assert make.row(case.id).state == "WITHDRAWN"


def test_a_changed_calendar_moves_the_due_dates(own_database: str, owner: Citizen, clerk: Staff) -> None:
    """K-9: a special closure on a working day moves the promise by one; what is over or paused stays."""
    with clock.at(make.at("2026-11-24")), transaction() as session:
        open_one, ended = make.accepted(session, owner, clerk), make.accepted(session, owner, clerk)
        service.withdraw(session, actor=owner, case_id=ended.id)
    assert open_one.due_on == date(2026, 12, 16)
    jobs.recompute_open()
    assert make.moves(open_one.id)[3:] == []
    with transaction() as session:
        session.execute(text("UPDATE calendar_day SET is_workday = false WHERE day = '2026-12-01'"))
    jobs.recompute_open()
    jobs.recompute_open()
    assert make.row(open_one.id).due_on == date(2026, 12, 17)
    assert make.row(ended.id).due_on == date(2026, 12, 16)
    with transaction() as session:
        last = session.execute(
            text("SELECT reason, old_due_on, new_due_on FROM case_transition WHERE case_id = :id ORDER BY id DESC"),
            {"id": open_one.id},
        ).first()
    assert last == ("calendar changed", date(2026, 12, 16), date(2026, 12, 17))
    assert len(make.moves(open_one.id)) == 4


def test_a_day_off_puts_off_the_silence_that_accepts(own_database: str, owner: Citizen, clerk: Staff) -> None:
    """K-9, C-5: received on a Tuesday, five working days; what was received again counts from then."""
    with clock.at(make.at("2026-11-24")), transaction() as session:
        case = make.received(session, owner, clerk)
    assert case.notice_due_on == date(2026, 12, 1)
    with transaction() as session:
        session.execute(text("UPDATE calendar_day SET is_workday = false WHERE day = '2026-11-30'"))
    jobs.recompute_open()
    jobs.recompute_open()
    assert make.row(case.id).notice_due_on == date(2026, 12, 2)
    assert make.moves(case.id) == ["RECEIVED", "RECEIVED"]
    with clock.at(make.at("2026-11-25")):
        with transaction() as session:
            service.request_correction(session, actor=clerk, case_id=case.id, defects=["照片不清晰"])
        with clock.at(make.at("2026-11-27")), transaction() as session:
            service.answer_correction(session, actor=owner, case_id=case.id, file_ids=[])
    assert make.row(case.id).notice_due_on == date(2026, 12, 7)
    with transaction() as session:
        session.execute(text("UPDATE calendar_day SET is_workday = true WHERE day = '2026-11-30'"))
    jobs.recompute_open()
    assert make.row(case.id).notice_due_on == date(2026, 12, 4)
    calendar.forget()


def test_a_published_year_makes_a_date_firm(own_database: str, owner: Citizen, clerk: Staff) -> None:
    """K-10."""
    with clock.at(make.at("2026-12-24")), transaction() as session:
        case = make.accepted(session, owner, clerk)
    assert case.due_status == "PROVISIONAL"
    with transaction() as session:
        days = [Day(day.day, day.is_workday and day.day != date(2027, 1, 1)) for day in whole_year(2027)]
        calendar.publish(session, days, source="test", published_by="system:test")
    jobs.recompute_open()
    row = make.row(case.id)
    assert (row.due_status, row.due_on) == ("FIRM", date(2027, 1, 18))
    calendar.forget()
