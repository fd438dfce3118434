"""Making, exchanging and revoking what was granted. The session is given; nothing here commits.

What must be recorded although it is refused (a code or token used twice) is returned as None, not raised: a raise would undo it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from auth.accounts.events import SubjectsMerged
from auth.oidc.clients.queries import Client
from auth.oidc.grants import queries, rules
from auth.oidc.grants.models import OidcGrant, OidcSignOn, OidcSubject, OidcToken
from auth.oidc.grants.queries import Standing, Token
from auth.oidc.grants.rules import RevokeReason, TokenKind
from auth.sessions.queries import Live
from core import audit, clock, ids
from core.actors import Actor, Partner

_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Granted:
    """A grant and the code that carries it to the client; the code is shown this once."""

    grant_id: UUID
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What an authorization request asked for, as far as the grant is concerned."""

    redirect_uri: str
    code_challenge: str
    nonce: str | None
    scopes: Sequence[str]
    level: int
    auth_time: datetime
    amr: Sequence[str]


@dataclass(frozen=True, slots=True)
class Ended:
    """A client's sign-on that is over."""

    sid: UUID
    client_key: UUID


@dataclass(frozen=True, slots=True)
class SignOn:
    """A client's sign-on in a session: its `sid`, and what it calls the person."""

    sid: UUID
    sub: str


def grant(session: Session, *, client: Client, live: Live, wish: Wish, now: datetime) -> Granted:
    """Grant what a person agreed to, for the client to fetch with a code within 60 s."""
    sign_on_id = _sign_on(session, client, live, now)
    code = ids.random_token(256)
    row = OidcGrant(
        sign_on_id=sign_on_id,
        redirect_uri=wish.redirect_uri,
        code_hash=rules.token_hash(code),
        code_challenge=wish.code_challenge,
        code_expires_at=now + rules.CODE_LASTS,
        nonce=wish.nonce,
        scopes=list(wish.scopes),
        level=wish.level,
        auth_time=wish.auth_time,
        amr=list(wish.amr),
        created_at=now,
    )
    session.add(row)
    session.flush()
    audit.record(
        session,
        actor=live.actor,
        action="oidc.grant",
        object_type="oidc_client",
        object_id=client.client_id,
        scopes=" ".join(wish.scopes),
        level=wish.level,
    )
    return Granted(row.id, code)


def new_code(session: Session, *, grant_id: UUID, now: datetime) -> str | None:
    """Another code in place of one that was never used (a button pressed twice); None when it was used or is dead."""
    code = ids.random_token(256)
    changed = session.scalar(
        update(OidcGrant)
        .where(OidcGrant.id == grant_id, OidcGrant.code_used_at.is_(None), OidcGrant.revoked_at.is_(None))
        .values(code_hash=rules.token_hash(code), code_expires_at=now + rules.CODE_LASTS)
        .returning(OidcGrant.id)
    )
    return None if changed is None else code


def use_code(session: Session, *, client: Client, code: str, now: datetime) -> Standing | None:
    """The grant that `code` carries to `client`, the code being used up; None for a code that isn't good.

    Shown a second time, it kills what was issued from it. Another client's code is left as it is.
    """
    mine = select(OidcSignOn.id).where(OidcSignOn.client_key == client.id)
    digest = rules.token_hash(code)
    used = session.execute(
        update(OidcGrant)
        .where(OidcGrant.code_hash == digest, OidcGrant.code_used_at.is_(None), OidcGrant.sign_on_id.in_(mine))
        .values(code_used_at=now)
        .returning(OidcGrant.id, OidcGrant.code_expires_at)
    ).one_or_none()
    if used is None:
        again = session.scalar(
            select(OidcGrant.id).where(OidcGrant.code_hash == digest, OidcGrant.sign_on_id.in_(mine))
        )
        if again is not None:
            revoke(session, actor=_actor(client), grant_id=again, reason=RevokeReason.CODE_REUSED)
        return None
    return queries.standing(session, used.id) if used.code_expires_at > now else None


