"""One action at the counter: identity, pre-review, case and fees together (PR-11, PR-12, PY-1)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from auth.accounts import queries as accounts
from auth.accounts.errors import DocumentDiffers
from auth.identity import queries as identity
from casework.cases import service as cases
from casework.counter import service
from casework.fees.errors import NothingToBill
from casework.places.rules import hall_id
from casework.prereview.models import PreReview
from core import clock
from core.actors import Citizen, Staff
from core.db import transaction
from core.errors import InvalidInput, NotFound, Problem, StateConflict
from core.identifiers import DocumentNumber
from tests.factories import auth as people
from tests.factories import cases as make
from tests.factories import prereview as papers
from tests.factories.catalogue import CITY_HALL

People = Callable[..., tuple[Any, dict[str, str]]]


@pytest.fixture
def clerk(staff: People) -> Staff:
    actor: Staff = staff("FRONT_CLERK", hall_id=CITY_HALL)[0]
    return actor


@pytest.fixture
def owner(citizen: People) -> Citizen:
    actor: Citizen = citizen(level=2, name="张三丰")[0]
    return actor


@pytest.fixture
def passed(owner: Citizen, clerk: Staff) -> PreReview:
    """A pre-review of 存量房买卖 that passed: a home of several owners."""
    with transaction() as session:
        return papers.passed(session, owner, clerk, answers=papers.NO_SPECIALS | {"separate_certificates": "yes"})


@pytest.fixture
def card(owner: Citizen) -> DocumentNumber:
    with transaction() as session:
        return make.document_of(session, owner)


def _state(prereview: PreReview) -> str:
    with transaction() as session:
        return str(
            session.execute(text("SELECT state FROM prereview WHERE id = :id"), {"id": prereview.id}).scalar_one()
        )


def _cases() -> int:
    with transaction() as session:
        return int(session.execute(text("SELECT count(*) FROM service_case")).scalar_one())


def test_a_passed_pre_review_becomes_an_accepted_case(
    passed: PreReview, owner: Citizen, clerk: Staff, card: DocumentNumber
) -> None:
    """PR-11: one action; what was billed comes along, the card in hand is evidence of level 3, differences are kept."""
    with transaction() as session:
        (bill,) = service.bill_prereview(session, actor=clerk, prereview_id=passed.id, quantities={1: 1, 3: 2})
        case = service.accept_prereview(
            session,
            actor=clerk,
            prereview_id=passed.id,
            document=card,
            differences=[service.Difference(1, "原件第 3 页有改动")],
        )
    assert bill.total_fen == 10_000
    assert (case.state, case.prereview_id, case.answers) == ("UNDER_REVIEW", passed.id, passed.answers)
    assert _state(passed) == "USED"
    assert make.moves(case.id) == ["RECEIVED", "ACCEPTED", "UNDER_REVIEW"]
    with transaction() as session:
        assert identity.level(session, owner.subject_id, clock.now()) == 3
        matter = session.execute(text("SELECT matter_type, matter_id FROM fee_bill")).one()
        used = session.execute(text("SELECT used_case_id FROM prereview")).scalar_one()
        noted = session.execute(text("SELECT reason FROM case_transition ORDER BY id LIMIT 1")).scalar_one()
    assert tuple(matter) == ("case", case.id)
    assert used == case.id
    assert noted == "材料1：原件第 3 页有改动"


def test_another_card_is_refused_and_nothing_stays(passed: PreReview, clerk: Staff) -> None:
    with pytest.raises(DocumentDiffers), transaction() as session:
        service.accept_prereview(session, actor=clerk, prereview_id=passed.id, document=people.resident_id())
    assert _state(passed) == "PASSED"
    assert _cases() == 0


def test_a_pre_review_is_used_once(passed: PreReview, clerk: Staff, card: DocumentNumber) -> None:
    with transaction() as session:
        service.accept_prereview(session, actor=clerk, prereview_id=passed.id, document=card)
    with pytest.raises(StateConflict), transaction() as session:
        service.accept_prereview(session, actor=clerk, prereview_id=passed.id, document=card)


def test_of_two_clerks_at_once_one_accepts(
    passed: PreReview, clerk: Staff, staff: People, card: DocumentNumber
) -> None:
    other, _ = staff("FRONT_CLERK", hall_id=CITY_HALL)
    together = Barrier(2)

    def take(actor: Staff) -> str:
        with transaction() as session:
            together.wait(10)
            try:
                with session.begin_nested():
                    service.accept_prereview(session, actor=actor, prereview_id=passed.id, document=card)
            except Problem as refusal:
                return refusal.code
            return "accepted"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(take, [clerk, other])) == ["STATE_CONFLICT", "accepted"]
    assert _cases() == 1


def test_a_pre_review_of_another_hall_is_as_good_as_missing(
    passed: PreReview, staff: People, card: DocumentNumber
) -> None:
    elsewhere, _ = staff("FRONT_CLERK", hall_id=hall_id("NB-330203"))
    for prereview_id in (passed.id, uuid4()):
        with transaction() as session:
            with pytest.raises(NotFound):
                service.accept_prereview(session, actor=elsewhere, prereview_id=prereview_id, document=card)
            with pytest.raises(NotFound):
                service.bill_prereview(session, actor=elsewhere, prereview_id=prereview_id, quantities={1: 1})
    assert _state(passed) == "PASSED"


def test_one_that_has_run_out_is_not_accepted(passed: PreReview, clerk: Staff, card: DocumentNumber) -> None:
    """PR-9: 30 days."""
    with clock.shift(timedelta(days=31)), transaction() as session, pytest.raises(StateConflict):
        service.accept_prereview(session, actor=clerk, prereview_id=passed.id, document=card)


def test_receiving_only_leaves_the_decision_for_later(passed: PreReview, clerk: Staff, card: DocumentNumber) -> None:
    with transaction() as session:
        case = service.accept_prereview(session, actor=clerk, prereview_id=passed.id, document=card, accept=False)
    assert make.row(case.id).state == "RECEIVED"
    assert make.messages(passed.owner_id)[-1] == "CASE_RECEIVED"
    with transaction() as session:
        cases.accept(session, actor=clerk, case_id=case.id)
    assert make.row(case.id).state == "UNDER_REVIEW"


@pytest.mark.parametrize(("visible", "findings"), [(True, 1), (False, 0)])
def test_what_the_upload_showed_should_have_been_told_before(
    passed: PreReview, clerk: Staff, card: DocumentNumber, visible: bool, findings: int
) -> None:
    """PR-12: a service failure, told to the supervisor."""
    with transaction() as session:
        case = service.accept_prereview(session, actor=clerk, prereview_id=passed.id, document=card, accept=False)
        service.not_accept(
            session, actor=clerk, case_id=case.id, reason="合同缺页", clause="第32条", visible_in_upload=visible
        )
    with transaction() as session:
        found = session.execute(text("SELECT count(*) FROM prereview_finding WHERE kind = 'REFUSED_AT_COUNTER'"))
        assert found.scalar_one() == findings


def _walk_in(clerk: Staff, card: DocumentNumber, **more: Any) -> UUID:
    given = {"name": "李奶奶", "phone": None, "item_id": "NB-111", "answers": {"new_photo": "no"}, **more}
    with transaction() as session:
        return service.accept_walk_in(session, actor=clerk, document=card, **given).id


def test_a_person_without_a_phone_is_served_and_keeps_the_case(clerk: Staff) -> None:
    """AP-20: the same card later is the same person."""
    card = people.resident_id()
    first, second = _walk_in(clerk, card), _walk_in(clerk, card)
    with transaction() as session:
        owner_id = accounts.find_by_document(session, card)
        assert owner_id is not None
    assert {make.row(first).owner_id, make.row(second).owner_id} == {owner_id}
    assert make.messages(owner_id) == ["CASE_ACCEPTED", "CASE_ACCEPTED"]


def test_the_phone_of_a_walk_in_is_checked_and_messages_go_there(clerk: Staff) -> None:
    case_id = _walk_in(clerk, people.resident_id(), phone="199 0000 0001")
    with transaction() as session:
        assert accounts.contact(session, make.row(case_id).owner_id).phone == "+8619900000001"


def test_a_walk_in_under_another_name_is_refused(clerk: Staff) -> None:
    card = people.resident_id()
    _walk_in(clerk, card)
    with pytest.raises(DocumentDiffers):
        _walk_in(clerk, card, name="王五")
    assert _cases() == 1


def test_a_walk_in_answers_the_items_questions(clerk: Staff) -> None:
    with pytest.raises(InvalidInput):
        _walk_in(clerk, people.resident_id(), answers={})
    with pytest.raises(NotFound):
        _walk_in(clerk, people.resident_id(), item_id="NB-999")


def test_bills_of_a_pre_review_end_with_it(passed: PreReview, clerk: Staff) -> None:
    """PY-6: with the pre-review if that is sooner than 30 days."""
    with transaction() as session:
        (whole,) = service.bill_prereview(session, actor=clerk, prereview_id=passed.id, quantities={1: 1})
        session.execute(text("UPDATE prereview SET expires_at = now() + interval '3 days'"))
    with transaction() as session:
        (short,) = service.bill_prereview(session, actor=clerk, prereview_id=passed.id, quantities={3: 1})
    assert timedelta(days=29) < whole.expires_at - clock.now() <= timedelta(days=30)
    assert timedelta(days=2) < short.expires_at - clock.now() <= timedelta(days=3)


def test_only_the_fees_of_the_situation_are_billed(passed: PreReview, clerk: Staff) -> None:
    """S23: line 2 is the fee of what is no home."""
    for quantities in ({2: 1}, {1: 1, 2: 1}):
        with transaction() as session, pytest.raises(NothingToBill) as refused:
            service.bill_prereview(session, actor=clerk, prereview_id=passed.id, quantities=quantities)
        assert list(refused.value.fields) == ["quantities.2"]


def test_tax_and_formulas_are_not_billed(passed: PreReview, clerk: Staff) -> None:
    """RE-4: line 4 is the tax."""
    for quantities in ({4: 1}, {99: 1}, {1: 0}):
        with transaction() as session, pytest.raises(NothingToBill):
            service.bill_prereview(session, actor=clerk, prereview_id=passed.id, quantities=quantities)


def test_a_case_is_billed_from_its_acceptance_until_it_is_given_up(owner: Citizen, clerk: Staff, staff: People) -> None:
    """PY-1."""
    officer, _ = staff("BACK_OFFICER", department_id=make.DEPARTMENT)
    with transaction() as session:
        waiting = make.received(session, owner, clerk)
        running = make.accepted(session, owner, clerk)
        refused = make.accepted(session, owner, clerk)
        cases.decide(session, actor=officer, case_id=refused.id, granted=False, reason="有查封", clause="第22条")
        cases.conclude(session, actor=officer, case_id=refused.id, result_name="不予登记告知书", result_number="1")
        ready = make.ready(session, owner, clerk, officer)
    for case, billable in ((waiting, False), (running, True), (refused, False), (ready, True)):
        with transaction() as session:
            if billable:
                (bill,) = service.bill_case(session, actor=clerk, case_id=case.id, quantities={1: 2})
                assert bill.total_fen == 2_000
            else:
                with pytest.raises(StateConflict):
                    service.bill_case(session, actor=clerk, case_id=case.id, quantities={1: 1})
    with transaction() as session, pytest.raises(NotFound):
        service.bill_case(session, actor=officer, case_id=running.id, quantities={1: 1})
