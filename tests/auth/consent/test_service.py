"""Separate consents (P-1, P-2)."""

import dataclasses
import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask, g
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from auth.accounts import service as accounts
from auth.consent import queries, service
from auth.consent.errors import ConsentRequired
from auth.consent.models import Consent
from auth.consent.rules import ConsentKind
from auth.delegation.errors import GuardianRequired
from auth.sessions import service as sessions
from core import clock
from core.actors import Acting, Action, Capacity, System
from core.audit import AuditEntry
from core.db import transaction
from core.errors import DelegationOutOfScope, NotFound, StateConflict
from core.identifiers import DocumentNumber, DocumentType, normalise_document
from core.identifiers.documents import check_character
from core.web.consent import needed

pytestmark = pytest.mark.usefixtures("database")

FACE = ConsentKind.FACE


def give(actor: Any, kind: ConsentKind = FACE) -> None:
    with transaction() as session:
        service.give(session, actor=actor, kind=kind, text_version=queries.texts()[kind].version)


def rows() -> int:
    with transaction() as session:
        return session.scalar(select(func.count()).select_from(Consent)) or 0


def test_every_kind_has_a_text() -> None:
    assert set(queries.texts()) == set(ConsentKind)


def test_giving_twice_is_one_consent(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=1)
    give(actor)
    give(actor)
    assert rows() == 1
    with transaction() as session:
        assert queries.has_given(session, actor.subject_id, FACE)
        assert not queries.has_given(session, actor.subject_id, ConsentKind.HEALTH)
        (face,) = [s for s in queries.standing(session, actor.subject_id) if s.kind is FACE]
        assert (face.given_version, face.text_version) == (queries.texts()[FACE].version, queries.texts()[FACE].version)
        assert session.scalars(select(AuditEntry.action)).all().count("consent.give") == 1


def test_giving_at_once_from_two_devices_is_one_consent(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=1)
    threads = [threading.Thread(target=give, args=(actor,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rows() == 1


def test_withdrawing_keeps_the_history(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=1)
    give(actor)
    with transaction() as session:
        service.withdraw(session, actor=actor, kind="FACE")
        assert not queries.has_given(session, actor.subject_id, FACE)
        for kind in ("FACE", "NONSENSE"):
            with pytest.raises(NotFound):
                service.withdraw(session, actor=actor, kind=kind)
    give(actor)
    assert rows() == 2


def test_a_text_that_is_no_longer_shown_is_refused(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=1)
    with pytest.raises(StateConflict), transaction() as session:
        service.give(session, actor=actor, kind=FACE, text_version="2019-01")


def test_consent_to_an_older_text_does_not_count(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=1)
    with transaction() as session:
        session.add(
            Consent(
                subject_id=actor.subject_id,
                given_by=actor.subject_id,
                kind=FACE,
                text_version="old",
                channel="APP",
                given_at=clock.now(),
            )
        )
    with transaction() as session:
        assert not queries.has_given(session, actor.subject_id, FACE)
    give(actor)
    with transaction() as session:
        assert queries.has_given(session, actor.subject_id, FACE)
        standing = session.scalars(select(Consent.text_version).where(Consent.withdrawn_at.is_(None))).all()
    assert standing == [queries.texts()[FACE].version]


def test_the_database_allows_one_standing_consent_of_a_kind(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=1)
    give(actor)
    with pytest.raises(IntegrityError, match="uq_consent_standing"), transaction() as session:
        session.add(
            Consent(
                subject_id=actor.subject_id,
                given_by=actor.subject_id,
                kind=FACE,
                text_version="x",
                channel="APP",
                given_at=clock.now(),
            )
        )


def test_consents_follow_a_merge_and_none_stands_twice(citizen: Callable[..., Any]) -> None:
    (kept, _), (absorbed, _) = citizen(level=2), citizen(level=1)
    give(kept)
    give(absorbed)
    give(absorbed, ConsentKind.LOCATION)
    with transaction() as session:
        accounts.merge(
            session,
            actor=System("test"),
            kept=kept.subject_id,
            absorbed=absorbed.subject_id,
            proofs_since=None,
        )
    with transaction() as session:
        given = {s.kind for s in queries.standing(session, kept.subject_id) if s.given_version}
    assert given == {FACE, ConsentKind.LOCATION}
    assert rows() == 3


def child() -> DocumentNumber:
    """The card of somebody who is ten."""
    seventeen = f"330299{clock.today().year - 10}0101123"
    return normalise_document(DocumentType.RESIDENT_ID, seventeen + check_character(seventeen))


def test_a_child_does_not_consent_alone(citizen: Callable[..., Any]) -> None:
    """PIPL 31: the guardian consents, and it is written down who."""
    kid, _ = citizen(level=2, name="小明", document=child())
    parent, _ = citizen(level=2)
    with pytest.raises(GuardianRequired):
        give(kid, ConsentKind.HEALTH)
    grant = Acting(uuid4(), Capacity.GUARDIAN, frozenset(Action), "ALL", needs_minor_consent=True)
    acting = dataclasses.replace(parent, on_behalf_of=kid.subject_id, acting=grant)
    for kind in (ConsentKind.HEALTH, ConsentKind.MINOR):
        give(acting, kind)
    with transaction() as session:
        rows = {row.kind: row for row in queries.history(session, kid.subject_id)}
        assert {row.given_by for row in rows.values()} == {parent.subject_id}
        assert queries.stands_for(session, acting, ConsentKind.MINOR)
        assert not queries.stands_for(session, parent, ConsentKind.HEALTH)
    with transaction() as session:
        service.withdraw(session, actor=acting, kind="MINOR")
        assert not queries.stands_for(session, acting, ConsentKind.MINOR)
    with pytest.raises(StateConflict):
        give(parent, ConsentKind.MINOR)
    agent = dataclasses.replace(acting, acting=dataclasses.replace(grant, capacity=Capacity.AGENT))
    with pytest.raises(DelegationOutOfScope):
        give(agent, ConsentKind.HEALTH)


def test_a_kiosk_remembers_nothing(citizen: Callable[..., Any]) -> None:
    at_kiosk, _ = citizen(level=1, channel="KIOSK")
    at_home = dataclasses.replace(at_kiosk, session_id=uuid4(), channel="APP")
    give(at_kiosk)
    with transaction() as session:
        assert queries.stands_for(session, at_kiosk, FACE)
        assert not queries.stands_for(session, at_home, FACE)
        sessions.sign_out(session, actor=at_kiosk)
    with transaction() as session:
        assert not queries.stands_for(session, at_kiosk, FACE)
    give(at_home)
    with transaction() as session:
        assert queries.stands_for(session, at_home, FACE)


def test_an_act_that_needs_a_consent_says_which(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=1)
    with pytest.raises(ConsentRequired) as refused, transaction() as session:
        service.insist(session, actor=actor, kind=FACE)
    version = queries.texts()[FACE].version
    assert refused.value.extra == {
        "kind": "FACE",
        "text_version": version,
        "text": f"/api/v1/consent-texts/FACE/{version}",
    }
    assert "人脸核验单独同意书" in refused.value.sentence("zh")
    give(actor)
    with transaction() as session:
        service.insist(session, actor=actor, kind=FACE)


def test_a_route_declares_the_consent_it_needs(app: Flask, citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=1)

    @needed("LOCATION")
    def near_me() -> str:
        return "halls"

    with app.test_request_context():
        g.actor = actor
        with pytest.raises(ConsentRequired):
            near_me()
        give(actor, ConsentKind.LOCATION)
        assert near_me() == "halls"
