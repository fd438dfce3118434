"""Signing out here and at all clients. The session is given; nothing here commits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from auth.oidc.browser import service as browsers
from auth.oidc.browser.service import Browser
from auth.oidc.clients import queries as clients
from auth.oidc.clients.queries import Client
from auth.oidc.consents.events import ConsentWithdrawn
from auth.oidc.grants import queries as grant_queries
from auth.oidc.grants import service as grants
from auth.oidc.grants.service import Ended
from auth.oidc.interactions.errors import InteractionOver
from auth.oidc.interactions.rules import is_handle, with_params
from auth.oidc.keys import service as keys
from auth.oidc.logout import rules
from auth.oidc.logout.errors import SignOutRefused
from auth.oidc.logout.models import OidcSignOut
from auth.sessions.events import SessionEnded
from core import clock, ids, jobs

_BATCH = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a site sent along (OpenID Connect RP-Initiated Logout 1.0, 2)."""

    id_token_hint: str | None = field(default=None, repr=False)
    client_id: str | None = None
    post_logout_redirect_uri: str | None = None
    state: str | None = None
    language: str = "zh"


@dataclass(frozen=True, slots=True)
class Done:
    """The person is signed out; where the browser goes back to, None: nowhere, show that it is done."""

    redirect_to: str | None


@dataclass(frozen=True, slots=True)
class Ask:
    """The person has to be asked on the page `/oidc/sign-out/<sign_out>`."""

    sign_out: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A logout token for one client."""

    address: str
    token: str = field(repr=False)


def begin(session: Session, *, asked: Asked, browser: Browser | None, now: datetime) -> Done | Ask:
    """A site asks to sign the person out: at once if its ID token is of this browser's session, else the person is asked.

    Raises `SignOutRefused`: an unknown client, an ID token that isn't ours or another client's, an unregistered address.
    """
    hint = None
    if asked.id_token_hint is not None:
        hint = keys.read_hint(session, asked.id_token_hint)
        if hint is None:
            raise SignOutRefused()
    client = _client(session, asked, hint)
    redirect_to = _redirect(asked, client)
    if browser is None or browser.live is None:
        return Done(redirect_to)
    if hint is not None and _same_session(session, hint, browser):
        browsers.sign_out(session, browser=browser)
        return Done(redirect_to)
    row = OidcSignOut(
        handle=ids.random_token(256),
        browser_id=browser.id,
        client_key=None if client is None else client.id,
        redirect_to=redirect_to,
        language=asked.language,
        expires_at=now + rules.LASTS,
    )
    session.add(row)
    session.flush()
    return Ask(row.handle)


def confirm(session: Session, *, sign_out: str, browser: Browser | None, now: datetime) -> Done:
    """The person said yes. Raises `InteractionOver` for a question that is unknown, expired or another browser's."""
    if not is_handle(sign_out):
        raise InteractionOver()
    row = session.scalar(select(OidcSignOut).where(OidcSignOut.handle == sign_out).with_for_update())
    if row is None or browser is None or row.browser_id != browser.id or row.expires_at <= now:
        raise InteractionOver()
    done = Done(row.redirect_to)
    browsers.sign_out(session, browser=browser)
    return done


def on_session_ended(session: Session, event: SessionEnded) -> None:
    """A citizen session is over (signed out, frozen, lost, reused): its clients' tokens die, and they are told."""
    _tell(session, grants.end_session(session, event.session_id))


def end_sign_on(session: Session, sid: UUID) -> None:
    """One client's sign-on is over: its tokens die, and it is told."""
    _tell(session, grants.end_sign_on(session, sid))


def on_consent_withdrawn(session: Session, event: ConsentWithdrawn) -> None:
    """A person takes a consent back: the client's tokens die, and it is told."""
    _tell(session, grants.end_client(session, subject_id=event.subject_id, client_key=event.client_key))


def notice(session: Session, *, sid: UUID) -> Notice | None:
    """The logout token for an ended sign-on; None when its client isn't told, or was told already."""
    found = grant_queries.ended(session, sid)
    if found is None:
        return None
    client = clients.by_key(session, found.client_key)
    if client.backchannel_logout_uri is None:
        return None
    now = int(clock.wall().timestamp())
    claims: dict[str, Any] = {
        "aud": client.client_id,
        "sub": found.sub,
        "sid": str(sid),
        "iat": now,
        "exp": now + int(rules.TOKEN_LASTS.total_seconds()),
        "jti": ids.random_token(128),
        "events": dict(rules.EVENTS),
    }
    token = keys.sign(session, claims, algorithm=client.id_token_algorithm, kind=rules.TOKEN_TYPE)
    return Notice(client.backchannel_logout_uri, token)


def prune(session: Session, *, now: datetime) -> int:
    """Forget a batch of questions whose time is over; how many."""
    over = select(OidcSignOut.id).where(OidcSignOut.expires_at < now).limit(_BATCH)
    return len(session.scalars(delete(OidcSignOut).where(OidcSignOut.id.in_(over)).returning(OidcSignOut.id)).all())


def _client(session: Session, asked: Asked, hint: dict[str, Any] | None) -> Client | None:
    named = asked.client_id or (None if hint is None else str(hint["aud"]))
    if named is None:
        return None
    found = clients.find(session, named)
    if found is None or (hint is not None and hint["aud"] != found.client_id):
        raise SignOutRefused()
    return found


def _redirect(asked: Asked, client: Client | None) -> str | None:
    if asked.post_logout_redirect_uri is None:
        return None
    if client is None or asked.post_logout_redirect_uri not in client.post_logout_redirect_uris:
        raise SignOutRefused()
    return with_params(asked.post_logout_redirect_uri, {"state": asked.state})


def _same_session(session: Session, hint: dict[str, Any], browser: Browser) -> bool:
    try:
        sid = UUID(str(hint.get("sid")))
    except ValueError:
        return False
    return browser.live is not None and grant_queries.session_of(session, sid) == browser.live.session_id


def _tell(session: Session, ended: Iterable[Ended]) -> None:
    ended = list(ended)
    known = clients.by_keys(session, {one.client_key for one in ended}) if ended else {}
    for one in ended:
        if known[one.client_key].backchannel_logout_uri is not None:
            jobs.defer(session, "oidc.tell_signed_out", sid=str(one.sid))
