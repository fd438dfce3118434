"""What people and the clock do to a case, on the real database."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from auth.accounts.errors import DocumentDiffers
from auth.accounts.events import SubjectsMerged
from casework.cases import queries, service
from casework.cases.errors import (
    CorrectionAlreadyOpen,
    ExtensionUsed,
    ReasonMissing,
    SecondDefectNeedsSupervisor,
)
from core import clock
from core.actors import Citizen, Staff
from core.db import transaction
from core.errors import Forbidden, NotFound, StateConflict
from tests.factories import auth as people
from tests.factories import cases as make
from tests.factories import prereview as papers
from tests.factories.catalogue import CITY_HALL

People = Callable[..., tuple[Any, dict[str, str]]]


@dataclass(frozen=True)
class Cast:
    """Who meets in these tests."""

    owner: Citizen
    clerk: Staff
    officer: Staff
    manager: Staff


@pytest.fixture
def cast(citizen: People, staff: People) -> Cast:
    return Cast(
        citizen(level=2, name="张三丰")[0],
        staff("FRONT_CLERK", hall_id=CITY_HALL)[0],
        staff("BACK_OFFICER", department_id=make.DEPARTMENT)[0],
        staff("DEPARTMENT_MANAGER", department_id=make.DEPARTMENT)[0],
    )


def test_due_dates_count_working_days_from_the_acceptance_day(cast: Cast) -> None:
    """K-2: 16 and 30 working days from Tuesday 2026-09-01, over the make-up Sunday 09-20, 中秋 and 国庆 (T9 of 2.5)."""
    with clock.at(make.at("2026-09-01")), transaction() as session:
        case = make.accepted(session, cast.owner, cast.clerk)
    assert (case.accepted_on, case.due_on, case.due_status) == (date(2026, 9, 1), date(2026, 9, 22), "FIRM")
    assert case.legal_due_on == date(2026, 10, 19)
    assert make.moves(case.id) == ["RECEIVED", "ACCEPTED", "UNDER_REVIEW"]
    assert make.messages(cast.owner.subject_id) == ["CASE_ACCEPTED"]


def test_a_date_without_a_published_calendar_says_so(cast: Cast) -> None:
    """K-10: into 2027 the day is worked out, marked, and told as expected only."""
    with clock.at(make.at("2026-12-24")), transaction() as session:
        case = make.accepted(session, cast.owner, cast.clerk)
    assert (case.due_status, case.due_on) == ("PROVISIONAL", date(2027, 1, 15))
    assert "预计" in make.texts(cast.owner.subject_id)


def test_a_pause_stops_both_clocks(cast: Cast) -> None:
    """K-5, after T12: suspended on 09-07, resumed on 09-21; the suspend day counts, the resume day doesn't."""
    with clock.at(make.at("2026-09-01")), transaction() as session:
        case = make.accepted(session, cast.owner, cast.clerk)
    with clock.at(make.at("2026-09-07")), transaction() as session:
        service.suspend(session, actor=cast.officer, case_id=case.id, name="公告", reason="遗失声明公告")
        with pytest.raises(StateConflict):
            service.decide(session, actor=cast.officer, case_id=case.id, granted=True)
    with clock.at(make.at("2026-09-21")), transaction() as session:
        resumed = service.resume(session, actor=cast.officer, case_id=case.id)
    # 4 days were worked; 12 of 16 and 26 of 30 are left from 09-21 on.
    assert (resumed.due_on, resumed.legal_due_on) == (date(2026, 10, 14), date(2026, 11, 3))
    with transaction() as session:
        last = queries.owned(session, case.id, cast.owner.subject_id).transitions[-1]
    assert (last.old_due_on, last.new_due_on) == (date(2026, 9, 22), date(2026, 10, 14))
    assert make.messages(cast.owner.subject_id) == ["CASE_ACCEPTED", "CASE_SUSPENDED", "CASE_RESUMED"]


