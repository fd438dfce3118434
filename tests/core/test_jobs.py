"""A job exists if and only if the business write committed; it may be asked for twice and still wait once."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from procrastinate.exceptions import TaskNotFound
from sqlalchemy import text

from core import db, jobs

RAN: list[str] = []
_WAITING = text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND task_name = 'tests.note'")


@jobs.task("tests.note", queue="bulk", retry=jobs.NO_RETRY)
def note(word: str) -> None:
    RAN.append(word)


@jobs.task("tests.fail", queue="bulk", retry=jobs.NO_RETRY)
def fail() -> None:
    raise ValueError("13800001234")


def _waiting() -> int:
    with db.transaction() as session:
        return int(session.execute(_WAITING).scalar_one())


def test_a_rolled_back_write_leaves_no_job(database: Flask) -> None:
    with pytest.raises(RuntimeError), db.transaction() as session:
        jobs.defer(session, "tests.note", word="lost")
        raise RuntimeError
    assert _waiting() == 0


def test_a_committed_job_runs(database: Flask, run_jobs: Callable[..., None]) -> None:
    RAN.clear()
    with db.transaction() as session:
        assert jobs.defer(session, "tests.note", word="kept")
    run_jobs()
    assert RAN == ["kept"]


def test_asking_twice_waits_once_and_spares_the_transaction(database: Flask) -> None:
    with db.transaction() as session:
        assert jobs.defer(session, "tests.note", once="w", word="1")
        assert not jobs.defer(session, "tests.note", once="w", word="2")
        assert session.execute(text("SELECT 1")).scalar_one() == 1
    assert _waiting() == 1


def test_an_unknown_job_is_a_bug_told_at_once(database: Flask) -> None:
    with pytest.raises(TaskNotFound), db.transaction() as session:
        jobs.defer(session, "nothing.such")


def test_every_queue_has_a_worker() -> None:
    from gateway.worker import LANES

    assert {queue for lane in LANES for queue in lane} == set(jobs.QUEUES)
    assert {task.queue for task in jobs.app.tasks.values() if not task.name.startswith("builtin:")} <= set(jobs.QUEUES)


def test_several_jobs_are_queued_in_one_statement(
    database: Flask, run_jobs: Callable[..., None], count_queries: Callable[[], Any]
) -> None:
    RAN.clear()
    with db.transaction() as session, count_queries() as queries:
        jobs.defer_all(session, [jobs.Job("tests.note", {"word": word}) for word in ("a", "b")])
        jobs.defer_all(session, [])
    assert len(queries) == 1
    run_jobs()
    assert sorted(RAN) == ["a", "b"]
