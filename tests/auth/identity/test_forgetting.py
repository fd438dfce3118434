"""P-6: what failed, what ended, finished reviews and signals about strangers are forgotten, each by its own term."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from auth.identity import jobs, service
from auth.identity.models import IdentityEvidence
from auth.identity.ports import CheckResult
from auth.identity.reviews.models import IdentityReview
from auth.identity.rules import Result
from auth.identity.signals import jobs as signal_jobs
from auth.identity.signals.models import IdentitySignal
from core import clock
from core.db import transaction
from tests.factories.auth import resident_id
from tests.factories.identity import answer, evidence, level_of, prove
from tests.sandbox_client import Sandbox

People = Callable[..., tuple[Any, dict[str, str]]]


def count(table: Any) -> int:
    with transaction() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def forget_after(days: float) -> None:
    with clock.at(clock.now() + timedelta(days=days)):
        jobs.forget_old()


def test_what_failed_goes_and_what_counts_stays(citizen: People) -> None:
    """183 days after a failed try; the proof of name and number beside it counts on."""
    card = resident_id()
    actor, _ = citizen(level=1)
    prove(actor, answer(card, CheckResult.MISMATCH))
    prove(actor, answer(card))
    assert evidence(actor.subject_id) == [("NAME_NUMBER", "FAIL"), ("NAME_NUMBER", "PASS")]
    forget_after(182.9)
    assert len(evidence(actor.subject_id)) == 2
    forget_after(183.1)
    assert evidence(actor.subject_id) == [("NAME_NUMBER", "PASS")]
    assert level_of(actor) == 2


def test_a_proof_goes_three_years_after_its_end(citizen: People) -> None:
    """A hall's check ends after two years; name and number never do, so they stay."""
    actor, _ = citizen(level=3)
    left = 730
    with transaction() as session:
        query = select(IdentityEvidence).where(
            IdentityEvidence.subject_id == actor.subject_id, IdentityEvidence.type == "HALL"
        )
        session.scalars(query).one().expires_at = clock.now() + timedelta(days=left)
    forget_after(left + 1094)
    assert ("HALL", "PASS") in evidence(actor.subject_id)
    forget_after(left + 1096)
    assert evidence(actor.subject_id) == [("NAME_NUMBER", "PASS")]


def test_a_review_keeps_its_attempt_until_it_goes_itself(
    citizen: People, personas: dict[str, Any], run_jobs: Callable[..., None]
) -> None:
    """Waiting reviews are never forgotten, finished ones after a year; then the undecided attempt goes too."""
    actor, _ = citizen(level=1)
    asked = {key: personas["review"][key] for key in ("name", "document_type", "document_number")}
    prove(actor, service.ask(actor=actor, **asked)).insist()
    forget_after(4000)
    assert (count(IdentityReview), evidence(actor.subject_id)) == (1, [("NAME_NUMBER", "REVIEW")])
    with transaction() as session:
        review = session.scalars(select(IdentityReview)).one()
        review.state, review.finished_at, review.name, review.document_number = "UNDECIDED", clock.now(), None, None
    forget_after(364)
    assert (count(IdentityReview), evidence(actor.subject_id)) == (1, [("NAME_NUMBER", Result.REVIEW)])
    forget_after(366)
    assert (count(IdentityReview), evidence(actor.subject_id)) == (0, [])


def test_signals_about_strangers_go_and_those_applied_stay(
    citizen: People, personas: dict[str, Any], sandbox: Sandbox
) -> None:
    actor, _ = citizen(level=1)
    asked = {key: personas["li-na"][key] for key in ("name", "document_type", "document_number")}
    prove(actor, service.ask(actor=actor, **asked)).insist()
    for persona in ("old", "li-na"):
        sandbox.post("identity-authority/signal", persona=persona, kind="DEATH")
    signal_jobs.read_on()
    forget_after(89)
    assert count(IdentitySignal) == 2
    forget_after(91)
    with transaction() as session:
        assert session.scalars(select(IdentitySignal.subject_id)).all() == [actor.subject_id]
    signal_jobs.read_on()
    assert count(IdentitySignal) == 1, "the list is read on from where it was"
