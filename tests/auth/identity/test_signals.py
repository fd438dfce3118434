"""Signals of the source freeze the subject, end its sessions, and hand open cases to a person (ID-12)."""

import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from auth.accounts import queries as people
from auth.accounts.errors import SecondPersonNeeded
from auth.accounts.events import SubjectFrozen
from auth.accounts.freezing import queries
from auth.accounts.freezing import service as freezing
from auth.accounts.models import SubjectFreeze
from auth.accounts.rules import FreezeReason, SubjectState
from auth.identity import service
from auth.identity.signals import jobs
from auth.identity.signals.models import IdentitySignal
from auth.identity.signals.service import cursor
from core.actors import Staff
from core.audit import AuditEntry
from core.db import transaction
from core.errors import NotAuthenticated, NotFound, StateConflict
from core.ports import PartnerUnavailable
from tests.factories.identity import level_of, prove
from tests.sandbox_client import Sandbox

pytestmark = pytest.mark.usefixtures("database")

SECURITY = Staff(uuid4(), uuid4(), frozenset({"SECURITY_ADMIN"}))
SUPERVISOR = Staff(uuid4(), uuid4(), frozenset({"SUPERVISOR"}))


@pytest.fixture
def person(citizen: Callable[..., Any], personas: dict[str, Any]) -> tuple[Any, dict[str, str]]:
    actor, headers = citizen(level=1)
    asked = {key: personas["li-na"][key] for key in ("name", "document_type", "document_number")}
    prove(actor, service.ask(actor=actor, **asked)).insist()
    return actor, headers


def states() -> list[str]:
    with transaction() as session:
        return list(session.scalars(select(IdentitySignal.state).order_by(IdentitySignal.id)))


@pytest.mark.parametrize("kind", ["DEATH", "INCAPACITY", "CANCELLED", "FRAUD"])
def test_a_signal_freezes_and_signs_out_at_once(
    client: FlaskClient, person: Any, sandbox: Sandbox, heard: list[Any], kind: str
) -> None:
    actor, headers = person
    assert client.get("/api/v1/account", headers=headers).status_code == 200
    sandbox.post("identity-authority/signal", persona="li-na", kind=kind)
    jobs.read_on()
    done = time.monotonic()
    while client.get("/api/v1/account", headers=headers).status_code != 401:
        assert time.monotonic() - done < 1.0, "sessions end within a second"
    assert [event for event in heard if isinstance(event, SubjectFrozen)] == [
        SubjectFrozen(actor.subject_id, FreezeReason(kind))
    ]
    with transaction() as session:
        assert people.standing(session, actor.subject_id).state is SubjectState.FROZEN
        freeze = session.scalars(select(SubjectFreeze)).one()
        assert (freeze.reason, freeze.frozen_by) == (kind, "system:identity-signal")
    assert states() == ["APPLIED"]


def test_each_signal_counts_once_and_unknown_people_are_passed_over(person: Any, sandbox: Sandbox) -> None:
    """Twice under one number, twice about one person, about people nobody here knows; and the list is read on."""
    actor, _ = person
    sandbox.post("identity-authority/signal", persona="old", kind="DEATH")
    for _ in range(2):
        sandbox.post("identity-authority/signal", persona="li-na", kind="DEATH", signal_id="SIG-1")
    sandbox.post("identity-authority/signal", persona="li-na", kind="CANCELLED")
    jobs.read_on()
    assert states() == ["UNKNOWN_HERE", "APPLIED", "FROZEN_BEFORE"]
    jobs.read_on()
    assert len(states()) == 3
    calls = sandbox.get("calls.json", partner="identity-authority")["calls"]
    assert [call["path"] for call in calls[:2]] == ["/identity-authority/v1/signals"] * 2
    with transaction() as session:
        assert cursor(session) == "4"
        stored = session.scalars(select(IdentitySignal)).all()
        assert {row.subject_id for row in stored} == {actor.subject_id, None}


@pytest.mark.parametrize("kind", ["error", "garbage", "wrong_signature", "drop_response_after_effect"])
def test_a_list_that_cannot_be_trusted_changes_nothing(person: Any, sandbox: Sandbox, kind: str) -> None:
    actor, _ = person
    sandbox.post("identity-authority/signal", persona="li-na", kind="DEATH")
    sandbox.fault("identity-authority", kind, path="signals")
    with pytest.raises(PartnerUnavailable):
        jobs.read_on()
    assert level_of(actor) == 2
    assert states() == []
    jobs.read_on()
    with pytest.raises(NotAuthenticated):
        level_of(actor)


