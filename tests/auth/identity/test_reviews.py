"""`review` is its own state, asked about again until it is decided (ID-5)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from auth.accounts import queries as people
from auth.accounts import service as accounts
from auth.accounts.rules import FreezeReason, SubjectState
from auth.identity import service
from auth.identity.events import IdentityReviewed
from auth.identity.models import IdentityEvidence
from auth.identity.policies import queries as policies
from auth.identity.ports import CheckResult
from auth.identity.reviews import jobs as review_jobs
from auth.identity.reviews.models import IdentityReview
from auth.identity.reviews.rules import TRANSITIONS, ReviewState
from auth.identity.reviews.service import begin
from auth.sessions import service as sessions
from core import clock, db
from core.actors import Citizen
from core.db import transaction
from core.ports import PartnerUnavailable
from notifications.messages.models import Message
from tests.factories.identity import evidence, level_of, prove, subject_of
from tests.sandbox_client import Sandbox

pytestmark = pytest.mark.usefixtures("database")


def waits(actor: Citizen, person: dict[str, Any]) -> UUID:
    """Ask about somebody whom the source's people have to look at; the review."""
    asked = {key: person[key] for key in ("name", "document_type", "document_number")}
    outcome = prove(actor, service.ask(actor=actor, **asked)).insist()
    assert (outcome.result, outcome.level) == (CheckResult.REVIEW, actor.level)
    with transaction() as session:
        return session.scalars(select(IdentityReview.id).where(IdentityReview.subject_id == actor.subject_id)).one()


def state_of(review_id: UUID) -> ReviewState:
    with transaction() as session:
        row = session.get_one(IdentityReview, review_id)
        waiting = row.state == ReviewState.WAITING
        assert (row.name is not None, row.document_number is not None) == (waiting, waiting), "erased when over (2.8)"
        return ReviewState(row.state)


def templates_of(subject_id: UUID) -> set[str]:
    with transaction() as session:
        return set(session.scalars(select(Message.template).where(Message.receiver_id == subject_id)))


@pytest.mark.parametrize(
    ("outcome", "state", "level", "told"),
    [
        ("MATCH", ReviewState.PASSED, 2, "IDENTITY_REVIEW_PASSED"),
        ("MISMATCH", ReviewState.FAILED, 1, "IDENTITY_REVIEW_FAILED"),
        ("NOT_FOUND", ReviewState.FAILED, 1, "IDENTITY_REVIEW_FAILED"),
        ("EXPIRED", ReviewState.FAILED, 1, "IDENTITY_REVIEW_FAILED"),
    ],
)
def test_the_source_is_asked_again_and_the_person_told(
    citizen: Callable[..., Any],
    personas: dict[str, Any],
    sandbox: Sandbox,
    run_jobs: Callable[..., None],
    outcome: str,
    state: ReviewState,
    level: int,
    told: str,
) -> None:
    actor, _ = citizen(level=1)
    review_id = waits(actor, personas["review"])
    run_jobs()
    assert state_of(review_id) is ReviewState.WAITING, "not before it is due"
    sandbox.post("identity-authority/outcome", persona="review", outcome=outcome)
    run_jobs(all=True)
    assert state_of(review_id) is state
    assert level_of(actor) == level
    assert told in templates_of(actor.subject_id)
    review_jobs.ask_again(str(review_id))
    assert state_of(review_id) is state, "a job may run twice"
    assert len(evidence(actor.subject_id)) == 2


def test_still_in_review_is_asked_again_but_not_for_ever(
    citizen: Callable[..., Any], personas: dict[str, Any], heard: list[Any]
) -> None:
    actor, _ = citizen(level=1)
    review_id = waits(actor, personas["review"])
    tries = policies.in_force(clock.now()).review_tries
    with transaction() as session:
        before = session.scalars(
            select(IdentityEvidence.look_again_at).where(IdentityEvidence.result == "REVIEW")
        ).one()
    with clock.shift(timedelta(days=1)):
        review_jobs.ask_again(str(review_id))
    with transaction() as session:
        after = session.scalars(select(IdentityEvidence.look_again_at).where(IdentityEvidence.result == "REVIEW")).one()
    assert before is not None
    assert after is not None
    assert after - before >= timedelta(days=1), "the citizen sees when to look again"
    for _ in range(tries - 1):
        review_jobs.ask_again(str(review_id))
    assert state_of(review_id) is ReviewState.UNDECIDED
    assert [event.passed for event in heard if isinstance(event, IdentityReviewed)] == [False]
    assert level_of(actor) == 1


def test_a_source_that_is_away_changes_nothing(
    citizen: Callable[..., Any], personas: dict[str, Any], sandbox: Sandbox
) -> None:
    actor, _ = citizen(level=1)
    review_id = waits(actor, personas["review"])
    sandbox.fault("identity-authority", "error")
    with pytest.raises(PartnerUnavailable):
        review_jobs.ask_again(str(review_id))
    assert state_of(review_id) is ReviewState.WAITING
    sandbox.post("identity-authority/outcome", persona="review", outcome="MATCH")
    review_jobs.ask_again(str(review_id))
    assert level_of(actor) == 2


