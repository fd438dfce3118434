"""Giving and withdrawing consent. The session is given; nothing here commits."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session, aliased

from auth.accounts import service as accounts
from auth.accounts.events import SubjectsMerged
from auth.consent import queries, rules
from auth.consent.errors import ConsentRequired
from auth.consent.models import Consent
from auth.consent.rules import ConsentKind
from auth.delegation import queries as delegation
from auth.delegation.errors import GuardianRequired
from auth.sessions.events import SessionEnded
from core import audit, clock
from core.actors import Actor, Capacity, Citizen
from core.db import transaction
from core.errors import DelegationOutOfScope, NotFound, StateConflict

_KIOSK = "KIOSK"


def give(session: Session, *, actor: Citizen, kind: ConsentKind, text_version: str) -> Sequence[queries.Standing]:
    """Consent to the text in force; what stands afterwards.

    A guardian who acts for a child consents for that child. At a kiosk a consent holds for the session only.
    Raises `StateConflict` for a text that is no longer shown, `GuardianRequired` when the person is under fourteen.
    """
    _insist_on_guardian(actor)
    shown = queries.texts().get(kind)
    if shown is None or text_version != shown.version:
        raise StateConflict()
    subject_id = actor.owner_id
    accounts.lock(session, subject_id)
    _refuse_children(session, actor, kind)
    if not queries.has_given(session, subject_id, kind, session_id=actor.session_id):
        _end(session, subject_id, kind)
        session.add(
            Consent(
                subject_id=subject_id,
                given_by=actor.subject_id,
                kind=kind,
                text_version=text_version,
                channel=actor.channel,
                session_id=actor.session_id if actor.channel == _KIOSK else None,
                given_at=clock.now(),
            )
        )
        session.flush()
        _record(session, actor, "consent.give", kind, subject_id)
    return queries.standing(session, subject_id, session_id=actor.session_id)


def _insist_on_guardian(actor: Citizen) -> None:
    """Nobody but a guardian consents for another (PIPL 31). Raises `DelegationOutOfScope`."""
    if actor.on_behalf_of is not None and actor.acted_by is not Capacity.GUARDIAN:
        raise DelegationOutOfScope()


def _refuse_children(session: Session, actor: Citizen, kind: ConsentKind) -> None:
    """PIPL 31: a guardian consents for a child, and the guardian's own consent is none of a child's."""
    born_on = delegation.birth_date(session, actor.owner_id, clock.now())
    child = rules.guardian_decides(born_on, clock.today())
    by_itself = actor.owner_id == actor.subject_id
    if child and by_itself:
        raise GuardianRequired()
    if kind is ConsentKind.MINOR and not child:
        raise StateConflict()


def withdraw(session: Session, *, actor: Citizen, kind: str) -> None:
    """Take a consent back. Raises `NotFound` when none of this kind stands, or there is no such kind."""
    _insist_on_guardian(actor)
    if kind not in ConsentKind.__members__ or not _end(session, actor.owner_id, ConsentKind(kind)):
        raise NotFound()
    _record(session, actor, "consent.withdraw", ConsentKind(kind), actor.owner_id)


def withdraw_all(session: Session, *, actor: Actor, subject_id: UUID) -> None:
    """The account is closed: no consent of the person stands any longer."""
    for kind in ConsentKind:
        if _end(session, subject_id, kind):
            _record(session, actor, "consent.withdraw", kind, subject_id)


def insist(session: Session, *, actor: Citizen, kind: ConsentKind) -> None:
    """Raises `ConsentRequired`, with the text to show, unless the consent that `actor`'s act needs stands."""
    if queries.stands_for(session, actor, kind):
        return
    shown = queries.texts()[kind]
    raise ConsentRequired(
        extra={
            "kind": kind.value,
            "text_version": shown.version,
            "text": f"/api/v1/consent-texts/{kind.value}/{shown.version}",
        },
        title_zh=shown.zh.title,
        title_en=shown.en.title,
    )


class ConsentDesk:
    """What `core.web.consent` asks, in a transaction of its own before the view."""

    def insist(self, actor: Citizen, kind: str) -> None:
        """Raises `ConsentRequired` unless the consent of `kind` stands."""
        with transaction() as session:
            insist(session, actor=actor, kind=ConsentKind(kind))


def on_session_ended(session: Session, event: SessionEnded) -> None:
    """What was agreed to at a kiosk ends with the session there."""
    session.execute(
        update(Consent)
        .where(Consent.session_id == event.session_id, Consent.withdrawn_at.is_(None))
        .values(withdrawn_at=clock.now())
    )


def move_owner(session: Session, event: SubjectsMerged) -> None:
    """The absorbed subject's consents are the kept one's; where both stand, the kept one's goes on."""
    theirs = aliased(Consent)
    kept = select(theirs.kind).where(theirs.subject_id == event.kept, theirs.withdrawn_at.is_(None))
    session.execute(
        update(Consent)
        .where(Consent.subject_id == event.absorbed, Consent.withdrawn_at.is_(None), Consent.kind.in_(kept))
        .values(withdrawn_at=clock.now())
    )
    for column in (Consent.subject_id, Consent.given_by):
        session.execute(update(Consent).where(column == event.absorbed).values({column.key: event.kept}))


def _end(session: Session, subject_id: UUID, kind: ConsentKind) -> bool:
    ended = session.scalar(
        update(Consent)
        .where(Consent.subject_id == subject_id, Consent.kind == kind, Consent.withdrawn_at.is_(None))
        .values(withdrawn_at=clock.now())
        .returning(Consent.id)
    )
    return ended is not None


def _record(session: Session, actor: Actor, action: str, kind: ConsentKind, subject_id: UUID) -> None:
    audit.record(session, actor=actor, action=action, object_type="subject", object_id=subject_id, kind=kind.value)