def test_nothing_is_resumed_that_is_not_suspended(cast: Cast) -> None:
    with transaction() as session:
        case = make.accepted(session, cast.owner, cast.clerk)
        with pytest.raises(StateConflict):
            service.resume(session, actor=cast.officer, case_id=case.id)


def test_one_extension_of_at_most_ten_working_days(cast: Cast) -> None:
    """C-6."""
    with clock.at(make.at("2026-09-01")), transaction() as session:
        case = make.accepted(session, cast.owner, cast.clerk)
        service.extend(session, actor=cast.manager, case_id=case.id, workdays=30, reason="需现场勘查")
        assert (case.extension_workdays, case.due_on) == (10, date(2026, 10, 13))
        with pytest.raises(ExtensionUsed):
            service.extend(session, actor=cast.manager, case_id=case.id, workdays=1, reason="再延")
    assert make.moves(case.id)[-2:] == ["UNDER_REVIEW", "UNDER_REVIEW"]


def test_no_extension_once_the_promise_is_broken(cast: Cast) -> None:
    with clock.at(make.at("2026-09-01")), transaction() as session:
        case = make.accepted(session, cast.owner, cast.clerk)
    with clock.at(make.at("2026-09-23")), transaction() as session, pytest.raises(StateConflict):
        service.extend(session, actor=cast.manager, case_id=case.id, workdays=1, reason="晚了")
    with clock.at(make.at("2026-09-22", 23, 59)), transaction() as session:
        service.extend(session, actor=cast.manager, case_id=case.id, workdays=1, reason="当天")


def test_a_refusal_gives_its_reason_clause_and_remedy(cast: Cast) -> None:
    """C-3, by rule and by the database."""
    with transaction() as session:
        case = make.accepted(session, cast.owner, cast.clerk)
    for given in ({"reason": "", "clause": "第二十二条"}, {"reason": "有查封", "clause": " "}):
        with pytest.raises(ReasonMissing), transaction() as session:
            service.decide(session, actor=cast.officer, case_id=case.id, granted=False, **given)
    with pytest.raises(IntegrityError, match="refusal_has_reason"), transaction() as session:
        session.execute(text("UPDATE service_case SET state = 'DECIDED_REFUSE'"))
    with transaction() as session:
        service.decide(session, actor=cast.officer, case_id=case.id, granted=False, reason="有查封", clause="第22条")
        shown = queries.public_timeline(queries.owned(session, case.id, cast.owner.subject_id))[-1].public_note
    assert "有查封" in shown
    assert "行政复议" in shown


def test_not_accepting_gives_its_reason(cast: Cast) -> None:
    with transaction() as session:
        case = make.received(session, cast.owner, cast.clerk)
        with pytest.raises(ReasonMissing):
            service.not_accept(session, actor=cast.clerk, case_id=case.id, reason="", clause="")
        service.not_accept(session, actor=cast.clerk, case_id=case.id, reason="不属本机关", clause="第三十二条")
        with pytest.raises(StateConflict):
            service.accept(session, actor=cast.clerk, case_id=case.id)
    assert make.messages(cast.owner.subject_id) == ["CASE_NOT_ACCEPTED"]


def test_the_whole_way_to_the_counter(cast: Cast) -> None:
    """2.4, with the issue clock of 10 working days (N5)."""
    with clock.at(make.at("2026-11-24")), transaction() as session:
        case = make.ready(session, cast.owner, cast.clerk, cast.officer)
        assert case.issue_due_on == date(2026, 12, 8)
        card = make.document_of(session, cast.owner)
        service.collect(session, actor=cast.clerk, case_id=case.id, document=card)
        assert case.delivered_at is not None
        with pytest.raises(StateConflict):
            service.collect(session, actor=cast.clerk, case_id=case.id, document=card)
    assert make.moves(case.id)[3:] == ["DECIDED_GRANT", "CONCLUDED", "ISSUING", "DELIVERED"]
    assert make.messages(cast.owner.subject_id)[1:] == ["CASE_DECIDED", "CASE_READY", "CASE_DELIVERED"]


