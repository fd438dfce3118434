"""Rules of booking (AP-6 … AP-23)."""

from datetime import date, datetime, time, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from casework.appointments import rules
from casework.appointments.errors import (
    BookingBlocked,
    BookingLimit,
    CancelTooLate,
    CheckinTooEarly,
    CheckinTooLate,
)
from casework.appointments.rules import Arrival, Closing, Need, Past, State, Wish
from casework.slots.rules import HallPolicy
from core.clock import SHANGHAI
from core.errors import StateConflict

POLICY = HallPolicy()
ME, AGENT, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)
HALL, ELSEWHERE = UUID(int=11), UUID(int=12)

# The states of 3.2, written out once more, from the document; CHECKED_IN → FINISHED is who leaves before being served.
ALLOWED = {
    ("HELD", "BOOKED"),
    ("BOOKED", "CANCELLED"), ("BOOKED", "LATE_CANCEL"), ("BOOKED", "HALL_CANCELLED"), ("BOOKED", "CHECKED_IN"),
    ("BOOKED", "NO_SHOW"),
    ("CHECKED_IN", "SERVING"), ("CHECKED_IN", "FINISHED"), ("SERVING", "FINISHED"),
}  # fmt: skip


def at(day: int, hour: int = 9, minute: int = 0, *, month: int = 12) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=SHANGHAI)


NOW = at(1, 10)


def wish(**changed: Any) -> Wish:
    values: dict[str, Any] = {
        "owner_id": ME,
        "acting_id": ME,
        "item_id": "NB-002",
        "hall_id": HALL,
        "starts_at": at(3),
        "ends_at": at(3, 9, 30),
    }
    return Wish(**values | changed)


_keys = iter(range(100, 10_000))


def past(state: State = State.BOOKED, **changed: Any) -> Past:
    starts = changed.pop("starts_at", at(4))
    values = {
        "id": UUID(int=next(_keys)),
        "owner_id": ME,
        "acting_id": ME,
        "party": False,
        "same_phone": False,
        "state": state,
        "item_id": "NB-050",
        "hall_id": HALL,
        "day": starts.date(),
        "starts_at": starts,
        "ends_at": starts + timedelta(minutes=30),
        "booked_at": None if state is State.HELD else at(30, 9, month=11),
        "closed_at": None,
        "closing": None,
        "hold_until": None,
        "replaced": False,
    }
    return Past(**values | changed)


def check(*earlier: Past, online: bool = True, now: datetime = NOW, **changed: Any) -> None:
    rules.check_standing(wish(**changed), earlier, now, POLICY, online=online)


def refused(*earlier: Past, **changed: Any) -> str:
    with pytest.raises(BookingLimit) as limit:
        check(*earlier, **changed)
    return str(limit.value.extra["limit"])


@pytest.mark.parametrize(("state", "to"), list(product(State, State)))
def test_only_the_moves_of_the_table(state: State, to: State) -> None:
    if (state.value, to.value) in ALLOWED:
        rules.check_move(state, to)
    else:
        with pytest.raises(StateConflict):
            rules.check_move(state, to)


def test_every_state_has_its_text() -> None:
    assert set(rules.LABELS) == set(State)


@pytest.mark.parametrize(("item", "needed"), [(1, 2), (2, 2), (3, 2), (4, 3)])
def test_booking_needs_level_two_and_three_for_items_marked_so(item: int, needed: int) -> None:
    assert rules.booking_level(item) == needed


def test_a_first_booking_is_free() -> None:
    check()


def test_one_live_booking_of_an_item() -> None:
    assert refused(past(item_id="NB-002", hall_id=ELSEWHERE)) == "ITEM"
    assert refused(past(State.CHECKED_IN, item_id="NB-002")) == "ITEM"
    check(past(State.FINISHED, item_id="NB-002"))
    check(past(State.CANCELLED, item_id="NB-002"))


def test_one_a_day_in_a_hall() -> None:
    assert refused(past(starts_at=at(3, 15))) == "DAY"
    assert refused(past(State.FINISHED, starts_at=at(3, 15))) == "DAY"
    check(past(starts_at=at(3, 15), hall_id=ELSEWHERE))
    check(past(State.CANCELLED, starts_at=at(3, 15)))


def test_nobody_is_in_two_halls_at_once() -> None:
    assert refused(past(starts_at=at(3, 9, 15), hall_id=ELSEWHERE)) == "OVERLAP"
    check(past(starts_at=at(3, 9, 30), hall_id=ELSEWHERE))