def use_refresh(session: Session, *, client: Client, value: str, now: datetime) -> Token | None:
    """The refresh token `value` of `client`, to be exchanged by `issue` and `spend`; None when it isn't good.

    One that was exchanged before ends its whole family: it is a copy in other hands.
    """
    digest = rules.token_hash(value)
    grant_id = session.scalar(
        select(OidcToken.grant_id).where(OidcToken.token_hash == digest, OidcToken.kind == TokenKind.REFRESH)
    )
    if grant_id is None:
        return None
    # The grant is the family's one lock: two refreshes of a family never run at the same time.
    session.scalars(select(OidcGrant.id).where(OidcGrant.id == grant_id).with_for_update()).one()
    found = queries.standing(session, grant_id)
    if found is None or found.client.id != client.id:
        return None
    row = session.scalars(
        select(OidcToken).where(OidcToken.token_hash == digest).execution_options(populate_existing=True)
    ).one()
    if row.used_at is not None:
        revoke(session, actor=_actor(client), grant_id=grant_id, reason=RevokeReason.REFRESH_REUSED)
        return None
    if row.expires_at <= now:
        return None
    return Token(row.id, TokenKind.REFRESH, tuple(row.scopes), row.created_at, row.expires_at, found)


def spend(session: Session, token_id: UUID, *, now: datetime) -> None:
    """The refresh token was exchanged for another."""
    session.execute(update(OidcToken).where(OidcToken.id == token_id).values(used_at=now))


def issue(
    session: Session, *, standing: Standing, kind: TokenKind, value: str, scopes: Sequence[str], now: datetime
) -> datetime:
    """Store a token of a grant; when it ends."""
    ends = rules.token_end(kind, now, standing.live.expires_at)
    session.add(
        OidcToken(
            grant_id=standing.grant_id,
            kind=kind,
            token_hash=rules.token_hash(value),
            scopes=list(scopes),
            created_at=now,
            expires_at=ends,
        )
    )
    session.flush()
    return ends


def revoke(session: Session, *, actor: Actor, grant_id: UUID, reason: RevokeReason) -> None:
    """Every token of a grant is dead from now on."""
    done = session.scalar(
        update(OidcGrant)
        .where(OidcGrant.id == grant_id, OidcGrant.revoked_at.is_(None))
        .values(revoked_at=clock.wall(), revoke_reason=reason)
        .returning(OidcGrant.id)
    )
    if done is not None:
        audit.record(
            session,
            actor=actor,
            action="oidc.revoke",
            object_type="oidc_grant",
            object_id=grant_id,
            reason=reason.value,
        )


def revoke_access(session: Session, token_id: UUID) -> None:
    """One access token is dead; its refresh token goes on (RFC 7009, 2.1 leaves the choice)."""
    session.execute(delete(OidcToken).where(OidcToken.id == token_id))


def end_session(session: Session, session_id: UUID) -> Sequence[Ended]:
    """The citizen session is over: all clients signed in through it are signed out, their tokens dead."""
    return _end(session, RevokeReason.SIGNED_OUT, OidcSignOn.session_id == session_id)


def sign_on(session: Session, *, client: Client, live: Live, now: datetime) -> SignOn:
    """The client signs the person of this session in by other means than a code (`auth.tickets`)."""
    sid = _sign_on(session, client, live, now)
    return SignOn(sid, subject_in(session, sector=client.sector, subject_id=live.subject_id))


def end_sign_on(session: Session, sid: UUID) -> Sequence[Ended]:
    """One client's sign-on is over, its tokens dead: what opened it was shown twice."""
    return _end(session, RevokeReason.CODE_REUSED, OidcSignOn.id == sid)


def end_client(session: Session, *, subject_id: UUID, client_key: UUID) -> Sequence[Ended]:
    """The person no longer lets the client see anything: its sign-ons in all sessions are over."""
    mine = (OidcSignOn.subject_id == subject_id, OidcSignOn.client_key == client_key)
    return _end(session, RevokeReason.CONSENT_WITHDRAWN, *mine)


def carry_over(session: Session, *, old_session: UUID, new_session: UUID) -> None:
    """The same person signed in again: the clients of the old session belong to the new one."""
    session.execute(
        update(OidcSignOn)
        .where(OidcSignOn.session_id == old_session, OidcSignOn.ended_at.is_(None))
        .values(session_id=new_session)
    )


