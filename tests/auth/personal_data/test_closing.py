"""Closing an account: not while anything is open, after a time to think, and then the person is forgotten (P-4)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from auth.accounts import queries as people
from auth.accounts import service as accounts
from auth.accounts.rules import FreezeReason, SubjectState
from auth.consent import service as consent
from auth.consent.queries import texts
from auth.consent.rules import ConsentKind
from auth.delegation.models import Delegation
from auth.oidc.consents.models import OidcConsent
from auth.oidc.consents.rules import Field as OidcField
from auth.personal_data.closing import jobs, queries, service
from auth.personal_data.closing.errors import AccountInUse
from auth.personal_data.closing.models import AccountClosing
from auth.personal_data.closing.rules import State
from auth.personal_data.corrections import service as corrections
from auth.personal_data.corrections.rules import Kind
from auth.sessions.rules import Origin
from core import clock
from core.actors import System
from core.audit import AuditEntry
from core.db import transaction
from core.errors import AuthLevelTooLow, NotAuthenticated, NotFound, StateConflict
from notifications.messages.models import Message
from tests.factories import appointments, cases, oidc, payments, prereview
from tests.factories import auth as make
from tests.factories.catalogue import CITY_HALL
from tests.factories.personal_data import prove

pytestmark = pytest.mark.usefixtures("database")

OVER = timedelta(days=7, minutes=1)


def ask(actor: Any) -> UUID:
    with transaction() as session:
        return service.ask(session, actor=actor).id


def close(actor: Any) -> None:
    prove(actor)
    ask(actor)
    with clock.shift(OVER):
        jobs.close_accounts()


def state(closing_id: UUID) -> str:
    with transaction() as session:
        return session.get_one(AccountClosing, closing_id).state


def test_it_takes_a_fresh_proof_for_this_act(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=3)
    with pytest.raises(AuthLevelTooLow):
        ask(actor)
    prove(actor)
    ask(actor)
    with pytest.raises(AuthLevelTooLow):
        ask(actor)


def test_a_closed_account_is_forgotten(citizen: Callable[..., Any]) -> None:
    card, phone = make.resident_id(), make.phone_number()
    actor, _ = citizen(level=3, name="欧阳小明", document=card, phone=phone)
    subject = actor.subject_id
    with transaction() as session:
        consent.give(session, actor=actor, kind=ConsentKind.FACE, text_version=texts()[ConsentKind.FACE].version)
        draft = prereview.draft(session, actor)
        upload = prereview.upload(session, actor)
    close(actor)
    with pytest.raises(NotAuthenticated):
        make.now_of(actor)
    with transaction() as session:
        assert people.standing(session, subject).state is SubjectState.CLOSED
        assert not people.standing(session, subject).proven
        assert people.find_by_document(session, card) is None
        assert people.find_by_phone(session, phone) is None
        person = people.person(session, subject)
        assert (person.name, person.document_number, person.phone) == (None, None, None)
        counts = {
            table: session.execute(
                text(f"SELECT count(*) FROM {table} WHERE {column} = :who AND {live}"), {"who": subject}
            ).scalar_one()
            for table, column, live in (
                ("identity_evidence", "subject_id", "revoked_at IS NULL"),
                ("phone_binding", "subject_id", "ended_at IS NULL"),
                ("wechat_binding", "subject_id", "ended_at IS NULL"),
                ("citizen_session", "subject_id", "ended_at IS NULL"),
                ("consent", "subject_id", "withdrawn_at IS NULL"),
                ("message", "receiver_id", "true"),
                ("prereview", "owner_id", "state <> 'DISCARDED'"),
                ("stored_file", "owner_id", "deleted_at IS NULL"),
            )
        }
    assert counts == dict.fromkeys(counts, 0)
    assert draft.id
    assert upload.id


def test_signing_in_later_makes_a_new_person(citizen: Callable[..., Any]) -> None:
    card, phone = make.resident_id(), make.phone_number()
    actor, _ = citizen(level=3, document=card, phone=phone)
    close(actor)
    again = make.signed_in_by_phone(phone, Origin("H5"))
    assert (again.subject_id == actor.subject_id, again.level) == (False, 1)
    newcomer, _ = citizen(level=2, document=card)
    assert newcomer.subject_id != actor.subject_id
    with pytest.raises(StateConflict), transaction() as session:
        accounts.lock(session, actor.subject_id)


def test_finished_cases_are_kept_by_archive_duty(citizen: Callable[..., Any], staff: Callable[..., Any]) -> None:
    card = make.resident_id()
    actor, _ = citizen(level=3, name="张三", document=card)
    clerk, _ = staff("FRONT_CLERK", hall_id=CITY_HALL)
    with transaction() as session:
        case = cases.received(session, actor, clerk)
    prove(actor)
    with pytest.raises(AccountInUse) as refused:
        ask(actor)
    assert refused.value.extra["open_matters"] == [
        {"kind": "CASE", "number": case.number, "name": case.item_name, "state": ["已收件", "Received"]}
    ]
    with transaction() as session:
        session.execute(text("UPDATE service_case SET state = 'WITHDRAWN'"))
    ask(actor)
    with clock.shift(OVER):
        jobs.close_accounts()
    kept = cases.row(case.id)
    assert kept.owner_id == actor.subject_id
    with transaction() as session:
        assert session.get_one(type(case), case.id).applicant_document == card.number


def test_every_feature_says_what_is_open(citizen: Callable[..., Any], staff: Callable[..., Any]) -> None:
    actor, _ = citizen(level=3)
    with transaction() as session:
        prereview.submitted(session, actor)
        payments.issue(session, actor.subject_id, payments.FEE)
        corrections.request(session, actor=actor, kind=Kind.NAME, wish="错字")
    with clock.at(appointments.NOW):
        appointments.visit(actor)
    with transaction() as session:
        found = queries.prospect(session, actor.subject_id)
    assert [one.kind for one in found.open_matters] == ["PREREVIEW", "APPOINTMENT", "BILL", "CORRECTION"]
    assert all(one.number and one.name and all(one.state) for one in found.open_matters)
    assert (found.cooling_days, found.effective_at) == (7, None)


def test_the_person_can_keep_the_account(citizen: Callable[..., Any]) -> None:
    (actor, _), (other, _) = citizen(level=3), citizen(level=3)
    prove(actor)
    closing_id = ask(actor)
    with pytest.raises(NotFound), transaction() as session:
        service.call_off(session, actor=other)
    with transaction() as session:
        service.call_off(session, actor=actor)
    with clock.shift(OVER):
        jobs.close_accounts()
    assert state(closing_id) == State.CALLED_OFF
    assert make.now_of(actor).level == 3
    with transaction() as session:
        bodies = session.scalars(
            select(Message.body).where(Message.receiver_id == actor.subject_id).order_by(Message.id)
        ).all()
    assert ["已申请注销账号" in bodies[-2], "已撤回注销申请" in bodies[-1]] == [True, True]


def test_nothing_happens_before_the_time(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=3)
    prove(actor)
    closing_id = ask(actor)
    with clock.shift(timedelta(days=6, hours=23)):
        jobs.close_accounts()
        service_called_early(closing_id)
    assert state(closing_id) == State.COOLING
    assert make.now_of(actor)


def service_called_early(closing_id: UUID) -> None:
    with transaction() as session:
        service.carry_out(session, closing_id)


def test_what_was_opened_meanwhile_stops_it(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=3)
    prove(actor)
    closing_id = ask(actor)
    with transaction() as session:
        payments.issue(session, actor.subject_id, payments.FEE)
    with clock.shift(OVER):
        jobs.close_accounts()
    assert state(closing_id) == State.BLOCKED
    assert make.now_of(actor)


def test_carrying_out_twice_is_once(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=3)
    prove(actor)
    closing_id = ask(actor)
    with clock.shift(OVER):
        for _ in range(2):
            with transaction() as session:
                service.carry_out(session, closing_id)
    with transaction() as session:
        trail = session.scalar(select(func.count()).where(AuditEntry.action == "account.close"))
    assert trail == 1


def test_a_frozen_account_is_not_forgotten(citizen: Callable[..., Any]) -> None:
    """ID-12: what happened to the person is for people to look into first."""
    actor, _ = citizen(level=3)
    prove(actor)
    closing_id = ask(actor)
    with transaction() as session:
        accounts.freeze(session, actor=System("tests"), subject_id=actor.subject_id, reason=FreezeReason.DEATH)
    with clock.shift(OVER):
        jobs.close_accounts()
    assert state(closing_id) == State.BLOCKED


def test_powers_and_consents_to_other_systems_end_with_the_account(citizen: Callable[..., Any]) -> None:
    (actor, _), (agent, _) = citizen(level=3), citizen(level=2)
    site = oidc.register()
    oidc.allow(actor, site, OidcField.NAME)
    with transaction() as session:
        given, held = (
            Delegation(
                kind="MANDATE",
                principal_id=principal.subject_id,
                agent_id=other.subject_id,
                scope="ITEMS",
                scope_values=["NB-002"],
                actions=["SUBMIT"],
                valid_from=clock.now(),
                valid_until=clock.now() + timedelta(days=30),
                relation="",
                purpose="",
                evidence="E_SIGNED",
                state="ACTIVE",
                created_at=clock.now(),
                created_by="tests",
            )
            for principal, other in ((actor, agent), (agent, actor))
        )
        session.add_all([given, held])
    close(actor)
    with transaction() as session:
        states = {row.id: row.state for row in session.scalars(select(Delegation))}
        standing = session.scalar(
            select(func.count()).select_from(OidcConsent).where(OidcConsent.withdrawn_at.is_(None))
        )
    assert (states[given.id], states[held.id], standing) == ("REVOKED", "RENOUNCED", 0)