def test_a_signal_that_cannot_be_read_stops_the_list(person: Any, sandbox: Sandbox) -> None:
    """None is ever passed over: the list is tried again until the source or we are mended."""
    sandbox.post("identity-authority/signal", document_type="111", document_number="12", kind="DEATH")
    sandbox.post("identity-authority/signal", persona="li-na", kind="DEATH")
    with pytest.raises(PartnerUnavailable):
        jobs.read_on()
    assert states() == []


def test_the_job_waits_for_a_source_that_is_away(
    person: Any, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    actor, _ = person
    sandbox.post("identity-authority/signal", persona="li-na", kind="DEATH")
    sandbox.fault("identity-authority", "error", path="signals")
    jobs.pull_signals()
    assert "can't be read" in caplog.text
    assert level_of(actor) == 2
    jobs.pull_signals()
    assert states() == ["APPLIED"]


# Going on again takes two people ----------------------------------------------------------------------------------------


def frozen(person: Any, sandbox: Sandbox) -> Any:
    sandbox.post("identity-authority/signal", persona="li-na", kind="FRAUD")
    jobs.read_on()
    with transaction() as session:
        return session.scalars(select(SubjectFreeze.id)).one()


def test_a_freeze_is_lifted_by_two_people(person: Any, sandbox: Sandbox) -> None:
    actor, _ = person
    freeze_id = frozen(person, sandbox)
    with pytest.raises(StateConflict), transaction() as session:
        freezing.lift(session, actor=SUPERVISOR, freeze_id=freeze_id)
    with transaction() as session:
        freezing.propose_lift(session, actor=SECURITY, freeze_id=freeze_id, reason="误报，已核实")
        assert people.standing(session, actor.subject_id).state is SubjectState.FROZEN
    both = Staff(SECURITY.staff_id, uuid4(), frozenset({"SUPERVISOR", "SECURITY_ADMIN"}))
    with pytest.raises(SecondPersonNeeded), transaction() as session:
        freezing.lift(session, actor=both, freeze_id=freeze_id)
    with transaction() as session:
        freezing.lift(session, actor=SUPERVISOR, freeze_id=freeze_id)
        assert people.standing(session, actor.subject_id).state is SubjectState.ACTIVE
        actions = session.scalars(select(AuditEntry.action).where(AuditEntry.action.like("account.%freeze%")))
        assert set(actions) == {"account.freeze", "account.propose_unfreeze", "account.unfreeze"}
    with pytest.raises(NotAuthenticated):
        level_of(actor)
    with pytest.raises(StateConflict), transaction() as session:
        freezing.lift(session, actor=SUPERVISOR, freeze_id=freeze_id)


def test_a_death_outranks_an_earlier_reason_once(person: Any, sandbox: Sandbox, heard: list[Any]) -> None:
    """Whoever meant to lift the earlier freeze has to think again; no other reason is noted over a death."""
    actor, _ = person
    freeze_id = frozen(person, sandbox)
    with transaction() as session:
        freezing.propose_lift(session, actor=SECURITY, freeze_id=freeze_id, reason="误报")
    for kind in ("DEATH", "DEATH", "CANCELLED"):
        sandbox.post("identity-authority/signal", persona="li-na", kind=kind)
    jobs.read_on()
    assert states() == ["APPLIED", "FROZEN_BEFORE", "FROZEN_BEFORE", "FROZEN_BEFORE"]
    assert [event.reason for event in heard if isinstance(event, SubjectFrozen)] == ["FRAUD", "DEATH"]
    with transaction() as session:
        freeze = session.scalars(select(SubjectFreeze)).one()
        assert (freeze.id, freeze.reason, freeze.lift_proposed_by) == (freeze_id, "DEATH", None)
        assert queries.standing_freeze(session, actor.subject_id) == queries.Freeze(freeze_id, FreezeReason.DEATH)
    with pytest.raises(StateConflict), transaction() as session:
        freezing.lift(session, actor=SUPERVISOR, freeze_id=freeze_id)


def test_a_lifted_freeze_can_be_followed_by_another(person: Any, sandbox: Sandbox) -> None:
    freeze_id = frozen(person, sandbox)
    with transaction() as session:
        freezing.propose_lift(session, actor=SECURITY, freeze_id=freeze_id, reason="误报")
        freezing.lift(session, actor=SUPERVISOR, freeze_id=freeze_id)
    sandbox.post("identity-authority/signal", persona="li-na", kind="DEATH")
    jobs.read_on()
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(SubjectFreeze)) == 2
        assert [row.reason for row in queries.standing_freezes(session, {"limit": 10}).items] == ["DEATH"]


def test_an_unknown_freeze(person: Any) -> None:
    with pytest.raises(NotFound), transaction() as session:
        freezing.propose_lift(session, actor=SECURITY, freeze_id=uuid4(), reason="x")