def test_a_result_is_not_given_to_another_card(cast: Cast) -> None:
    with transaction() as session:
        case = make.ready(session, cast.owner, cast.clerk, cast.officer)
    with pytest.raises(DocumentDiffers), transaction() as session:
        service.collect(session, actor=cast.clerk, case_id=case.id, document=people.resident_id())
    assert make.row(case.id).state == "ISSUING"


def test_history_is_never_changed(cast: Cast) -> None:
    """C-1: the database itself refuses."""
    with transaction() as session:
        make.accepted(session, cast.owner, cast.clerk)
    for change in ("UPDATE case_transition SET reason = 'x'", "DELETE FROM case_transition"):
        with pytest.raises(DBAPIError, match="never changed"), transaction() as session:
            session.execute(text(change))


def test_withdrawing_ends_any_case_before_its_decision(cast: Cast) -> None:
    with transaction() as session:
        paused = make.accepted(session, cast.owner, cast.clerk)
        service.suspend(session, actor=cast.officer, case_id=paused.id, name="鉴定", reason="需鉴定")
        service.withdraw(session, actor=cast.owner, case_id=paused.id)
        decided = make.granted(session, cast.owner, cast.clerk, cast.officer)
        with pytest.raises(StateConflict):
            service.withdraw(session, actor=cast.owner, case_id=decided.id)
    with transaction() as session:
        assert queries.open_pause(queries.owned(session, paused.id, cast.owner.subject_id)) is None


def test_a_foreign_case_is_as_good_as_missing(cast: Cast, citizen: People) -> None:
    stranger, _ = citizen(level=3)
    with transaction() as session:
        case = make.received(session, cast.owner, cast.clerk)
    for case_id in (case.id, uuid4()):
        with transaction() as session:
            with pytest.raises(NotFound):
                queries.owned(session, case_id, stranger.subject_id)
            with pytest.raises(NotFound):
                service.withdraw(session, actor=stranger, case_id=case_id)
            with pytest.raises(NotFound):
                service.answer_correction(session, actor=stranger, case_id=case_id, file_ids=[])


def test_staff_act_within_their_hall_or_department_and_role(cast: Cast, staff: People) -> None:
    """3.16: the bounds are those of the role that the act belongs to."""
    elsewhere, _ = staff("FRONT_CLERK", hall_id=uuid4())
    other_office, _ = staff("BACK_OFFICER", department_id="D06")
    # A clerk of this hall who is an officer of another department: accepts here, decides only there.
    both, _ = staff("FRONT_CLERK", "BACK_OFFICER", hall_id=CITY_HALL, department_id="D06")
    supervisor, _ = staff("SUPERVISOR")
    auditor, _ = staff("AUDIT_ADMIN")
    with transaction() as session:
        case = make.accepted(session, cast.owner, cast.clerk)
        for actor in (elsewhere, other_office, auditor):
            with pytest.raises(NotFound):
                queries.for_staff(session, case.id, actor)
            assert queries.page_for_staff(session, actor, {"limit": 20}).items == []
        for actor in (cast.clerk, cast.officer, cast.manager, both, supervisor):
            assert queries.for_staff(session, case.id, actor).id == case.id
        for actor in (both, cast.clerk, cast.manager, supervisor):
            with pytest.raises(NotFound):
                service.decide(session, actor=actor, case_id=case.id, granted=True)
        with pytest.raises(NotFound):
            service.extend(session, actor=cast.officer, case_id=case.id, workdays=1, reason="x")


def test_a_clerk_without_a_hall_receives_nothing(cast: Cast, staff: People) -> None:
    nowhere, _ = staff("FRONT_CLERK")
    with transaction() as session, pytest.raises(Forbidden):
        make.received(session, cast.owner, nowhere)


