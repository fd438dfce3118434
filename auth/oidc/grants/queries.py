"""Reads of grants, and what a client is told of a person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.accounts import queries as accounts
from auth.oidc.clients import queries as clients
from auth.oidc.clients.queries import Client
from auth.oidc.consents import queries as consents
from auth.oidc.consents.rules import Field, fields_of
from auth.oidc.grants import rules
from auth.oidc.grants.models import OidcGrant, OidcSignOn, OidcSubject, OidcToken
from auth.oidc.grants.rules import TokenKind
from auth.sessions import queries as sessions
from auth.sessions.queries import Live


@dataclass(frozen=True, slots=True)
class Standing:
    """A grant that is good now: its client is active, its person not frozen, its session open and still that person's."""

    grant_id: UUID
    sid: UUID
    client: Client
    sub: str
    live: Live
    scopes: tuple[str, ...]
    level: int
    auth_time: datetime
    amr: tuple[str, ...]
    nonce: str | None
    redirect_uri: str
    code_challenge: str


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a standing grant."""

    id: UUID
    kind: TokenKind
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    standing: Standing


@dataclass(frozen=True, slots=True)
class Over:
    """A sign-on that is over: whose client, and what it calls the person."""

    client_key: UUID
    sub: str


def standing(session: Session, grant_id: UUID) -> Standing | None:
    """The grant, if it is good now."""
    row = session.execute(
        select(OidcGrant, OidcSignOn)
        .join(OidcSignOn, OidcSignOn.id == OidcGrant.sign_on_id)
        .where(OidcGrant.id == grant_id, OidcGrant.revoked_at.is_(None), OidcSignOn.ended_at.is_(None))
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        return None
    grant, sign_on = row
    client = clients.active(session, sign_on.client_key)
    live = sessions.live(session, sign_on.session_id)
    if client is None or live is None or live.subject_id != sign_on.subject_id:
        return None
    return Standing(
        grant_id=grant.id,
        sid=sign_on.id,
        client=client,
        sub=sign_on.sub,
        live=live,
        scopes=tuple(grant.scopes),
        level=grant.level,
        auth_time=grant.auth_time,
        amr=tuple(grant.amr),
        nonce=grant.nonce,
        redirect_uri=grant.redirect_uri,
        code_challenge=grant.code_challenge,
    )


def token(session: Session, value: str, *, now: datetime) -> Token | None:
    """The access token, or the unused refresh token, `value`, if it and its grant are good now."""
    row = session.scalar(
        select(OidcToken).where(
            OidcToken.token_hash == rules.token_hash(value), OidcToken.expires_at > now, OidcToken.used_at.is_(None)
        )
    )
    found = None if row is None else standing(session, row.grant_id)
    if row is None or found is None:
        return None
    return Token(row.id, TokenKind(row.kind), tuple(row.scopes), row.created_at, row.expires_at, found)


def level_now(found: Standing) -> int:
    """The level that a client is told again: that of the sign-in, or a lower one if evidence has fallen away since."""
    return min(found.level, found.live.level)


def hinted(session: Session, *, client: Client, sub: str, subject_id: UUID) -> bool:
    """Whether `sub` is what this client knows the person by, or knew before two subjects turned out to be one."""
    if sub_in(session, sector=client.sector, subject_id=subject_id) == sub:
        return True
    known = select(OidcSignOn.id).where(
        OidcSignOn.client_key == client.id, OidcSignOn.sub == sub, OidcSignOn.subject_id == subject_id
    )
    return session.scalar(known.limit(1)) is not None


def ended(session: Session, sid: UUID) -> Over | None:
    """A sign-on that is over and whose client hasn't taken our logout token yet, or None."""
    row = session.get(OidcSignOn, sid, populate_existing=True)
    if row is None or row.ended_at is None or row.told_at is not None:
        return None
    return Over(row.client_key, row.sub)


def session_of(session: Session, sid: UUID) -> UUID | None:
    """The citizen session in which the sign-on `sid` was made, over or not."""
    return session.scalar(select(OidcSignOn.session_id).where(OidcSignOn.id == sid))


def userinfo(session: Session, found: Token) -> dict[str, object]:
    """The claims about the person of an access token, by its scopes (ID-7)."""
    who = found.standing
    return claims_for(session, client=who.client, live=who.live, sub=who.sub, scopes=found.scopes)


def claims_for(session: Session, *, client: Client, live: Live, sub: str, scopes: Iterable[str]) -> dict[str, object]:
    """What a client is told of a person: by scope, and of those fields only what the person consented to (ID-7)."""
    claims: dict[str, object] = {"sub": sub}
    given = consents.standing(session, subject_id=live.subject_id, client_key=client.id)
    allowed = set(given.fields) if given is not None else set()
    shown = {field for field in fields_of(scopes) if field in allowed}
    if Field.LEVEL in shown:
        claims[Field.LEVEL.value] = live.level
    if shown - {Field.LEVEL}:
        claims.update(_personal(session, live, shown))
    return claims


def _personal(session: Session, live: Live, shown: set[Field]) -> dict[str, object]:
    person = accounts.person(session, live.subject_id)
    named = live.level >= rules.LEVEL_FOR_NAME
    claims: dict[str, object] = {}
    # The phone of a restricted session's subject may be somebody else's.
    if Field.PHONE in shown and person.phone is not None and (named or not live.restricted):
        claims |= {"phone_number": person.phone, "phone_number_verified": True}
    if not named:
        return claims
    if Field.NAME in shown and person.name is not None:
        claims[Field.NAME.value] = person.name
    if Field.BIRTH_DATE in shown and person.birth_date is not None:
        claims[Field.BIRTH_DATE.value] = person.birth_date.isoformat()
    if Field.DOCUMENT_TYPE in shown and person.document_type is not None:
        claims[Field.DOCUMENT_TYPE.value] = person.document_type.value
    if Field.DOCUMENT_NUMBER in shown and person.document_number is not None:
        claims[Field.DOCUMENT_NUMBER.value] = person.document_number
    return claims


def sub_in(session: Session, *, sector: str, subject_id: UUID) -> str | None:
    """The pseudonym of a person in a sector, if it has one."""
    return session.scalar(
        select(OidcSubject.sub).where(OidcSubject.sector == sector, OidcSubject.subject_id == subject_id)
    )
