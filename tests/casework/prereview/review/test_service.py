"""The clerk's desk (PR-3 to PR-8, PR-15)."""

import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from casework.cases.errors import SecondDefectNeedsSupervisor
from casework.prereview import queries, service
from casework.prereview.errors import MaterialMissing, VerdictMissing
from casework.prereview.models import FindingKind, PreReview, PreReviewEvent, PreReviewFinding
from casework.prereview.review import queries as desk
from casework.prereview.review import service as review
from casework.prereview.rules import Provision, Reason, State, Verdict
from core import clock, db
from core.actors import Citizen, Staff
from core.clock import SHANGHAI
from core.errors import InvalidInput, NotFound, StateConflict
from tests.factories import papers
from tests.factories import prereview as make

People = Callable[..., tuple[Any, dict[str, str]]]
TUESDAY = datetime(2026, 11, 24, 10, tzinfo=SHANGHAI)
PAGE = {"limit": 20, "cursor": None}


def findings(session: Session, prereview: PreReview) -> list[tuple[str, int, int]]:
    query = select(PreReviewFinding.kind, PreReviewFinding.round, PreReviewFinding.material_no)
    rows = session.execute(query.where(PreReviewFinding.prereview_id == prereview.id).order_by(PreReviewFinding.id))
    return [(row.kind, row.round, row.material_no) for row in rows]


def messages(session: Session, prereview: PreReview) -> list[tuple[str, str]]:
    rows = session.execute(
        text("SELECT template, event_id FROM message WHERE matter_id = :id ORDER BY id"), {"id": prereview.id}
    )
    return [(row.template, row.event_id.rsplit(":", 1)[1]) for row in rows]


