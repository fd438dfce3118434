"""What citizens do with pre-reviews, and what other features and the clock do (DOMAIN 3.1)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from auth.accounts.events import SubjectsMerged
from casework.files.models import StoredFileUse
from casework.prereview import queries, service
from casework.prereview.errors import MaterialMissing, PreReviewNotOffered
from casework.prereview.models import FindingKind, PreReview, PreReviewEvent, PreReviewFinding
from casework.prereview.rules import Provision, Reason, State
from core import clock, db
from core.actors import Citizen, Staff
from core.clock import SHANGHAI
from core.errors import InvalidInput, NotFound, StateConflict
from tests.factories import papers
from tests.factories import prereview as make
from tests.factories.catalogue import CITY_HALL

People = Callable[..., tuple[Any, dict[str, str]]]
TUESDAY = datetime(2026, 11, 24, 10, tzinfo=SHANGHAI)


def messages(session: Session, prereview: PreReview) -> list[str]:
    rows = session.execute(text("SELECT template FROM message WHERE matter_id = :id ORDER BY id"), {"id": prereview.id})
    return [row.template for row in rows]


def test_the_list_follows_the_answers(session: Session, zhang: Citizen) -> None:
    """PR-2."""
    plain = make.draft(session, zhang)
    assert [m.no for m in plain.listed] == [1, 2, 3, 4, 7]
    agent = make.draft(session, zhang, answers=make.NO_SPECIALS | {"agent": "yes"})
    assert [m.no for m in agent.listed] == [1, 2, 3, 4, 7, 8]
    assert plain.state == State.DRAFT
    assert plain.number != agent.number
    assert plain.number.startswith("YS")


def test_what_can_not_be_started(session: Session, zhang: Citizen) -> None:
    """PR-1."""
    with pytest.raises(PreReviewNotOffered):
        make.draft(session, zhang, item_id="NB-010", answers={})
    with pytest.raises(InvalidInput) as refused:
        make.draft(session, zhang, answers={"agent": "perhaps"})
    assert set(refused.value.fields) == {f"answers.{key}" for key in make.NO_SPECIALS}
    with pytest.raises(InvalidInput):
        make.draft(session, zhang, hall_id=uuid4())
    with pytest.raises(NotFound):
        make.draft(session, zhang, item_id="NB-999", answers={})


def test_submission_needs_every_material_that_no_licence_replaces(session: Session, zhang: Citizen) -> None:
    """PR-1."""
    prereview = make.draft(session, zhang)
    with pytest.raises(MaterialMissing) as refused:
        service.submit(session, actor=zhang, prereview_id=prereview.id)
    assert refused.value.extra == {"materials": [1]}
    assert "不动产登记申请书" in refused.value.sentence("zh")
    service.set_material(session, actor=zhang, prereview_id=prereview.id, no=1, provision=Provision.ON_SITE)
    done = service.submit(session, actor=zhang, prereview_id=prereview.id)
    assert done.state == State.SUBMITTED
    assert {m.no: m.provision for m in done.listed} == {
        1: "ON_SITE",
        2: "LICENCE",
        3: "LICENCE",
        4: "LICENCE",
        7: "LICENCE",
    }


def test_the_answer_is_promised_at_submission_and_a_message_says_so(session: Session, zhang: Citizen) -> None:
    """PR-8, PR-14."""
    with clock.at(TUESDAY):
        prereview = make.submitted(session, zhang)
    assert prereview.answer_due_at == datetime(2026, 11, 26, tzinfo=SHANGHAI)
    assert not prereview.answer_due_provisional
    assert messages(session, prereview) == ["PREREVIEW_SUBMITTED"]


def test_an_answer_promised_into_an_unpublished_year_is_provisional(session: Session, zhang: Citizen) -> None:
    """K-10."""
    with clock.at(datetime(2026, 12, 31, 10, tzinfo=SHANGHAI)):
        assert make.submitted(session, zhang).answer_due_provisional


def test_files_have_versions_and_old_ones_stay(session: Session, zhang: Citizen) -> None:
    """PR-13."""
    prereview = make.draft(session, zhang)
    make.provide(session, zhang, prereview, 1, papers.pdf(1), papers.jpeg())
    make.provide(session, zhang, prereview, 1, papers.pdf(3))
    seen = queries.owned(session, prereview.id, zhang.owner_id).listed[0]
    assert [(f.version, f.position, f.pages) for f in seen.all_files] == [(1, 1, 1), (1, 2, 1), (2, 1, 3)]
    assert [f.version for f in seen.files] == [2]
    assert seen.file_version == 2
    uses = session.scalars(select(StoredFileUse.file_id).where(StoredFileUse.matter_id == prereview.id)).all()
    assert len(uses) == 3


def test_the_same_content_again_is_no_new_version(session: Session, zhang: Citizen) -> None:
    """PEERS 4.3: resubmits the identical file."""
    prereview = make.draft(session, zhang)
    make.provide(session, zhang, prereview, 1, papers.pdf(2))
    again = make.provide(session, zhang, prereview, 1, papers.pdf(2))
    assert again.listed[0].file_version == 1


def test_what_a_material_can_not_be_provided_by(session: Session, zhang: Citizen, citizen: People) -> None:
    prereview = make.draft(session, zhang)

    def put(no: int, provision: Provision | None, *file_ids: Any) -> None:
        service.set_material(
            session, actor=zhang, prereview_id=prereview.id, no=no, provision=provision, file_ids=file_ids
        )

    mine = make.upload(session, zhang).id
    with pytest.raises(InvalidInput):
        put(1, Provision.LICENCE)
    with pytest.raises(InvalidInput):
        put(1, Provision.UPLOAD)
    with pytest.raises(InvalidInput):
        put(1, Provision.ON_SITE, mine)
    with pytest.raises(InvalidInput):
        put(1, Provision.UPLOAD, mine, mine)
    with pytest.raises(NotFound):
        put(5, Provision.ON_SITE)
    with pytest.raises(NotFound):
        put(1, Provision.UPLOAD, uuid4())
    stranger, _ = citizen(level=2)
    with pytest.raises(NotFound):
        put(1, Provision.UPLOAD, make.upload(session, stranger, papers.png()).id)


def test_at_most_fifty_files(session: Session, zhang: Citizen) -> None:
    """PR-13."""
    prereview = make.draft(session, zhang)
    stored = [make.upload(session, zhang, papers.pdf(1) + b"%%%d" % n).id for n in range(51)]

    def put(no: int, count: int) -> None:
        service.set_material(
            session,
            actor=zhang,
            prereview_id=prereview.id,
            no=no,
            provision=Provision.UPLOAD,
            file_ids=stored[:count],
        )

    put(1, 30)
    put(2, 20)
    with pytest.raises(InvalidInput):
        put(2, 21)
    put(1, 29)
    put(2, 21)


def test_a_foreign_pre_review_is_not_found(session: Session, zhang: Citizen, citizen: People) -> None:
    prereview = make.submitted(session, zhang)
    stranger, _ = citizen(level=2)
    for act in (service.submit, service.withdraw, service.discard):
        with pytest.raises(NotFound):
            act(session, actor=stranger, prereview_id=prereview.id)
    with pytest.raises(NotFound):
        queries.owned(session, prereview.id, stranger.owner_id)


def test_withdrawn_from_the_queue_but_not_from_a_clerks_hands(session: Session, zhang: Citizen, clerk: Staff) -> None:
    """PEERS 4.3: withdraws during decision."""
    taken = make.claimed(session, zhang, clerk)
    with pytest.raises(StateConflict) as refused:
        service.withdraw(session, actor=zhang, prereview_id=taken.id)
    assert refused.value.extra == {"state": "IN_REVIEW"}
    waiting = make.submitted(session, zhang)
    assert service.withdraw(session, actor=zhang, prereview_id=waiting.id).state == State.WITHDRAWN
    with pytest.raises(StateConflict):
        service.submit(session, actor=zhang, prereview_id=waiting.id)


def test_papers_stay_as_they_are_while_a_clerk_looks(session: Session, zhang: Citizen, clerk: Staff) -> None:
    """PEERS 4.3: the citizen edits while the clerk reviews."""
    for prereview in (make.submitted(session, zhang), make.claimed(session, zhang, clerk)):
        with pytest.raises(StateConflict):
            make.provide(session, zhang, prereview, 1, papers.jpeg())
        with pytest.raises(StateConflict):
            service.change_answers(session, actor=zhang, prereview_id=prereview.id, answers=make.NO_SPECIALS)


def test_a_discarded_draft_forgets_what_was_filled_in(session: Session, zhang: Citizen) -> None:
    prereview = make.draft(session, zhang)
    make.provide(session, zhang, prereview, 1)
    service.discard(session, actor=zhang, prereview_id=prereview.id)
    session.expire_all()
    gone = queries.owned(session, prereview.id, zhang.owner_id)
    assert gone.state == State.DISCARDED
    assert gone.answers == {}
    assert gone.listed[0].all_files == []
    assert session.scalars(select(StoredFileUse).where(StoredFileUse.matter_id == prereview.id)).all() == []
    submitted = make.submitted(session, zhang)
    with pytest.raises(StateConflict):
        service.discard(session, actor=zhang, prereview_id=submitted.id)


def test_another_situation_keeps_the_files_of_what_stays(session: Session, zhang: Citizen) -> None:
    """PR-2."""
    prereview = make.draft(session, zhang, answers=make.NO_SPECIALS | {"agent": "yes"})
    make.provide(session, zhang, prereview, 1)
    changed = service.change_answers(
        session, actor=zhang, prereview_id=prereview.id, answers=make.NO_SPECIALS | {"tax_relief": "yes"}
    )
    assert [m.no for m in changed.listed] == [1, 2, 3, 4, 5, 7]
    assert len(changed.listed[0].files) == 1


def test_history_and_verdicts_can_not_be_changed(database: Flask, zhang: Citizen, clerk: Staff) -> None:
    with db.transaction() as session:
        make.needs_change(session, zhang, clerk, {1: Reason.BLURRED})
    for statement in (
        "UPDATE prereview_event SET note = 'x'",
        "DELETE FROM prereview_event",
        "UPDATE prereview_verdict SET round = 9",
        "DELETE FROM prereview_verdict",
    ):
        with pytest.raises(DBAPIError), db.transaction() as session:
            session.execute(text(statement))


def test_every_move_is_in_the_history(session: Session, zhang: Citizen, clerk: Staff) -> None:
    prereview = make.passed(session, zhang, clerk)
    service.mark_used(session, actor=clerk, prereview_id=prereview.id, case_id=uuid4())
    moves = session.execute(
        select(PreReviewEvent.from_state, PreReviewEvent.to_state, PreReviewEvent.actor)
        .where(PreReviewEvent.prereview_id == prereview.id)
        .order_by(PreReviewEvent.id)
    ).all()
    assert [tuple(move) for move in moves] == [
        (None, "DRAFT", zhang.audit_id),
        ("DRAFT", "SUBMITTED", zhang.audit_id),
        ("SUBMITTED", "IN_REVIEW", clerk.audit_id),
        ("IN_REVIEW", "PASSED", clerk.audit_id),
        ("PASSED", "USED", clerk.audit_id),
    ]


def test_what_the_counter_finds(session: Session, zhang: Citizen, clerk: Staff) -> None:
    """PR-10, PR-11."""
    now = clock.now()
    prereview = make.passed(session, zhang, clerk)
    found = queries.passed(session, prereview.id, now, owner_id=zhang.owner_id)
    assert (found.number, found.owner_id, found.hall_id) == (prereview.number, zhang.owner_id, CITY_HALL)
    assert found.answers == make.NO_SPECIALS
    assert {m.no: m.bring for m in found.materials} == {1: True, 2: False, 3: False, 4: False, 7: False}
    assert len(found.materials[0].file_ids) == 1
    assert queries.find_for_counter(session, prereview.number.lower()).id == prereview.id
    assert [p.id for p in queries.passed_of_owner(session, zhang.owner_id, now)] == [prereview.id]
    with pytest.raises(NotFound):
        queries.passed(session, prereview.id, now, owner_id=uuid4())
    service.mark_used(session, actor=clerk, prereview_id=prereview.id)
    for again in (queries.passed, lambda s, i, _now: service.mark_used(s, actor=clerk, prereview_id=i)):
        with pytest.raises(StateConflict):
            again(session, prereview.id, now)


def test_a_draft_is_never_found_at_the_counter(session: Session, zhang: Citizen) -> None:
    with pytest.raises(NotFound):
        queries.find_for_counter(session, make.draft(session, zhang).number)


def test_a_passed_one_counts_for_thirty_days(session: Session, zhang: Citizen, clerk: Staff) -> None:
    """PR-9."""
    with clock.at(TUESDAY):
        prereview = make.passed(session, zhang, clerk)
    assert prereview.expires_at == datetime(2026, 12, 25, tzinfo=SHANGHAI)
    last = datetime(2026, 12, 24, 23, 59, tzinfo=SHANGHAI)
    assert queries.passed(session, prereview.id, last).expires_at == prereview.expires_at
    with pytest.raises(StateConflict):
        queries.passed(session, prereview.id, last + timedelta(minutes=1))


def test_refused_at_the_counter_is_a_finding_with_a_reason(session: Session, zhang: Citizen, clerk: Staff) -> None:
    """PR-12."""
    prereview = make.passed(session, zhang, clerk)
    with pytest.raises(InvalidInput):
        service.record_counter_refusal(session, actor=clerk, prereview_id=prereview.id, reason="")
    for _ in range(2):
        service.record_counter_refusal(session, actor=clerk, prereview_id=prereview.id, reason="申请书缺签名")
    kinds = session.scalars(select(PreReviewFinding.kind).where(PreReviewFinding.prereview_id == prereview.id)).all()
    assert kinds == [FindingKind.REFUSED_AT_COUNTER]


def test_pre_reviews_follow_a_merged_person(session: Session, zhang: Citizen, citizen: People) -> None:
    """ID-3."""
    kept, _ = citizen(level=2)
    prereview = make.submitted(session, zhang)
    event = SubjectsMerged(kept=kept.owner_id, absorbed=zhang.owner_id)
    service.move_owner(session, event)
    session.expire_all()
    assert queries.owned(session, prereview.id, kept.owner_id).acting_id == kept.subject_id
