"""Giving and withdrawing consent. The session is given; nothing here commits."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session, aliased

from auth.accounts import service as accounts
from auth.accounts.events import SubjectsMerged
from auth.oidc.consents import queries, rules
from auth.oidc.consents.events import ConsentWithdrawn
from auth.oidc.consents.models import OidcConsent
from auth.oidc.consents.rules import Field
from core import audit, clock, events
from core.actors import Citizen
from core.errors import NotFound


def missing(session: Session, *, subject_id: UUID, client_key: UUID, fields: Iterable[Field]) -> tuple[Field, ...]:
    """What of `fields` the person hasn't let this client see."""
    found = queries.standing(session, subject_id=subject_id, client_key=client_key)
    return rules.missing(fields, found.fields if found else (), found.text_version if found else None)


def give(
    session: Session, *, actor: Citizen, client_key: UUID, client_id: str, fields: Iterable[Field], now: datetime
) -> None:
    """Let a client see `fields`, beside what it may see already under the same text."""
    accounts.lock(session, actor.subject_id)
    found = queries.standing(session, subject_id=actor.subject_id, client_key=client_key)
    wanted = tuple(fields)
    kept = found.fields if found is not None and found.text_version == rules.TEXT_VERSION else []
    if found is not None and not rules.missing(wanted, found.fields, found.text_version):
        return
    if found is not None:
        found.withdrawn_at = now
        session.flush()
    given = [field.value for field in Field if field in wanted or field in kept]
    session.add(
        OidcConsent(
            subject_id=actor.subject_id,
            client_key=client_key,
            fields=given,
            text_version=rules.TEXT_VERSION,
            given_at=now,
        )
    )
    session.flush()
    _record(session, actor, "oidc_consent.give", client_id, " ".join(given))


def withdraw(session: Session, *, actor: Citizen, consent_id: UUID) -> None:
    """Take a consent back; the client's tokens die and it is told. Raises `NotFound`."""
    client_key = session.scalar(
        update(OidcConsent)
        .where(
            OidcConsent.id == consent_id,
            OidcConsent.subject_id == actor.subject_id,
            OidcConsent.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=clock.wall())
        .returning(OidcConsent.client_key)
    )
    if client_key is None:
        raise NotFound()
    _record(session, actor, "oidc_consent.withdraw", str(client_key), "")
    events.publish(session, ConsentWithdrawn(actor.subject_id, client_key))


def move_owner(session: Session, event: SubjectsMerged) -> None:
    """The absorbed subject's consents are the kept one's; where both stand, the kept one's goes on."""
    theirs = aliased(OidcConsent)
    kept = select(theirs.client_key).where(theirs.subject_id == event.kept, theirs.withdrawn_at.is_(None))
    session.execute(
        update(OidcConsent)
        .where(
            OidcConsent.subject_id == event.absorbed,
            OidcConsent.withdrawn_at.is_(None),
            OidcConsent.client_key.in_(kept),
        )
        .values(withdrawn_at=clock.wall())
    )
    session.execute(update(OidcConsent).where(OidcConsent.subject_id == event.absorbed).values(subject_id=event.kept))


def _record(session: Session, actor: Citizen, action: str, client: str, fields: str) -> None:
    audit.record(
        session, actor=actor, action=action, object_type="oidc_client", object_id=client, fields=fields or None
    )