def test_a_long_outage_leaves_no_review_behind(
    citizen: Callable[..., Any], personas: dict[str, Any], sandbox: Sandbox, run_jobs: Callable[..., None]
) -> None:
    """The job gave up hours ago; the review is queued again, once."""
    actor, _ = citizen(level=1)
    review_id = waits(actor, personas["review"])
    with db.engine().begin() as connection:
        connection.execute(text("DELETE FROM procrastinate_jobs WHERE task_name = 'identity.ask_again'"))
    sandbox.post("identity-authority/outcome", persona="review", outcome="MATCH")
    review_jobs.ask_overdue()
    run_jobs(all=True)
    assert state_of(review_id) is ReviewState.WAITING, "not overdue yet"
    with clock.shift(timedelta(days=1, hours=3)):
        review_jobs.ask_overdue()
        review_jobs.ask_overdue()
        with db.engine().connect() as connection:
            queued = text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'identity.ask_again'")
            assert connection.execute(queued).scalar_one() == 1
        run_jobs(all=True)
    assert state_of(review_id) is ReviewState.PASSED


def test_proven_in_another_way_meanwhile(
    citizen: Callable[..., Any], personas: dict[str, Any], sandbox: Sandbox, heard: list[Any]
) -> None:
    actor, _ = citizen(level=1)
    review_id = waits(actor, personas["review"])
    sandbox.post("identity-authority/outcome", persona="review", outcome="MATCH")
    asked = {key: personas["review"][key] for key in ("name", "document_type", "document_number")}
    prove(actor, service.ask(actor=actor, **asked)).insist()
    with transaction() as session:
        assert begin(session, review_id=review_id) is None
    assert state_of(review_id) is ReviewState.OVERTAKEN
    assert not [event for event in heard if isinstance(event, IdentityReviewed)], "nothing to tell"


def test_a_review_that_passes_joins_a_known_person_restricted(
    citizen: Callable[..., Any], personas: dict[str, Any], sandbox: Sandbox
) -> None:
    """ID-3, ID-4: late answers follow the rules of prompt ones, whether or not the session is still open."""
    sandbox.post("identity-authority/outcome", persona="review", outcome="MATCH")
    known, _ = citizen(level=1)
    asked = {key: personas["review"][key] for key in ("name", "document_type", "document_number")}
    prove(known, service.ask(actor=known, **asked)).insist()
    sandbox.post("identity-authority/outcome", persona="review", outcome="REVIEW")
    (open_, _), (over, _) = citizen(level=1), citizen(level=1)
    reviews = [waits(actor, personas["review"]) for actor in (open_, over)]
    with transaction() as session:
        sessions.sign_out(session, actor=over)
    sandbox.post("identity-authority/outcome", persona="review", outcome="MATCH")
    for review_id in reviews:
        review_jobs.ask_again(str(review_id))
        assert state_of(review_id) is ReviewState.PASSED
    assert subject_of(open_) == known.subject_id
    with transaction() as session:
        for actor in (open_, over):
            assert people.standing(session, actor.subject_id).state is SubjectState.MERGED


def test_death_found_by_the_review_freezes_the_holder(
    citizen: Callable[..., Any], personas: dict[str, Any], sandbox: Sandbox
) -> None:
    (actor, _), (holder, _) = citizen(level=1), citizen(level=1)
    sandbox.post("identity-authority/outcome", persona="review", outcome="MATCH")
    asked = {key: personas["review"][key] for key in ("name", "document_type", "document_number")}
    prove(holder, service.ask(actor=holder, **asked)).insist()
    sandbox.post("identity-authority/outcome", persona="review", outcome="REVIEW")
    review_id = waits(actor, personas["review"])
    sandbox.post("identity-authority/outcome", persona="review", outcome="DECEASED")
    review_jobs.ask_again(str(review_id))
    assert state_of(review_id) is ReviewState.FAILED
    with transaction() as session:
        assert people.standing(session, holder.subject_id).state is SubjectState.FROZEN
        assert people.standing(session, actor.subject_id).state is SubjectState.ACTIVE


def test_a_frozen_account_is_raised_by_no_review(
    citizen: Callable[..., Any], personas: dict[str, Any], sandbox: Sandbox
) -> None:
    actor, _ = citizen(level=1)
    review_id = waits(actor, personas["review"])
    with transaction() as session:
        accounts.freeze(session, actor=actor, subject_id=actor.subject_id, reason=FreezeReason.FRAUD)
    sandbox.post("identity-authority/outcome", persona="review", outcome="MATCH")
    review_jobs.ask_again(str(review_id))
    assert state_of(review_id) is ReviewState.UNDECIDED
    assert evidence(actor.subject_id) == [("NAME_NUMBER", "REVIEW")]


@pytest.mark.parametrize("before", ReviewState)
@pytest.mark.parametrize("after", ReviewState)
def test_only_a_waiting_review_is_decided(before: ReviewState, after: ReviewState) -> None:
    assert (after in TRANSITIONS[before]) == (before is ReviewState.WAITING and after is not ReviewState.WAITING)
