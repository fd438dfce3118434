"""What the clock does to pre-reviews (PR-3, PR-8, PR-9, P-6)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from casework.files import jobs as file_jobs
from casework.files.models import StoredFile
from casework.prereview import jobs
from casework.prereview.models import FindingKind, PreReview, PreReviewFile, PreReviewFinding
from casework.prereview.review import service as review
from casework.prereview.rules import Reason, State
from core import clock, db
from core.actors import Citizen, Staff
from core.clock import SHANGHAI
from tests.factories import prereview as make
from tests.factories.catalogue import CITY_HALL

People = Callable[..., tuple[Any, dict[str, str]]]
TUESDAY = datetime(2026, 11, 24, 10, tzinfo=SHANGHAI)

pytestmark = pytest.mark.usefixtures("database")


def state_of(prereview: PreReview) -> str:
    with db.transaction() as session:
        return session.execute(select(PreReview.state).where(PreReview.id == prereview.id)).scalar_one()


def messages(prereview: PreReview) -> list[str]:
    with db.transaction() as session:
        rows = session.execute(
            text("SELECT template FROM message WHERE matter_id = :id ORDER BY id"), {"id": prereview.id}
        )
        return [row.template for row in rows]


def test_claims_that_ran_out_go_back(zhang: Citizen, clerk: Staff) -> None:
    """PR-3."""
    with clock.at(TUESDAY), db.transaction() as session:
        old = make.claimed(session, zhang, clerk)
    with clock.at(TUESDAY + timedelta(minutes=20)), db.transaction() as session:
        young = make.claimed(session, zhang, clerk)
    with clock.at(TUESDAY + timedelta(minutes=31)):
        jobs.release_claims()
        jobs.release_claims()
    assert (state_of(old), state_of(young)) == (State.SUBMITTED, State.IN_REVIEW)


def test_late_first_answers_are_found_once(zhang: Citizen, clerk: Staff) -> None:
    """PR-8: not before the end of the due day, and once, whether or not a clerk is at it."""
    with clock.at(TUESDAY), db.transaction() as session:
        waiting = make.submitted(session, zhang)
    with clock.at(datetime(2026, 11, 25, 23, 59, tzinfo=SHANGHAI)):
        jobs.note_late()
        with db.transaction() as session:
            assert session.scalars(select(PreReviewFinding)).all() == []
    with clock.at(datetime(2026, 11, 26, 0, 1, tzinfo=SHANGHAI)):
        jobs.note_late()
        jobs.note_late()
        with db.transaction() as session:
            review.claim(session, actor=clerk, prereview_id=waiting.id)
            make.judge(session, clerk, waiting)
            review.conclude(session, actor=clerk, prereview_id=waiting.id)
    with db.transaction() as session:
        found = session.execute(select(PreReviewFinding.kind, PreReviewFinding.by)).all()
    assert [tuple(row) for row in found] == [(FindingKind.LATE_FIRST_ANSWER, "system:prereview-clock")]


def test_time_runs_out(zhang: Citizen, clerk: Staff) -> None:
    """PR-9."""
    with clock.at(TUESDAY), db.transaction() as session:
        waiting = make.submitted(session, zhang)
        back = make.needs_change(session, zhang, clerk, {1: Reason.BLURRED})
        good = make.passed(session, zhang, clerk)
    with clock.at(datetime(2026, 12, 15, 23, 59, tzinfo=SHANGHAI)):
        jobs.expire()
    assert (state_of(back), state_of(good)) == (State.NEEDS_CHANGE, State.PASSED)
    with clock.at(datetime(2026, 12, 16, 0, 1, tzinfo=SHANGHAI)):
        jobs.expire()
    assert (state_of(back), state_of(good)) == (State.EXPIRED, State.PASSED)
    with clock.at(datetime(2026, 12, 25, 0, 1, tzinfo=SHANGHAI)):
        jobs.expire()
        jobs.expire()
    assert (state_of(waiting), state_of(good)) == (State.SUBMITTED, State.EXPIRED)
    assert messages(good) == ["PREREVIEW_SUBMITTED", "PREREVIEW_PASSED", "PREREVIEW_EXPIRED"]


def test_one_that_fails_does_not_keep_the_others(
    own_database: str, citizen: People, staff: People, caplog: pytest.LogCaptureFixture
) -> None:
    zhang, _ = citizen(level=2)
    clerk, _ = staff("FRONT_CLERK", hall_id=CITY_HALL)
    with clock.at(TUESDAY), db.transaction() as session:
        bad, good = make.claimed(session, zhang, clerk), make.claimed(session, zhang, clerk)
        session.execute(
            text(
                "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;"
                f"CREATE TRIGGER fail BEFORE INSERT ON prereview_event FOR EACH ROW"
                f" WHEN (NEW.prereview_id = '{bad.id}') EXECUTE FUNCTION fail()"
            )
        )
    with clock.at(TUESDAY + timedelta(minutes=31)), pytest.raises(jobs.RowsLeft):
        jobs.release_claims()
    assert (state_of(bad), state_of(good)) == (State.IN_REVIEW, State.SUBMITTED)
    assert str(bad.id) in caplog.text


def test_abandoned_drafts_and_old_rejections_are_forgotten(zhang: Citizen, clerk: Staff) -> None:
    """P-6: drafts after 90 days, rejected ones after a year; their files after that."""
    with clock.at(TUESDAY), db.transaction() as session:
        opened = make.draft(session, zhang)
        make.provide(session, zhang, opened, 1)
        refused = make.claimed(session, zhang, clerk)
        review.reject(session, actor=clerk, prereview_id=refused.id, right_body="市公安局", reason="户籍业务")
    with clock.at(TUESDAY + timedelta(days=91)):
        jobs.retain()
    assert (state_of(opened), state_of(refused)) == (State.DISCARDED, State.REJECTED)
    with clock.at(TUESDAY + timedelta(days=366)):
        jobs.retain()
        jobs.retain()
        file_jobs.purge_unused()
    with db.transaction() as session:
        rows = session.scalars(select(PreReview).order_by(PreReview.id)).all()
        assert [(row.answers, row.reject_reason, row.erased_at is not None) for row in rows] == [({}, None, True)] * 2
        assert session.scalars(select(PreReviewFile)).all() == []
        assert session.scalars(select(StoredFile)).all() == []


def test_jobs_are_on_the_schedule() -> None:
    from core.jobs import app as queue

    names = {task.task.name for task in queue.periodic_registry.periodic_tasks.values()}
    assert {
        "prereview.release_claims", "prereview.note_late", "prereview.expire", "prereview.retain", "files.purge_unused",
    } <= names  # fmt: skip
