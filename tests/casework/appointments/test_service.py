"""Booking against the database: holds, limits, changes, cancelling, agents, parties, merging."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from auth.accounts.events import SubjectsMerged
from casework.appointments import service
from casework.appointments.drafts.service import Details
from casework.appointments.errors import BookingLimit, CancelTooLate
from casework.appointments.models import Appointment, AppointmentParty
from casework.appointments.parties.service import Party
from casework.appointments.rules import Closing, Comes, State
from casework.slots.errors import SlotFull, SlotNotReleased
from core import clock
from core.actors import Citizen
from core.db import transaction
from core.errors import InvalidInput, NotFound, StateConflict
from core.identifiers import DocumentType, normalise_document
from core.identifiers.documents import check_character
from notifications.messages.models import Message
from tests.factories import appointments as make
from tests.factories import delegation as delegations
from tests.factories import prereview as prereviews
from tests.factories.appointments import ITEM, NOW, at
from tests.factories.auth import resident_id
from tests.factories.catalogue import CITY_HALL

Citizens = Callable[..., tuple[Citizen, dict[str, str]]]
OTHER_ITEM, THIRD_ITEM, FOURTH_ITEM = "NB-001", "NB-003", "NB-004"


@pytest.fixture(autouse=True)
def _today(app: Flask) -> Iterator[None]:
    with clock.at(NOW):
        yield


@pytest.fixture
def small(staff: Callable[..., Any]) -> UUID:
    """A slot of two places of 25 minutes (3 windows: 54 minutes)."""
    manager, _ = staff("HALL_MANAGER", hall_id=CITY_HALL)
    with transaction() as session:
        make.windows(session, manager, 3)
        return make.slot(session)


def told(session: Session, person: Citizen) -> list[str]:
    query = select(Message.template).where(Message.receiver_id == person.subject_id).order_by(Message.id)
    return list(session.scalars(query))


def test_booking_takes_minutes_and_tells(session: Session, citizen: Citizens) -> None:
    person, _ = citizen()
    booked = make.book(session, person, make.slot(session))
    assert (booked.state, booked.minutes, booked.comes) == (State.BOOKED, 25, Comes.SELF)
    assert booked.number.startswith("YY261201")
    assert (booked.starts_at, booked.hall_name) == (at(9), "宁波市行政服务中心")
    assert make.counters(session, booked.slot_id) == (288, 25)
    assert told(session, person) == ["APPOINTMENT_BOOKED"]
    kept = make.stored(session, booked)
    assert (kept.number, kept.papers, kept.phone_lookup is not None) == (booked.number, ["不动产登记申请书"], True)


def test_only_released_days_and_the_right_zone(session: Session, citizen: Citizens) -> None:
    person, _ = citizen()
    for day in (date(2026, 12, 1), date(2026, 12, 9)):
        with pytest.raises(SlotNotReleased):
            make.book(session, person, make.slot(session, at(16, 30, day=day)))
    with pytest.raises(InvalidInput) as wrong:
        make.book(session, person, make.slot(session, zone_code="Z1"))
    assert list(wrong.value.fields) == ["slot_id"]
    with pytest.raises(NotFound):
        make.book(session, person, UUID(int=1))
    make.book(session, person, make.slot(session, at(16, 30, day=date(2026, 12, 8))))


def test_a_full_slot(session: Session, citizen: Citizens, small: UUID) -> None:
    for _ in range(2):
        make.book(session, citizen()[0], small)
    with pytest.raises(SlotFull):
        make.book(session, citizen()[0], small)
    assert make.counters(session, small) == (54, 50)


def test_the_reserve_until_the_afternoon_before(session: Session, citizen: Citizens, small: UUID) -> None:
    """AP-6: 54 minutes, 5 reserved: one place for everybody, the second for the old."""
    with clock.at(NOW - timedelta(hours=2)):
        make.book(session, citizen()[0], small)
        with pytest.raises(SlotFull):
            make.book(session, citizen()[0], small)
        seventeen = "33029919561202001"  # 70 years old on the day of the slot
        card = normalise_document(DocumentType.RESIDENT_ID, seventeen + check_character(seventeen))
        assert make.book(session, citizen(document=card)[0], small).entitled
    assert make.counters(session, small) == (54, 50)


def test_the_disabled_may_use_the_reserve(session: Session, citizen: Citizens, small: UUID) -> None:
    with clock.at(NOW - timedelta(hours=2)):
        assert make.book(session, citizen()[0], small, needs=["WHEELCHAIR"]).entitled
        assert not make.book(session, citizen()[0], small).entitled


def test_limits_of_a_person(session: Session, citizen: Citizens) -> None:
    person, _ = citizen()
    make.book(session, person, make.slot(session))
    thursday, friday, monday = (make.slot(session, at(9, day=date(2026, 12, n))) for n in (3, 4, 7))
    assert _limit(session, person, thursday) == "ITEM"
    assert _limit(session, person, make.slot(session, at(15)), item_id=OTHER_ITEM) == "DAY"
    make.book(session, person, thursday, item_id=OTHER_ITEM)
    make.book(session, person, friday, item_id=THIRD_ITEM)
    assert _limit(session, person, monday, item_id=FOURTH_ITEM) == "PERSON"


def _limit(session: Session, person: Citizen, slot: UUID, **more: Any) -> object:
    with pytest.raises(BookingLimit) as limit:
        make.book(session, person, slot, **more)
    return limit.value.extra["limit"]


def test_the_database_forbids_two_live_bookings_of_an_item(session: Session, citizen: Citizens) -> None:
    booked = make.book(session, citizen()[0], make.slot(session))
    copy = text(
        "INSERT INTO appointment SELECT (jsonb_populate_record(a, jsonb_build_object('id', gen_random_uuid(), "
        "'number', 'YY1'))).* FROM appointment a WHERE id = :id"
    )
    with pytest.raises(IntegrityError, match="uq_appointment_live_item"), session.begin_nested():
        session.execute(copy, {"id": booked.id})


def test_a_reviewed_visit_is_shorter(session: Session, citizen: Citizens, staff: Callable[..., Any]) -> None:
    """AP-3: 60 % of 25 minutes; the papers to bring are those of the verdicts."""
    person, clerk = citizen(level=3)[0], staff("FRONT_CLERK", hall_id=CITY_HALL)[0]
    passed = prereviews.passed(session, person, clerk)
    booked = make.book(session, person, make.slot(session), prereview_id=passed.id)
    assert (booked.minutes, booked.prereview_id) == (15, passed.id)
    assert booked.answers == prereviews.NO_SPECIALS
    with pytest.raises(NotFound):
        make.book(session, citizen(level=3)[0], make.slot(session), prereview_id=passed.id)


def test_a_change_takes_the_new_place_and_gives_the_old_back(session: Session, citizen: Citizens) -> None:
    person, _ = citizen()
    old = make.book(session, person, make.slot(session))
    friday = make.slot(session, at(10, day=date(2026, 12, 4)))
    new = service.change(session, actor=person, appointment_id=old.id, slot_id=friday)
    before = make.stored(session, old)
    assert (before.state, before.closing, before.replaced_by_id) == (State.CANCELLED, Closing.FREE_CHANGE, new.id)
    assert (new.changes, new.starts_at, new.number != old.number) == (1, at(10, day=date(2026, 12, 4)), True)
    assert (make.counters(session, old.slot_id)[1], make.counters(session, friday)[1]) == (0, 25)
    again = service.change(session, actor=person, appointment_id=new.id, slot_id=old.slot_id)
    assert (make.stored(session, new).closing, again.changes) == (Closing.CHANGE, 2)


def test_a_change_into_a_full_slot_changes_nothing(citizen: Citizens, small: UUID) -> None:
    person, _ = citizen()
    with transaction() as session:
        old = make.book(session, person, make.slot(session, at(15)))
        for _ in range(2):
            make.book(session, citizen()[0], small)
    with pytest.raises(SlotFull), transaction() as session:
        service.change(session, actor=person, appointment_id=old.id, slot_id=small)
    with transaction() as session:
        assert make.stored(session, old).state == State.BOOKED
        assert make.counters(session, old.slot_id)[1] == 25


def test_what_cannot_be_changed(session: Session, citizen: Citizens) -> None:
    person, other = citizen()[0], citizen()[0]
    booked = make.book(session, person, make.slot(session))
    elsewhere = make.slot(session, at(10))
    with pytest.raises(NotFound):
        service.change(session, actor=other, appointment_id=booked.id, slot_id=elsewhere)
    with pytest.raises(InvalidInput):
        service.change(session, actor=person, appointment_id=booked.id, slot_id=booked.slot_id)
    with clock.at(at(7, 1)), pytest.raises(CancelTooLate):
        friday = make.slot(session, at(10, day=date(2026, 12, 4)))
        service.change(session, actor=person, appointment_id=booked.id, slot_id=friday)
    service.cancel(session, actor=person, appointment_id=booked.id)
    with pytest.raises(StateConflict):
        service.change(session, actor=person, appointment_id=booked.id, slot_id=elsewhere)


def test_people_who_swap_slots_do_not_block_each_other(app: Flask, citizen: Citizens) -> None:
    people = [citizen()[0] for _ in range(8)]
    with transaction() as session:
        slots = [make.slot(session, at(9)), make.slot(session, at(10))]
    for turn, person in enumerate(people):
        with transaction() as session:
            make.book(session, person, slots[turn % 2])

    def swap(turn: int) -> None:
        for step in (1, 2, 3):
            with transaction() as session:
                query = select(Appointment.id).where(
                    Appointment.owner_id == people[turn].subject_id, Appointment.state == State.BOOKED
                )
                mine = session.scalars(query).one()
                service.change(session, actor=people[turn], appointment_id=mine, slot_id=slots[(turn + step) % 2])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(swap, range(8)))
    with transaction() as session:
        assert [make.counters(session, slot)[1] for slot in slots] == [100, 100]


def test_cancelling(session: Session, citizen: Citizens) -> None:
    person, other = citizen()[0], citizen()[0]
    booked = make.book(session, person, make.slot(session))
    with pytest.raises(NotFound):
        service.cancel(session, actor=other, appointment_id=booked.id)
    assert service.cancel(session, actor=person, appointment_id=booked.id).state == State.CANCELLED
    assert make.counters(session, booked.slot_id)[1] == 0
    assert told(session, person) == ["APPOINTMENT_BOOKED", "APPOINTMENT_CANCELLED"]
    with pytest.raises(StateConflict):
        service.cancel(session, actor=person, appointment_id=booked.id)
    make.book(session, person, booked.slot_id)


@pytest.mark.parametrize(("moment", "state"), [(at(6, 59), State.CANCELLED), (at(7, 5), State.LATE_CANCEL)])
def test_cancelling_late(session: Session, citizen: Citizens, moment: datetime, state: State) -> None:
    person, _ = citizen()
    booked = make.book(session, person, make.slot(session))
    with clock.at(moment):
        assert service.cancel(session, actor=person, appointment_id=booked.id).state == state


def test_no_cancelling_once_it_began(session: Session, citizen: Citizens) -> None:
    person, _ = citizen()
    booked = make.book(session, person, make.slot(session))
    with clock.at(at(9, 1)), pytest.raises(CancelTooLate):
        service.cancel(session, actor=person, appointment_id=booked.id)


def test_an_agent_books_for_others(session: Session, citizen: Citizens) -> None:
    """AP-8, AP-11: counted on the right-holder; both are told; five a day."""
    agent, _ = citizen(level=3)
    slot = make.slot(session)
    principals = [citizen()[0] for _ in range(6)]
    for principal in principals[:5]:
        booked = make.book(session, delegations.for_other(session, principal, agent, make.ITEM), slot)
        assert (booked.owner_id, booked.acting_id, booked.comes) == (
            principal.subject_id,
            agent.subject_id,
            Comes.AGENT,
        )
    assert told(session, principals[0])[-1] == "APPOINTMENT_BOOKED"
    assert told(session, agent).count("APPOINTMENT_BOOKED") == 5
    link = delegations.guardian_of(session, agent, principals[5].subject_id, None)
    assert _limit(session, delegations.acting_as(session, agent, link.id), slot) == "AGENT"
    assert _limit(session, principals[0], make.slot(session, at(9, day=date(2026, 12, 3)))) == "ITEM"
    make.book(session, agent, slot)


def test_who_comes_must_fit(session: Session, citizen: Citizens) -> None:
    person, agent = citizen()[0], citizen(level=3)[0]
    slot = make.slot(session)
    with pytest.raises(InvalidInput):
        make.book(session, delegations.for_other(session, person, agent, make.ITEM), slot, comes=Comes.SELF)
    assert make.book(session, person, slot, comes=Comes.AGENT).comes == Comes.AGENT


def test_three_bookings_of_a_phone(session: Session, staff: Callable[..., Any]) -> None:
    """Four people of one family call the hotline with one phone (AP-8)."""
    hotline, _ = staff("HOTLINE_OFFICER")
    slot = make.slot(session)

    def call() -> Appointment:
        return service.book_by_phone(
            session,
            actor=hotline,
            name="王五",
            document=resident_id(),
            phone="13800138000",
            slot_id=slot,
            item_id=ITEM,
            details=Details(),
        )

    booked = [call() for _ in range(3)]
    assert {(one.channel, one.entitled, one.state) for one in booked} == {("HOTLINE", True, State.BOOKED)}
    with pytest.raises(BookingLimit) as limit:
        call()
    assert limit.value.extra == {"limit": "PHONE"}


def test_merged_subjects(session: Session, citizen: Citizens) -> None:
    kept, absorbed = citizen()[0], citizen()[0]
    friday = make.slot(session, at(9, day=date(2026, 12, 4)))
    mine = make.book(session, kept, make.slot(session))
    twice = make.book(session, absorbed, make.slot(session, at(10)))
    once = make.book(session, absorbed, friday, item_id=OTHER_ITEM)
    make.hold(session, absorbed, make.slot(session, at(11, day=date(2026, 12, 7))), item_id=THIRD_ITEM)
    named = make.book(session, citizen()[0], make.slot(session), parties=[Party("李四", resident_id())])
    session.execute(
        AppointmentParty.__table__.update()  # type: ignore[attr-defined]
        .where(AppointmentParty.appointment_id == named.id)
        .values(subject_id=absorbed.subject_id)
    )
    service.move_owner(session, SubjectsMerged(kept=kept.subject_id, absorbed=absorbed.subject_id))
    session.expire_all()
    states = {
        one.id: (one.owner_id, one.acting_id, one.state)
        for one in session.scalars(select(Appointment).where(Appointment.id != named.id))
    }
    me = kept.subject_id
    assert states == {
        mine.id: (me, me, State.BOOKED),
        twice.id: (me, me, State.CANCELLED),
        once.id: (me, me, State.BOOKED),
    }
    assert session.scalars(select(AppointmentParty.subject_id)).one() == me
    assert make.counters(session, twice.slot_id)[1] == 0