def test_a_sensitive_matter_is_not_named_in_messages(cast: Cast, staff: People) -> None:
    """3.17: neither the matter nor what is said about its papers."""
    officer, _ = staff("BACK_OFFICER", department_id="D07")
    with transaction() as session:
        case = make.accepted(session, cast.owner, cast.clerk, item_id=make.SENSITIVE_ITEM)
        service.suspend(session, actor=officer, case_id=case.id, name="离婚冷静期", reason="冷静期")
    said = make.texts(cast.owner.subject_id)
    assert "您的办件" in said
    assert "离婚" not in said


def test_a_correction_lists_everything_once(cast: Cast) -> None:
    """C-4."""
    with clock.at(make.at("2026-11-24")), transaction() as session:
        case = make.received(session, cast.owner, cast.clerk)
        service.request_correction(session, actor=cast.clerk, case_id=case.id, defects=["缺页", "缺签名"])
    with transaction() as session:
        with pytest.raises((CorrectionAlreadyOpen, StateConflict)):
            service.request_correction(session, actor=cast.clerk, case_id=case.id, defects=["模糊"])
        (open_one,) = queries.owned(session, case.id, cast.owner.subject_id).corrections
        assert (open_one.defects, open_one.due_on) == (["缺页", "缺签名"], date(2026, 12, 15))
    answered = make.at("2026-12-01")
    with clock.at(answered), transaction() as session:
        stored = papers.upload(session, cast.owner)
        service.answer_correction(session, actor=cast.owner, case_id=case.id, file_ids=[stored.id])
    assert make.row(case.id).notice_due_on == date(2026, 12, 8)
    with transaction() as session:
        with pytest.raises(SecondDefectNeedsSupervisor):
            service.request_correction(session, actor=cast.clerk, case_id=case.id, defects=["过期"])
        service.request_correction(
            session, actor=cast.clerk, case_id=case.id, defects=["过期"], supervisor_reason="补交材料本身有误"
        )
    assert make.moves(case.id) == ["RECEIVED", "CORRECTING", "RECEIVED", "CORRECTING"]


def test_the_database_keeps_one_open_correction(cast: Cast) -> None:
    with transaction() as session:
        case = make.received(session, cast.owner, cast.clerk)
        service.request_correction(session, actor=cast.clerk, case_id=case.id, defects=["缺页"])
    copy = text(
        "INSERT INTO case_correction (id, case_id, defects, requested_at, requested_by, due_on)"
        " SELECT gen_random_uuid(), case_id, defects, requested_at, requested_by, due_on FROM case_correction"
    )
    with pytest.raises(IntegrityError, match="uq_case_correction_open"), transaction() as session:
        session.execute(copy)


def test_a_correction_is_answered_with_own_files(cast: Cast, citizen: People) -> None:
    stranger, _ = citizen(level=2)
    with transaction() as session:
        case = make.received(session, cast.owner, cast.clerk)
        service.request_correction(session, actor=cast.clerk, case_id=case.id, defects=["缺页"])
        foreign = papers.upload(session, stranger)
    with pytest.raises(NotFound), transaction() as session:
        service.answer_correction(session, actor=cast.owner, case_id=case.id, file_ids=[foreign.id])
    assert make.row(case.id).state == "CORRECTING"


def test_two_people_found_to_be_one_share_their_cases(cast: Cast) -> None:
    with transaction() as session:
        case = make.received(session, cast.owner, cast.clerk)
        kept = people.make_citizen(session, level=2)
        service.move_owner(session, SubjectsMerged(kept=kept.subject_id, absorbed=cast.owner.subject_id))
    with transaction() as session:
        assert queries.owned(session, case.id, kept.subject_id).acting_id == kept.subject_id
        with pytest.raises(NotFound):
            queries.owned(session, case.id, cast.owner.subject_id)


def test_personal_data_is_ciphered_in_the_table(cast: Cast) -> None:
    with transaction() as session:
        case = make.received(session, cast.owner, cast.clerk)
        number = make.document_of(session, cast.owner).number
    row = make.row(case.id)
    assert "张三丰".encode() not in bytes(row.applicant_name)
    assert number.encode() not in bytes(row.applicant_document)
    assert case.received_at > clock.now() - timedelta(minutes=1)