def race_for(prereview: PreReview, clerks: list[Staff]) -> list[UUID | None]:
    """Who got it, when all ask for the same version at once; None for who was refused."""
    barrier = threading.Barrier(len(clerks))
    outcomes: list[UUID | None] = []

    def ask(actor: Staff) -> None:
        barrier.wait()
        try:
            with db.transaction() as session:
                review.claim(session, actor=actor, prereview_id=prereview.id, version=prereview.version)
            outcomes.append(actor.staff_id)
        except StateConflict:
            outcomes.append(None)

    threads = [threading.Thread(target=ask, args=(actor,)) for actor in clerks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_of_two_clerks_at_the_same_moment_one_gets_it(
    database: Flask, zhang: Citizen, clerk: Staff, colleague: Staff
) -> None:
    """PR-3."""
    for _ in range(5):
        with db.transaction() as session:
            prereview = make.submitted(session, zhang)
        outcomes = race_for(prereview, [clerk, colleague])
        winners = [found for found in outcomes if found is not None]
        assert len(outcomes) == 2
        assert len(winners) == 1
        with db.transaction() as session:
            assert desk.of_hall(session, prereview.id, clerk).claimed_by == winners[0]


def test_a_claim_is_for_what_the_clerk_saw(session: Session, zhang: Citizen, clerk: Staff, colleague: Staff) -> None:
    prereview = make.submitted(session, zhang)
    seen = prereview.version
    review.claim(session, actor=clerk, prereview_id=prereview.id)
    review.release(session, actor=clerk, prereview_id=prereview.id)
    with pytest.raises(StateConflict):
        review.claim(session, actor=colleague, prereview_id=prereview.id, version=seen)
    current = desk.of_hall(session, prereview.id, colleague).version
    taken = review.claim(session, actor=colleague, prereview_id=prereview.id, version=current)
    assert taken.claimed_by == colleague.staff_id


def test_a_claim_lasts_half_an_hour_and_can_be_renewed(
    session: Session, zhang: Citizen, clerk: Staff, colleague: Staff
) -> None:
    """PR-3."""
    with clock.at(TUESDAY):
        prereview = make.claimed(session, zhang, clerk)
        assert prereview.claimed_until is not None
        assert timedelta(minutes=29) < prereview.claimed_until - TUESDAY < timedelta(minutes=31)
    with clock.at(TUESDAY + timedelta(minutes=20)):
        review.claim(session, actor=clerk, prereview_id=prereview.id)
        with pytest.raises(StateConflict):
            review.claim(session, actor=colleague, prereview_id=prereview.id)
    with clock.at(TUESDAY + timedelta(minutes=45)):
        make.judge(session, clerk, prereview)
    with clock.at(TUESDAY + timedelta(minutes=51)):
        for act in (review.conclude, review.release):
            with pytest.raises(StateConflict):
                act(session, actor=clerk, prereview_id=prereview.id)
        taken = review.claim(session, actor=colleague, prereview_id=prereview.id)
        assert taken.claimed_by == colleague.staff_id
        assert review.conclude(session, actor=colleague, prereview_id=prereview.id).state == State.PASSED
    rows = session.scalars(
        select(PreReviewEvent.note).where(PreReviewEvent.prereview_id == prereview.id).order_by(PreReviewEvent.id)
    ).all()
    assert rows == ["", "", "", "claim ran out", "", ""]


def test_only_the_holder_of_the_claim_may_act(session: Session, zhang: Citizen, clerk: Staff, colleague: Staff) -> None:
    prereview = make.claimed(session, zhang, clerk)
    with pytest.raises(StateConflict):
        make.judge(session, colleague, prereview)
    with pytest.raises(StateConflict):
        review.reject(session, actor=colleague, prereview_id=prereview.id, right_body="市公安局", reason="x")


def test_everything_is_told_at_once(session: Session, zhang: Citizen, clerk: Staff) -> None:
    """PR-4, PR-5: no notice while a material has no verdict; verdicts are hidden until then."""
    prereview = make.claimed(session, zhang, clerk)
    review.give_verdict(
        session, actor=clerk, prereview_id=prereview.id, no=1, verdict=Verdict.DEFECTIVE, reason_code=Reason.BLURRED
    )
    with pytest.raises(VerdictMissing) as refused:
        review.conclude(session, actor=clerk, prereview_id=prereview.id)
    assert refused.value.extra == {"materials": [2, 3, 4, 7]}
    seen = queries.detail(session, queries.owned(session, prereview.id, zhang.owner_id), clock.now())
    assert not any(material.told for material in seen.materials)
    make.judge(session, clerk, prereview, {1: Reason.BLURRED, 3: Reason.EXPIRED})
    back = review.conclude(session, actor=clerk, prereview_id=prereview.id)
    assert back.state == State.NEEDS_CHANGE
    seen = queries.detail(session, queries.owned(session, prereview.id, zhang.owner_id), clock.now())
    assert all(material.told for material in seen.materials)
    assert messages(session, prereview) == [("PREREVIEW_SUBMITTED", "1"), ("PREREVIEW_NEEDS_CHANGE", "1")]


def test_a_notice_may_be_answered_for_fifteen_working_days(session: Session, zhang: Citizen, clerk: Staff) -> None:
    """PR-9."""
    with clock.at(TUESDAY):
        back = make.needs_change(session, zhang, clerk, {1: Reason.BLURRED})
    assert back.expires_at == datetime(2026, 12, 16, tzinfo=SHANGHAI)
    with clock.at(datetime(2026, 12, 16, tzinfo=SHANGHAI)), pytest.raises(StateConflict):
        make.provide(session, zhang, back, 1, papers.jpeg())


def test_a_paper_that_runs_out_shortens_what_passed(session: Session, zhang: Citizen, clerk: Staff) -> None:
    """PR-9."""
    with clock.at(TUESDAY):
        prereview = make.claimed(session, zhang, clerk)
        make.judge(session, clerk, prereview)
        review.give_verdict(
            session,
            actor=clerk,
            prereview_id=prereview.id,
            no=1,
            verdict=Verdict.QUALIFIED,
            valid_until=date(2026, 12, 1),
        )
        done = review.conclude(session, actor=clerk, prereview_id=prereview.id)
    assert done.expires_at == datetime(2026, 12, 2, tzinfo=SHANGHAI)


def test_a_verdict_must_fit(session: Session, zhang: Citizen, clerk: Staff) -> None:
    """PR-4, PR-6."""
    prereview = make.claimed(session, zhang, clerk)
    with pytest.raises(InvalidInput):
        review.give_verdict(session, actor=clerk, prereview_id=prereview.id, no=1, verdict=Verdict.WAIVED)
    with pytest.raises(InvalidInput):
        review.give_verdict(session, actor=clerk, prereview_id=prereview.id, no=1, verdict=Verdict.DEFECTIVE)
    with pytest.raises(NotFound):
        review.give_verdict(session, actor=clerk, prereview_id=prereview.id, no=6, verdict=Verdict.QUALIFIED)


def test_what_was_found_must_be_changed_before_it_comes_again(session: Session, zhang: Citizen, clerk: Staff) -> None:
    back = make.needs_change(session, zhang, clerk, {1: Reason.BLURRED, 3: Reason.EXPIRED})
    make.provide(session, zhang, back, 1, papers.jpeg())
    with pytest.raises(MaterialMissing) as refused:
        service.submit(session, actor=zhang, prereview_id=back.id)
    assert refused.value.extra == {"materials": [3]}
    make.provide(session, zhang, back, 3, papers.png())
    again = service.submit(session, actor=zhang, prereview_id=back.id)
    assert (again.state, again.round, again.expires_at) == (State.SUBMITTED, 2, None)
    kept = {m.no: m.verdict for m in again.listed}
    assert kept == {1: None, 2: "WAIVED", 3: None, 4: "WAIVED", 7: "WAIVED"}


def _second_round(session: Session, zhang: Citizen, clerk: Staff) -> PreReview:
    back = make.needs_change(session, zhang, clerk, {1: Reason.BLURRED})
    make.provide(session, zhang, back, 1, papers.jpeg())
    service.submit(session, actor=zhang, prereview_id=back.id)
    return review.claim(session, actor=clerk, prereview_id=back.id)


def test_a_late_defect_needs_a_supervisor(session: Session, zhang: Citizen, clerk: Staff, staff: People) -> None:
    """PR-5: passes in round 1, then fails in round 2, unchanged; the exception is counted."""
    prereview = _second_round(session, zhang, clerk)
    late: dict[str, Any] = {
        "actor": clerk,
        "prereview_id": prereview.id,
        "no": 2,
        "verdict": Verdict.DEFECTIVE,
        "reason_code": Reason.NAME_MISMATCH,
    }
    with pytest.raises(SecondDefectNeedsSupervisor):
        review.give_verdict(session, **late)
    review.give_verdict(session, **{**late, "no": 1, "reason_code": Reason.SEAL_MISSING})
    supervisor, _ = staff("SUPERVISOR")
    review.allow_second_defect(session, actor=supervisor, prereview_id=prereview.id, no=2, reason="证照库刚更新")
    review.give_verdict(session, **late)
    assert review.conclude(session, actor=clerk, prereview_id=prereview.id).state == State.NEEDS_CHANGE
    assert findings(session, prereview) == [(FindingKind.SECOND_DEFECT, 2, 2)]


def test_a_supervisor_is_asked_only_in_a_later_round(
    session: Session, zhang: Citizen, clerk: Staff, staff: People
) -> None:
    supervisor, _ = staff("SUPERVISOR")
    prereview = make.claimed(session, zhang, clerk)
    with pytest.raises(StateConflict):
        review.allow_second_defect(session, actor=supervisor, prereview_id=prereview.id, no=1, reason="x")


def test_changing_one_s_mind_within_a_round_is_no_late_defect(session: Session, zhang: Citizen, clerk: Staff) -> None:
    prereview = make.claimed(session, zhang, clerk)
    make.judge(session, clerk, prereview)
    make.judge(session, clerk, prereview, {2: Reason.NAME_MISMATCH})
    assert review.conclude(session, actor=clerk, prereview_id=prereview.id).state == State.NEEDS_CHANGE


def test_a_wrong_situation_can_be_put_right(session: Session, zhang: Citizen, clerk: Staff) -> None:
    """PR-6 情形选错: new answers, a longer list, what stays keeps its verdict."""
    back = make.needs_change(session, zhang, clerk, {1: Reason.SITUATION_WRONG})
    with pytest.raises(MaterialMissing):
        service.submit(session, actor=zhang, prereview_id=back.id)
    changed = service.change_answers(
        session, actor=zhang, prereview_id=back.id, answers=make.NO_SPECIALS | {"agent": "yes"}
    )
    assert [m.no for m in changed.listed] == [1, 2, 3, 4, 7, 8]
    again = service.submit(session, actor=zhang, prereview_id=back.id)
    review.claim(session, actor=clerk, prereview_id=again.id)
    for no, verdict in ((1, Verdict.QUALIFIED), (8, Verdict.TOLERATED)):
        review.give_verdict(session, actor=clerk, prereview_id=again.id, no=no, verdict=verdict)
    assert review.conclude(session, actor=clerk, prereview_id=again.id).state == State.PASSED
    bring = {m.no for m in queries.passed(session, again.id, clock.now()).materials if m.bring}
    assert bring == {1, 8}


def test_answers_stay_when_nobody_found_them_wrong(session: Session, zhang: Citizen, clerk: Staff) -> None:
    back = make.needs_change(session, zhang, clerk, {1: Reason.BLURRED})
    with pytest.raises(StateConflict):
        service.change_answers(session, actor=zhang, prereview_id=back.id, answers=make.NO_SPECIALS)


def test_a_rejection_names_the_right_body(session: Session, zhang: Citizen, clerk: Staff) -> None:
    """PR-7."""
    prereview = make.claimed(session, zhang, clerk)
    with pytest.raises(NotFound):
        review.reject(
            session, actor=clerk, prereview_id=prereview.id, right_body="市公安局", reason="x", item_id="NB-999"
        )
    done = review.reject(
        session,
        actor=clerk,
        prereview_id=prereview.id,
        right_body="宁波市公安局",
        reason="属于户籍业务",
        item_id="NB-052",
    )
    assert (done.state, done.right_body, done.right_item_id) == (State.REJECTED, "宁波市公安局", "NB-052")
    assert [template for template, _ in messages(session, prereview)] == ["PREREVIEW_SUBMITTED", "PREREVIEW_REJECTED"]


def test_a_transfer_goes_to_a_hall_that_serves_the_item(
    session: Session, zhang: Citizen, clerk: Staff, elsewhere: Staff
) -> None:
    prereview = make.claimed(session, zhang, clerk)
    with pytest.raises(InvalidInput):
        review.transfer(session, actor=clerk, prereview_id=prereview.id, hall_id=uuid4())
    assert elsewhere.hall_id is not None
    moved = review.transfer(
        session, actor=clerk, prereview_id=prereview.id, hall_id=elsewhere.hall_id, reason="房屋在鄞州区"
    )
    assert (moved.state, moved.claimed_by) == (State.SUBMITTED, None)
    assert review.claim(session, actor=elsewhere, prereview_id=prereview.id).hall_id == elsewhere.hall_id
    sheet = review.read(session, actor=elsewhere, prereview_id=prereview.id)
    assert [note.text for note in sheet.prereview.notes] == ["房屋在鄞州区"]
    with pytest.raises(NotFound):
        review.read(session, actor=clerk, prereview_id=prereview.id)


def test_a_late_first_answer_is_found_once(session: Session, zhang: Citizen, clerk: Staff) -> None:
    """PR-8."""
    with clock.at(TUESDAY):
        prereview = make.submitted(session, zhang)
    with clock.at(TUESDAY + timedelta(days=2)):
        review.claim(session, actor=clerk, prereview_id=prereview.id)
        make.judge(session, clerk, prereview)
        review.conclude(session, actor=clerk, prereview_id=prereview.id)
    assert findings(session, prereview) == [(FindingKind.LATE_FIRST_ANSWER, 1, 0)]


def test_every_read_is_logged(session: Session, zhang: Citizen, clerk: Staff) -> None:
    """P-5, PR-15."""
    prereview = make.submitted(session, zhang)
    file_id = prereview.listed[0].files[0].file_id
    review.read(session, actor=clerk, prereview_id=prereview.id)
    review.open_file(session, actor=clerk, prereview_id=prereview.id, file_id=file_id)
    session.flush()
    rows = session.execute(
        text("SELECT action FROM audit_entry WHERE object_id = :id AND actor = :actor ORDER BY seq"),
        {"id": str(prereview.id), "actor": clerk.audit_id},
    )
    assert [row.action for row in rows] == ["prereview.read", "prereview.read_file"]


def test_only_the_papers_of_this_pre_review_can_be_opened(session: Session, zhang: Citizen, clerk: Staff) -> None:
    prereview = make.submitted(session, zhang)
    other = make.upload(session, zhang, papers.png(99))
    with pytest.raises(NotFound):
        review.open_file(session, actor=clerk, prereview_id=prereview.id, file_id=other.id)


def test_notes_are_between_colleagues(session: Session, zhang: Citizen, clerk: Staff, colleague: Staff) -> None:
    prereview = make.submitted(session, zhang)
    review.add_note(session, actor=clerk, prereview_id=prereview.id, text="请问这份合同是否已备案？")
    review.add_note(session, actor=colleague, prereview_id=prereview.id, text="已备案。")
    session.flush()
    sheet = review.read(session, actor=clerk, prereview_id=prereview.id)
    assert [note.by for note in sheet.prereview.notes] == [clerk.staff_id, colleague.staff_id]
    stored = session.scalars(text("SELECT text FROM prereview_note")).all()
    assert all("备案".encode() not in bytes(note) for note in stored)


def test_a_material_may_be_brought_instead(session: Session, zhang: Citizen, clerk: Staff) -> None:
    """A defective upload is answered by bringing the original."""
    back = make.needs_change(session, zhang, clerk, {1: Reason.BLURRED})
    service.set_material(session, actor=zhang, prereview_id=back.id, no=1, provision=Provision.ON_SITE)
    again = service.submit(session, actor=zhang, prereview_id=back.id)
    assert again.listed[0].files == []
    assert len(again.listed[0].all_files) == 1
