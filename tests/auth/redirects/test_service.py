"""Trips to a partner's page: once, ten minutes, one holder (ID-8)."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import text

from auth.redirects import jobs, service
from auth.redirects.errors import RedirectExpired
from auth.redirects.rules import TripKind
from core import clock
from core.db import transaction
from core.errors import InvalidInput, Replayed

pytestmark = pytest.mark.usefixtures("database")

KIND = TripKind.ALIPAY_SIGN_IN


def begin(holder: str = "browser", return_to: str = "/me") -> str:
    with transaction() as session:
        return service.begin(
            session, kind=KIND, holder=holder, channel="H5", return_to=return_to, details={"name": "张三"}
        )


def take(state: str, holder: str = "browser", kind: TripKind = KIND) -> service.Trip:
    with transaction() as session:
        return service.take(session, state=state, kind=kind, holder=holder)


def age(by: timedelta) -> None:
    """Let time pass for every trip."""
    with transaction() as session:
        session.execute(text("UPDATE redirect_trip SET expires_at = expires_at - :by"), {"by": by})


def test_a_trip_ends_once_for_its_holder() -> None:
    state = begin()
    with transaction() as session:
        assert service.look(session, state=state, kind=KIND, holder="browser").details == {"name": "张三"}
    trip = take(state)
    assert (trip.channel, trip.return_to, trip.details) == ("H5", "http://localhost/me", {"name": "张三"})
    with pytest.raises(Replayed):
        take(state)
    with pytest.raises(Replayed), transaction() as session:
        service.look(session, state=state, kind=KIND, holder="browser")


def test_another_browser_another_kind_or_a_made_up_state_is_nothing() -> None:
    state = begin()
    for wrong in (
        {"state": state, "holder": "another"},
        {"state": state, "kind": TripKind.ALIPAY_REAL_NAME},
        {"state": state[:-1]},
        {"state": ""},
    ):
        with pytest.raises(RedirectExpired):
            take(**wrong)  # type: ignore[arg-type]
    assert take(state).channel == "H5"


def test_ten_minutes() -> None:
    state = begin()
    age(timedelta(minutes=9, seconds=50))
    with transaction() as session:
        assert service.onward(session, state=state, answer={}) == f"http://localhost/me?state={state}"
    age(timedelta(seconds=20))
    with pytest.raises(RedirectExpired):
        take(state)
    with pytest.raises(RedirectExpired), transaction() as session:
        service.onward(session, state=state, answer={})


def test_the_way_back_uses_nothing_up() -> None:
    state = begin(return_to="/me?tab=2")
    for _ in range(2):
        with transaction() as session:
            onward = service.onward(session, state=state, answer={"auth_code": "c"})
        assert onward == f"http://localhost/me?tab=2&state={state}&auth_code=c"
    take(state)


@pytest.mark.parametrize("return_to", ["https://evil.example/", "//evil.example", ""])
def test_no_open_redirect(return_to: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        begin(return_to=return_to)
    assert "return_to" in refusal.value.fields


def test_of_two_at_once_one_ends_it() -> None:
    state = begin()
    outcomes: list[str] = []
    together = threading.Barrier(4)

    def end() -> None:
        together.wait()
        try:
            outcomes.append(take(state).channel)
        except Replayed:
            outcomes.append("replayed")

    threads = [threading.Thread(target=end) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["H5", "replayed", "replayed", "replayed"]


def test_neither_state_nor_holder_nor_details_are_stored_in_clear() -> None:
    state = begin(holder="secret-of-a-browser")
    with transaction() as session:
        stored = session.scalar(text("SELECT t::text FROM redirect_trip t")) or ""
    assert state not in stored
    assert "secret-of-a-browser" not in stored
    assert "张三" not in stored


def test_what_is_over_is_forgotten_a_day_later() -> None:
    begin()
    kept = begin()
    with transaction() as session:
        session.execute(
            text(
                "UPDATE redirect_trip SET expires_at = :then WHERE id = (SELECT min(id::text)::uuid FROM redirect_trip)"
            ),
            {"then": clock.wall() - timedelta(days=1, minutes=1)},
        )
    jobs.prune()
    with transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM redirect_trip")) == 1
    take(kept)
