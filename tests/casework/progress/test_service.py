"""Looking a case up without signing in (3.4): what is shown, what is never told, and how guessing is stopped."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any

import pytest
from sqlalchemy import text

from casework.cases import service as cases
from casework.cases.queries import Case
from casework.progress import service
from casework.progress.errors import CaseNotMatched, QueryLocked
from casework.progress.service import Progress
from core import cache, numbers
from core.actors import Citizen
from core.db import transaction
from core.errors import RateLimited, SourceUnavailable
from core.settings import Settings
from tests.factories import cases as make
from tests.factories.catalogue import CITY_HALL
from tests.sandbox_client import free_port

People = Callable[..., tuple[Any, dict[str, str]]]
NAME = "欧阳·小明"


@pytest.fixture
def owner(citizen: People) -> Citizen:
    actor: Citizen = citizen(level=2, name=NAME)[0]
    return actor


@pytest.fixture
def case(owner: Citizen, staff: People) -> Case:
    clerk, _ = staff("FRONT_CLERK", hall_id=CITY_HALL)
    with transaction() as session:
        return make.accepted(session, owner, clerk)


@pytest.fixture
def tail(case: Case) -> str:
    return case.applicant_document[-4:]


@pytest.fixture
def without_redis(settings: Settings, case: Case) -> Iterator[None]:
    cache.configure(f"redis://127.0.0.1:{free_port()}/0")
    yield
    cache.configure(settings.redis_url)


def _look(number: str, name: str, tail: str, address: str = "192.0.2.1") -> Progress:
    with transaction() as session:
        return service.look_up(session, number=number, name=name, tail=tail, address=address)


def _other(tail: str) -> str:
    return "0000" if tail != "0000" else "1111"


def _free_number() -> str:
    with transaction() as session:
        return numbers.issue(session, numbers.Kind.CASE, make.at("2026-11-24").date())


def test_number_name_and_tail_together_show_the_progress(case: Case, tail: str) -> None:
    found = _look(case.number, NAME, tail)
    assert (found.case_number, found.hall_name) == (case.number, "宁波市行政服务中心")
    assert found.item_name[0] == case.item_name
    assert (found.promised_on, found.provisional) == (case.due_on, case.due_status == "PROVISIONAL")
    assert found.applicant != NAME
    assert "*" in found.applicant


def test_typing_is_forgiven(case: Case, tail: str) -> None:
    spaced = f"{case.number[:2].lower()} {case.number[2:8]}-{case.number[8:]}"
    assert _look(spaced, "欧阳•小明", tail.lower()).case_number == case.number


def test_the_departments_own_number_works_too(case: Case, tail: str) -> None:
    """2.3."""
    with transaction() as session:
        session.execute(text("UPDATE service_case SET external_no = '330200-2026-77' WHERE id = :id"), {"id": case.id})
    assert _look("330200-2026-77", NAME, tail).case_number == case.number


def test_no_number_wrong_name_and_wrong_tail_are_not_told_apart(case: Case, tail: str) -> None:
    """QY-1: the same refusal, whatever was wrong, a number that can't be one included."""
    refusals = set()
    for number, name, last in (
        (_free_number(), NAME, tail),
        ("not a number", NAME, tail),
        (case.number, "王五", tail),
        (case.number, NAME, _other(tail)),
    ):
        with pytest.raises(CaseNotMatched) as refused:
            _look(number, name, last)
        refusals.add((refused.value.code, refused.value.sentence("zh"), str(refused.value.extra)))
    assert len(refusals) == 1


def test_and_they_take_the_same_time_and_the_same_reads(
    case: Case, tail: str, count_queries: Callable[[], Any]
) -> None:
    """QY-1: medians of a hundred of each kind, taken in turn."""
    wrong = {
        "no such number": (_free_number(), NAME, tail),
        "wrong name": (case.number, "王五", tail),
        "wrong tail": (case.number, NAME, _other(tail)),
    }
    reads: dict[str, int] = {}
    for kind, given in wrong.items():
        with count_queries() as queries, pytest.raises(CaseNotMatched):
            _look(*given)
        reads[kind] = len(queries)
    assert len(set(reads.values())) == 1
    taken: dict[str, list[float]] = {kind: [] for kind in wrong}
    for turn in range(110):
        cache.client().flushdb()
        for kind, given in wrong.items():
            begun = time.perf_counter()
            with pytest.raises(CaseNotMatched):
                _look(*given)
            if turn >= 10:
                taken[kind].append(time.perf_counter() - begun)
    medians = {kind: median(times) for kind, times in taken.items()}
    quick, slow = min(medians.values()), max(medians.values())
    assert slow - quick < 0.15 * slow + 0.0002, medians


