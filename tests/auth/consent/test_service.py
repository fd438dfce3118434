"""Separate consents (P-1, P-2)."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from auth.accounts import service as accounts
from auth.consent import queries, service
from auth.consent.models import Consent
from auth.consent.rules import TEXTS, ConsentKind
from core import clock
from core.actors import System
from core.audit import AuditEntry
from core.db import transaction
from core.errors import NotFound, StateConflict

pytestmark = pytest.mark.usefixtures("database")

FACE = ConsentKind.FACE


def give(actor: Any, kind: ConsentKind = FACE) -> None:
    with transaction() as session:
        service.give(session, actor=actor, kind=kind, text_version=TEXTS[kind])


def rows() -> int:
    with transaction() as session:
        return session.scalar(select(func.count()).select_from(Consent)) or 0


def test_every_kind_has_a_text() -> None:
    assert set(TEXTS) == set(ConsentKind)


def test_giving_twice_is_one_consent(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=1)
    give(actor)
    give(actor)
    assert rows() == 1
    with transaction() as session:
        assert queries.has_given(session, actor.subject_id, FACE)
        assert not queries.has_given(session, actor.subject_id, ConsentKind.HEALTH)
        (face,) = [s for s in queries.standing(session, actor.subject_id) if s.kind is FACE]
        assert (face.given_version, face.text_version) == (TEXTS[FACE], TEXTS[FACE])
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
            Consent(subject_id=actor.subject_id, kind=FACE, text_version="old", channel="APP", given_at=clock.now())
        )
    with transaction() as session:
        assert not queries.has_given(session, actor.subject_id, FACE)
    give(actor)
    with transaction() as session:
        assert queries.has_given(session, actor.subject_id, FACE)
        standing = session.scalars(select(Consent.text_version).where(Consent.withdrawn_at.is_(None))).all()
    assert standing == [TEXTS[FACE]]


def test_the_database_allows_one_standing_consent_of_a_kind(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=1)
    give(actor)
    with pytest.raises(IntegrityError, match="uq_consent_standing"), transaction() as session:
        session.add(
            Consent(subject_id=actor.subject_id, kind=FACE, text_version="x", channel="APP", given_at=clock.now())
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