def test_three_live_in_all() -> None:
    three = [past(item_id=f"NB-10{n}", starts_at=at(n)) for n in (4, 7, 8)]
    check(*three[:2])
    assert refused(*three) == "PERSON"


def test_being_named_as_a_party_counts() -> None:
    named = [past(owner_id=OTHER, acting_id=OTHER, party=True, item_id="NB-002")]
    assert refused(*named) == "ITEM"


def test_three_live_with_one_phone() -> None:
    family = [past(owner_id=UUID(int=50 + n), acting_id=UUID(int=50 + n), same_phone=True) for n in range(3)]
    check(*family[:2])
    assert refused(*family) == "PHONE"


def test_five_a_day_for_an_agent() -> None:
    done = [
        past(State.FINISHED, owner_id=UUID(int=50 + n), acting_id=AGENT, booked_at=NOW - timedelta(minutes=n))
        for n in range(5)
    ]
    check(*done[:4], acting_id=AGENT)
    assert refused(*done, acting_id=AGENT) == "AGENT"
    check(*done, owner_id=AGENT, acting_id=AGENT)  # for oneself the agent's number doesn't count
    check(*done, acting_id=AGENT, now=NOW + timedelta(days=1))


def test_three_cancellations_a_day() -> None:
    given_up = [
        past(State.CANCELLED, closing=closing, closed_at=NOW)
        for closing in (Closing.CITIZEN, Closing.CHANGE, Closing.CITIZEN)
    ]
    check(*given_up[:2])
    assert refused(*given_up) == "CANCELS"
    check(*given_up, now=NOW + timedelta(days=1))
    check(*[past(State.CANCELLED, closing=Closing.FREE_CHANGE, closed_at=NOW) for _ in range(5)])


def test_a_hold_gives_way_and_one_that_ran_out_is_nothing() -> None:
    held = past(State.HELD, item_id="NB-002", hold_until=NOW + timedelta(minutes=4))
    check(held)
    assert (
        refused(past(State.HELD, item_id="NB-002", owner_id=OTHER, party=True, hold_until=NOW + timedelta(1))) == "ITEM"
    )
    check(past(State.HELD, item_id="NB-002", owner_id=OTHER, party=True, hold_until=NOW))


def test_the_booking_that_is_moved_does_not_count() -> None:
    old = past(item_id="NB-002", starts_at=at(3, 15))
    assert refused(old) == "ITEM"
    check(old, replaces=old.id)


def missed(*days_ago: int, state: State = State.NO_SHOW, acting: UUID = ME) -> list[Past]:
    return [past(state, acting_id=acting, starts_at=NOW - timedelta(days=days)) for days in days_ago]


@pytest.mark.parametrize(
    ("earlier", "until"),
    [
        (missed(1, 2), None),
        (missed(1, 2, 3), date(2026, 12, 30)),
        (missed(20, 40, 60), date(2026, 12, 11)),
        (missed(29, 40, 60), date(2026, 12, 2)),
        (missed(30, 40, 60), None),  # 30 days are over
        (missed(1, 50, 91), None),  # the third is older than 90 days at the last one
        (missed(1, 50, 90), date(2026, 12, 30)),
        (missed(1, 2) + missed(3, state=State.LATE_CANCEL), None),
        (missed(1, 2) + missed(3, 4, state=State.LATE_CANCEL), date(2026, 12, 30)),
        (missed(*range(1, 7), state=State.LATE_CANCEL), date(2026, 12, 30)),
        (missed(1, 2, 3, state=State.CANCELLED), None),
        (missed(1, 2, 3, state=State.HALL_CANCELLED), None),
    ],
)
def test_three_missed_in_ninety_days_close_booking_for_thirty(earlier: list[Past], until: date | None) -> None:
    assert rules.blocked_until(wish(), earlier, NOW, POLICY) == until


def test_a_block_closes_booking_online_only() -> None:
    with pytest.raises(BookingBlocked) as blocked:
        check(*missed(1, 2, 3))
    assert blocked.value.extra == {"until": "2026-12-30"}
    check(*missed(1, 2, 3), online=False)


def test_each_answers_for_the_own_fault() -> None:
    """AP-23: an agent's no-show doesn't block the principal; a blocked agent can't book for anybody."""
    agents = missed(1, 2, 3, acting=AGENT)
    check(*agents)
    with pytest.raises(BookingBlocked):
        check(*agents, acting_id=AGENT)
    with pytest.raises(BookingBlocked):
        check(*missed(1, 2, 3), acting_id=AGENT)  # nor does an agent help who is blocked