def told(session: Session, sid: UUID) -> None:
    """The client took our logout token."""
    session.execute(update(OidcSignOn).where(OidcSignOn.id == sid).values(told_at=clock.wall()))


def subject_in(session: Session, *, sector: str, subject_id: UUID) -> str:
    """The pseudonym of a person in a sector, made when first needed (S4). Two requests at once get the same one."""
    found = queries.sub_in(session, sector=sector, subject_id=subject_id)
    if found is not None:
        return found
    session.execute(
        insert(OidcSubject)
        .values(id=ids.uuid7(), sector=sector, subject_id=subject_id, sub=ids.random_token(256))
        .on_conflict_do_nothing(index_elements=["sector", "subject_id"])
    )
    made = queries.sub_in(session, sector=sector, subject_id=subject_id)
    assert made is not None  # noqa: S101  # just made, here or by the other request
    return made


def move_owner(session: Session, event: SubjectsMerged) -> None:
    """Pseudonyms and sign-ons of the absorbed subject are the kept one's; where both are known in a sector, the kept one's stays."""
    known = select(OidcSubject.sector).where(OidcSubject.subject_id == event.kept)
    session.execute(
        delete(OidcSubject).where(
            OidcSubject.subject_id == event.absorbed, OidcSubject.sector.in_(known.scalar_subquery())
        )
    )
    for table in (OidcSubject, OidcSignOn):
        session.execute(update(table).where(table.subject_id == event.absorbed).values(subject_id=event.kept))


def prune(session: Session, *, now: datetime) -> int:
    """Delete a batch of tokens and grants that are long over; how many."""
    tokens = select(OidcToken.id).where(OidcToken.expires_at < now - rules.KEEP_OVER).limit(_BATCH)
    alive = select(OidcToken.id).where(OidcToken.grant_id == OidcGrant.id).exists()
    grants = (
        select(OidcGrant.id)
        .where(OidcGrant.created_at < now - rules.KEEP_OVER - rules.REFRESH_LASTS, ~alive)
        .limit(_BATCH)
    )
    gone = session.scalars(delete(OidcToken).where(OidcToken.id.in_(tokens)).returning(OidcToken.id)).all()
    gone_grants = session.scalars(delete(OidcGrant).where(OidcGrant.id.in_(grants)).returning(OidcGrant.id)).all()
    return len(gone) + len(gone_grants)


def _sign_on(session: Session, client: Client, live: Live, now: datetime) -> UUID:
    """The client's sign-on in this session, made when there is none; one that was the session's earlier person's ends."""
    mine = (OidcSignOn.session_id == live.session_id, OidcSignOn.client_key == client.id, OidcSignOn.ended_at.is_(None))
    _end(session, RevokeReason.SIGNED_OUT, *mine, OidcSignOn.subject_id != live.subject_id)
    sub = subject_in(session, sector=client.sector, subject_id=live.subject_id)
    session.execute(
        insert(OidcSignOn)
        .values(
            id=ids.uuid7(),
            client_key=client.id,
            session_id=live.session_id,
            subject_id=live.subject_id,
            sub=sub,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["session_id", "client_key"], index_where=OidcSignOn.ended_at.is_(None))
    )
    return session.scalars(select(OidcSignOn.id).where(*mine)).one()


def _end(session: Session, reason: RevokeReason, *which: ColumnElement[bool]) -> Sequence[Ended]:
    rows = session.execute(
        update(OidcSignOn)
        .where(OidcSignOn.ended_at.is_(None), *which)
        .values(ended_at=clock.wall())
        .returning(OidcSignOn.id, OidcSignOn.client_key)
    ).all()
    over = [row.id for row in rows]
    if over:
        session.execute(
            update(OidcGrant)
            .where(OidcGrant.sign_on_id.in_(over), OidcGrant.revoked_at.is_(None))
            .values(revoked_at=clock.wall(), revoke_reason=reason)
        )
    return [Ended(row.id, row.client_key) for row in rows]


def _actor(client: Client) -> Partner:
    return Partner(f"oidc:{client.client_id}")
