"""Browsers: known again by their cookie, signed in and out. The session is given; nothing here commits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from auth.oidc.browser import rules
from auth.oidc.browser.models import OidcBrowser
from auth.oidc.grants import service as grants
from auth.sessions import queries as sessions
from auth.sessions import service as citizen_sessions
from auth.sessions.queries import Live
from core import ids
from core.errors import NotAuthenticated

_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser known by its cookie. `live`: the citizen session it is signed in to, None while nobody is.

    `auth_time`: when the person proved a sign-in factor; `amr`: with which (RFC 8176: "sms", "otp", "face", "swk" …).
    """

    id: UUID
    live: Live | None
    auth_time: datetime | None
    amr: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """A browser and the value its cookie must have from now on."""

    browser: Browser
    cookie: str = field(repr=False)


def known(session: Session, *, cookie: str | None, now: datetime) -> Browser | None:
    """The browser with this cookie, None for no or an unknown one. Signed in only while session, idle and whole time last."""
    if not cookie:
        return None
    row = session.scalar(
        select(OidcBrowser).where(OidcBrowser.token_hash == rules.cookie_hash(cookie), OidcBrowser.expires_at > now)
    )
    if row is None:
        return None
    live = None if row.session_id is None else sessions.live(session, row.session_id)
    if live is None or row.auth_time is None:
        return Browser(row.id, None, None, ())
    if not rules.still_signed_in(live.channel, auth_time=row.auth_time, last_seen_at=row.last_seen_at, now=now):
        return Browser(row.id, None, None, ())
    if now - row.last_seen_at > rules.TOUCH_EVERY:
        row.last_seen_at = now
    return Browser(row.id, live, row.auth_time, tuple(row.amr))


def open_browser(session: Session, *, now: datetime) -> Opened:
    """A browser that comes for the first time; nobody is signed in."""
    cookie = ids.random_token(256)
    row = OidcBrowser(
        token_hash=rules.cookie_hash(cookie),
        amr=[],
        created_at=now,
        last_seen_at=now,
        expires_at=now + rules.ANONYMOUS_LASTS,
    )
    session.add(row)
    session.flush()
    return Opened(Browser(row.id, None, None, ()), cookie)


def sign_in(session: Session, *, browser: Browser, session_id: UUID, amr: Sequence[str], now: datetime) -> Opened:
    """Sign the browser in to a citizen session just opened for it; its cookie changes, so that none planted before is worth anything.

    The session before it ends: the same person's clients are carried over to the new one, another person's are told.
    Raises `NotAuthenticated` when the browser or the session is gone.
    """
    row = _locked(session, browser.id)
    live = sessions.live(session, session_id)
    if row is None or live is None:
        raise NotAuthenticated()
    before = None if row.session_id in (None, session_id) else sessions.live(session, row.session_id)
    if before is not None:
        if before.subject_id == live.subject_id:
            grants.carry_over(session, old_session=before.session_id, new_session=session_id)
        citizen_sessions.sign_out(session, actor=before.actor)
    cookie = ids.random_token(256)
    row.token_hash, row.session_id, row.auth_time = rules.cookie_hash(cookie), session_id, now
    row.amr, row.last_seen_at = list(amr), now
    row.expires_at = min(now + rules.lifetime(live.channel).whole, live.expires_at)
    session.flush()
    return Opened(Browser(row.id, live, now, tuple(amr)), cookie)


def add_method(session: Session, *, browser: Browser, method: str) -> None:
    """The person just proved itself in one more way (step-up); `auth_time` stays that of the sign-in."""
    row = _locked(session, browser.id)
    if row is not None and method not in row.amr:
        row.amr = [*row.amr, method]


def sign_out(session: Session, *, browser: Browser) -> None:
    """End the citizen session behind the browser, and forget the browser with all that waits in it."""
    # Browser, what waits in it, session: the order in which a sign-in locks them, too.
    session.execute(delete(OidcBrowser).where(OidcBrowser.id == browser.id))
    if browser.live is not None:
        citizen_sessions.sign_out(session, actor=browser.live.actor)


def prune(session: Session, *, now: datetime) -> int:
    """Forget a batch of browsers whose time is over; how many."""
    over = select(OidcBrowser.id).where(OidcBrowser.expires_at < now).limit(_BATCH)
    return len(session.scalars(delete(OidcBrowser).where(OidcBrowser.id.in_(over)).returning(OidcBrowser.id)).all())


def _locked(session: Session, browser_id: UUID) -> OidcBrowser | None:
    return session.scalar(
        select(OidcBrowser)
        .where(OidcBrowser.id == browser_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