def test_halves() -> None:
    earlier = missed(1, 30) + missed(2, state=State.LATE_CANCEL) + missed(90, 89)
    assert rules.halves_against(ME, earlier, NOW, POLICY) == 2 + 2 + 1 + 2


@pytest.mark.parametrize(
    ("now", "state"),
    [
        (at(3, 6, 59), State.CANCELLED),
        (at(3, 7), State.CANCELLED),
        (at(3, 7, 1), State.LATE_CANCEL),
        (at(3, 8, 59), State.LATE_CANCEL),
    ],
)
def test_cancelling_is_free_until_two_hours_before(now: datetime, state: State) -> None:
    assert rules.cancelled_as(at(3), now, POLICY) is state


def test_no_cancelling_once_it_began() -> None:
    with pytest.raises(CancelTooLate):
        rules.cancelled_as(at(3), at(3), POLICY)


def test_the_first_change_is_free() -> None:
    assert rules.changed_as(at(3), 0, NOW, POLICY) is Closing.FREE_CHANGE
    assert rules.changed_as(at(3), 1, NOW, POLICY) is Closing.CHANGE
    with pytest.raises(CancelTooLate):
        rules.changed_as(at(3), 0, at(3, 7, 1), POLICY)


@pytest.mark.parametrize(
    ("now", "how"),
    [
        (at(3, 8, 30), Arrival.ON_TIME),
        (at(3, 9, 15), Arrival.ON_TIME),
        (at(3, 9, 16), Arrival.LATE),
        (at(3, 10), Arrival.LATE),
    ],
)
def test_arrival(now: datetime, how: Arrival) -> None:
    assert rules.arrival(at(3), now, POLICY) is how


def test_too_early_and_too_late() -> None:
    with pytest.raises(CheckinTooEarly) as early:
        rules.arrival(at(3), at(3, 8, 29), POLICY)
    assert "08:30" in early.value.sentence("zh")
    with pytest.raises(CheckinTooLate):
        rules.arrival(at(3), at(3, 10, 1), POLICY)


def entitled(**changed: Any) -> bool:
    values: dict[str, Any] = {
        "birth_date": date(1990, 1, 1),
        "day": date(2026, 12, 3),
        "needs": (),
        "by_hotline": False,
        "rebooks": False,
        "policy": POLICY,
    }
    return rules.is_entitled(**values | changed)


def test_who_may_use_the_reserve() -> None:
    assert not entitled()
    assert not entitled(birth_date=None)
    assert entitled(birth_date=date(1956, 12, 3))
    assert not entitled(birth_date=date(1956, 12, 4))
    assert entitled(needs=[Need.WHEELCHAIR])
    assert not entitled(needs=[Need.INTERPRETER])
    assert entitled(by_hotline=True)
    assert entitled(rebooks=True)


def test_who_was_cancelled_by_the_hall_books_again_with_priority_once() -> None:
    cancelled = past(State.HALL_CANCELLED, item_id="NB-002", closed_at=NOW - timedelta(days=9))
    assert rules.to_rebook(wish(), [cancelled], NOW, POLICY) == cancelled.id
    for other in (
        past(State.HALL_CANCELLED, item_id="NB-002", closed_at=NOW - timedelta(days=10)),
        past(State.HALL_CANCELLED, item_id="NB-003", closed_at=NOW),
        past(State.HALL_CANCELLED, item_id="NB-002", closed_at=NOW, replaced=True),
        past(State.CANCELLED, item_id="NB-002", closed_at=NOW),
        past(State.HALL_CANCELLED, item_id="NB-002", closed_at=NOW, owner_id=OTHER),
    ):
        assert rules.to_rebook(wish(), [other], NOW, POLICY) is None


def test_the_evening_before() -> None:
    assert rules.evening_reminder_at(date(2026, 12, 3), time(18)) == at(2, 18)


def test_papers() -> None:
    assert rules.papers_text([]) == ""
    assert rules.papers_text(["身份证", "房产证"]) == "请带：身份证、房产证。"
    assert rules.papers_text([f"材料{n}" for n in range(8)]) == "请带：材料0、材料1、材料2、材料3、材料4、材料5等8件。"
    assert rules.papers_text(["a", "b"], "en") == "Please bring: a; b."


@pytest.mark.parametrize("name", rules._LIMITS)
def test_limits_speak_both_languages(name: str) -> None:
    refusal = rules.limit(name)
    assert refusal.sentence("zh").startswith("已达到预约数量限制：")
    assert refusal.sentence("en").isascii()