def test_a_number_is_locked_after_five_failures_for_everybody(case: Case, tail: str) -> None:
    """QY-2: the right answer too, from any address; another number isn't."""
    for turn in range(5):
        with pytest.raises(CaseNotMatched):
            _look(case.number, NAME, _other(tail), address=f"192.0.2.{turn}")
    with pytest.raises(QueryLocked) as locked:
        _look(case.number.lower(), NAME, tail, address="192.0.2.99")
    assert 3590 <= int(locked.value.headers["Retry-After"]) <= 3600
    with pytest.raises(CaseNotMatched):
        _look(_free_number(), NAME, tail)


def test_a_number_that_does_not_exist_is_locked_alike(case: Case, tail: str) -> None:
    """QY-1: the lock tells nothing either."""
    free = _free_number()
    for turn in range(5):
        with pytest.raises(CaseNotMatched):
            _look(free, NAME, tail, address=f"192.0.2.{turn}")
    with pytest.raises(QueryLocked):
        _look(free, NAME, tail)


def test_the_lock_ends_after_its_hour(case: Case, tail: str) -> None:
    for turn in range(5):
        with pytest.raises(CaseNotMatched):
            _look(case.number, NAME, _other(tail), address=f"192.0.2.{turn}")
    (key,) = cache.client().keys("progress:failures:*")
    cache.client().pexpire(key, 1)
    time.sleep(0.01)
    assert _look(case.number, NAME, tail).case_number == case.number


def test_asking_while_locked_does_not_make_the_lock_longer(case: Case, tail: str) -> None:
    for turn in range(5):
        with pytest.raises(CaseNotMatched):
            _look(case.number, NAME, _other(tail), address=f"192.0.2.{turn}")
    (key,) = cache.client().keys("progress:failures:*")
    cache.client().expire(key, 100)
    with pytest.raises(QueryLocked):
        _look(case.number, NAME, tail)
    assert int(cache.client().ttl(key)) <= 100


def test_many_guesses_at_once_are_five_guesses(case: Case, tail: str) -> None:
    """QY-2: counted before they are judged."""

    def guess(turn: int) -> str:
        try:
            _look(case.number, NAME, _other(tail), address=f"198.51.100.{turn}")
        except (CaseNotMatched, QueryLocked) as refused:
            return refused.code
        return "shown"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(guess, range(40)))
    assert (answers.count("CASE_NOT_MATCHED"), answers.count("QUERY_LOCKED")) == (5, 35)


def test_looking_at_ones_own_case_is_no_failure(case: Case, tail: str) -> None:
    for turn in range(8):
        _look(case.number, NAME, tail, address=f"192.0.2.{turn}")


def test_an_address_may_ask_twenty_times_an_hour(case: Case, tail: str) -> None:
    """QY-2."""
    for _ in range(20):
        _look(case.number, NAME, tail)
    with pytest.raises(RateLimited):
        _look(case.number, NAME, tail)
    assert _look(case.number, NAME, tail, address="192.0.2.2").case_number == case.number


def test_without_the_counters_nothing_is_shown(case: Case, tail: str, without_redis: None) -> None:
    """QY-2: a weak secret is not tried unless its tries are counted."""
    with pytest.raises(SourceUnavailable):
        _look(case.number, NAME, tail)


def test_a_sensitive_matter_is_not_named(owner: Citizen, staff: People) -> None:
    """3.17, PEERS 4.5."""
    clerk, _ = staff("FRONT_CLERK", hall_id=CITY_HALL)
    with transaction() as session:
        hidden = make.accepted(session, owner, clerk, item_id=make.SENSITIVE_ITEM)
    found = _look(hidden.number, NAME, hidden.applicant_document[-4:])
    assert found.item_name == ("您的办件", "Your application")
    assert "离婚" not in repr(found)


def test_the_state_is_in_the_citizens_words(case: Case, tail: str, owner: Citizen) -> None:
    """QY-4."""
    with transaction() as session:
        cases.withdraw(session, actor=owner, case_id=case.id)
    found = _look(case.number, NAME, tail)
    assert (found.state, found.state_label[0], found.next_step) == ("WITHDRAWN", "已撤回", ("", ""))
