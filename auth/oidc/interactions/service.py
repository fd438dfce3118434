"""An authorization request, step by step. The session is given; nothing here commits. `now` is true time (`clock.wall`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from auth.oidc.browser.service import Browser
from auth.oidc.clients import queries as clients
from auth.oidc.clients.queries import Client
from auth.oidc.consents import service as consents
from auth.oidc.consents.rules import Field, fields_of
from auth.oidc.grants import queries as grant_queries
from auth.oidc.grants import rules as grant_rules
from auth.oidc.grants import service as grants
from auth.oidc.grants.service import Wish
from auth.oidc.interactions import rules
from auth.oidc.interactions.errors import InteractionOver
from auth.oidc.interactions.models import OidcInteraction
from auth.oidc.interactions.rules import AuthRequest, Prompt, Reason, Refused
from auth.oidc.keys import service as keys
from auth.sessions import service as citizen_sessions
from auth.sessions.queries import Live
from core import audit, clock, ids
from core.actors import Partner
from core.errors import NotAuthenticated, StateConflict

_BATCH = 1_000
_CODE = "code"


@dataclass(frozen=True, slots=True)
class SignIn:
    """The person has to sign in. `hint`: whom the client expects, as it wrote it. `choose`: whoever is signed in may also go on."""

    hint: str | None = field(repr=False)
    choose: bool = False


@dataclass(frozen=True, slots=True)
class StepUp:
    """The person is at level `have` and the client wants `need`; unless `essential` it may go on without."""

    have: int
    need: int
    essential: bool = False


@dataclass(frozen=True, slots=True)
class AskConsent:
    """The client wants to see exactly these fields. None at all: it only wants the person to be asked."""

    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Finish:
    """All is done: the browser goes back to the client at this address."""

    redirect_to: str = field(repr=False)


Step = SignIn | StepUp | AskConsent | Finish


def begin(session: Session, *, client: Client, request: AuthRequest, browser: Browser, now: datetime) -> str:
    """Keep a request for this browser; its id. Raises `Refused` for an `id_token_hint` that isn't one of ours to this client."""
    hinted = None
    if request.id_token_hint is not None:
        claims = keys.read_hint(session, request.id_token_hint)
        if claims is None or claims["aud"] != client.client_id:
            raise Refused(Reason.INVALID_REQUEST, "id_token_hint is not an ID token for this client")
        hinted = str(claims["sub"])
    row = OidcInteraction(
        handle=ids.random_token(256),
        browser_id=browser.id,
        client_key=client.id,
        redirect_uri=request.redirect_uri,
        state=request.state,
        nonce=request.nonce,
        code_challenge=request.code_challenge,
        scopes=list(request.scopes),
        levels=list(request.levels),
        essential=request.essential,
        prompts=sorted(request.prompts),
        max_age=request.max_age,
        login_hint=request.login_hint,
        hinted_sub=hinted,
        language=request.language,
        created_at=now,
        expires_at=now + rules.LASTS,
        step_up_declined=False,
    )
    session.add(row)
    session.flush()
    return row.handle


def next_step(session: Session, *, interaction: str, browser: Browser | None, now: datetime) -> Step:
    """What the person has to do next, or where the browser goes back to; asking again at once gives the same. Raises `InteractionOver`."""
    row, client, seen = _open(session, interaction, browser, now)
    if row.finished_at is not None:
        return _again(session, row, now)
    step = _judge(session, row, client, seen)
    if step is not None:
        return step
    assert seen.live is not None and seen.auth_time is not None  # noqa: S101  # else SignIn
    if not _kept_open(session, seen.live):
        return SignIn(row.login_hint)
    level = grant_rules.level_told(seen.live.level, row.levels)
    wish = Wish(
        redirect_uri=row.redirect_uri,
        code_challenge=row.code_challenge,
        nonce=row.nonce,
        scopes=row.scopes,
        level=level,
        auth_time=seen.auth_time,
        amr=seen.amr,
    )
    granted = grants.grant(session, client=client, live=seen.live, wish=wish, now=now)
    row.finished_at, row.outcome, row.grant_id = now, _CODE, granted.grant_id
    return Finish(_answer(row, code=granted.code))


def without_asking(session: Session, *, interaction: str, browser: Browser | None, now: datetime) -> str:
    """Where the browser goes back to for `prompt=none`: with a code, or with what would have to be asked. Raises `InteractionOver`."""
    step = next_step(session, interaction=interaction, browser=browser, now=now)
    if isinstance(step, StepUp) and not step.essential:
        decline_step_up(session, interaction=interaction, browser=browser, now=now)
        step = next_step(session, interaction=interaction, browser=browser, now=now)
    if isinstance(step, Finish):
        return step.redirect_to
    reason = Reason.INTERACTION_REQUIRED
    if isinstance(step, SignIn):
        reason = Reason.ACCOUNT_SELECTION_REQUIRED if step.choose else Reason.LOGIN_REQUIRED
    elif isinstance(step, AskConsent):
        reason = Reason.CONSENT_REQUIRED
    return refuse(session, interaction=interaction, browser=browser, reason=reason, now=now)


def signed_in(session: Session, *, interaction: str, browser: Browser | None, now: datetime | None = None) -> None:
    """The person signed in for this request, or chose to go on as whoever is signed in.

    Raises `InteractionOver`, and `StateConflict` while nobody is signed in or the client wants a fresh sign-in.
    """
    row, _client, seen = _waiting(session, interaction, browser, now or clock.wall())
    if seen.live is None or _stale(row, seen):
        raise StateConflict()
    row.account_session_id = seen.live.session_id


def decline_step_up(
    session: Session, *, interaction: str, browser: Browser | None, now: datetime | None = None
) -> None:
    """The person goes on at its own level. Raises `InteractionOver`, and `StateConflict` where the level is essential."""
    row, _client, _seen = _waiting(session, interaction, browser, now or clock.wall())
    if row.essential:
        raise StateConflict()
    row.step_up_declined = True


def consent(
    session: Session,
    *,
    interaction: str,
    browser: Browser | None,
    fields: Iterable[Field],
    now: datetime | None = None,
) -> None:
    """The person lets the client see `fields`, which must be exactly what it was asked. Raises `InteractionOver`, `StateConflict`."""
    now = now or clock.wall()
    row, client, seen = _waiting(session, interaction, browser, now)
    step = _judge(session, row, client, seen)
    if not isinstance(step, AskConsent) or set(step.fields) != set(fields) or seen.live is None:
        raise StateConflict()
    consents.give(
        session, actor=seen.live.actor, client_key=client.id, client_id=client.client_id, fields=step.fields, now=now
    )
    row.consented_at = now


def refuse(
    session: Session,
    *,
    interaction: str,
    browser: Browser | None,
    reason: Reason = Reason.ACCESS_DENIED,
    now: datetime | None = None,
) -> str:
    """End the request without a code; where the browser goes back to, with the reason. Raises `InteractionOver`."""
    now = now or clock.wall()
    row, client, _seen = _waiting(session, interaction, browser, now)
    row.finished_at, row.outcome = now, reason.value
    audit.record(
        session,
        actor=Partner(f"oidc:{client.client_id}"),
        action="oidc.refuse",
        object_type="oidc_client",
        object_id=client.client_id,
        result=reason.value,
    )
    return _answer(row, error=reason.value)


def prune(session: Session, *, now: datetime) -> int:
    """Forget a batch of requests whose time is over; how many."""
    over = select(OidcInteraction.id).where(OidcInteraction.expires_at < now).limit(_BATCH)
    gone = delete(OidcInteraction).where(OidcInteraction.id.in_(over)).returning(OidcInteraction.id)
    return len(session.scalars(gone).all())


def _open(
    session: Session, handle: str, browser: Browser | None, now: datetime
) -> tuple[OidcInteraction, Client, Browser]:
    """The request, locked, of this browser and within its time; answered or not."""
    if not rules.is_handle(handle):
        raise InteractionOver()
    row = session.scalar(
        select(OidcInteraction)
        .where(OidcInteraction.handle == handle)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None or browser is None or row.browser_id != browser.id or row.expires_at <= now:
        raise InteractionOver()
    client = clients.active(session, row.client_key)
    if client is None or row.redirect_uri not in client.redirect_uris:
        raise InteractionOver()
    return row, client, browser


def _waiting(
    session: Session, handle: str, browser: Browser | None, now: datetime
) -> tuple[OidcInteraction, Client, Browser]:
    found = _open(session, handle, browser, now)
    if found[0].finished_at is not None:
        raise InteractionOver()
    return found


def _judge(session: Session, row: OidcInteraction, client: Client, seen: Browser) -> Step | None:
    """The step that is missing, or None."""
    live = seen.live
    if live is None or live.level < 1 or _stale(row, seen) or not _expected(session, row, client, live):
        return SignIn(row.login_hint)
    chosen = row.account_session_id == live.session_id
    if not chosen and (Prompt.SELECT_ACCOUNT in row.prompts or row.account_session_id is not None):
        return SignIn(row.login_hint, choose=True)
    need = min(row.levels, default=0)
    if live.level < need and not row.step_up_declined:
        return StepUp(live.level, need, row.essential)
    return _consent_step(session, row, client, live)


def _consent_step(session: Session, row: OidcInteraction, client: Client, live: Live) -> Step | None:
    wanted = fields_of(row.scopes)
    lacking = consents.missing(session, subject_id=live.subject_id, client_key=client.id, fields=wanted)
    if lacking or (Prompt.CONSENT in row.prompts and row.consented_at is None):
        return AskConsent(wanted)
    return None


def _kept_open(session: Session, live: Live) -> bool:
    """Whether the citizen session is still open, and stays so until our commit: whoever ends it then sees what we grant."""
    try:
        citizen_sessions.opened(session, live.session_id)
    except NotAuthenticated:
        return False
    return True


def _stale(row: OidcInteraction, seen: Browser) -> bool:
    """Whether whoever is signed in has to sign in again for this request."""
    prompts = frozenset(Prompt(word) for word in row.prompts)
    return seen.auth_time is None or rules.must_sign_in(
        prompts=prompts, max_age=row.max_age, auth_time=seen.auth_time, asked_at=row.created_at
    )


def _expected(session: Session, row: OidcInteraction, client: Client, live: Live) -> bool:
    """Whether the signed-in person is the one of the client's `id_token_hint`, if it sent one."""
    if row.hinted_sub is None:
        return True
    return grant_queries.hinted(session, client=client, sub=row.hinted_sub, subject_id=live.subject_id)


def _again(session: Session, row: OidcInteraction, now: datetime) -> Finish:
    """The end was asked for twice: the same answer for ten seconds, as long as the code wasn't used."""
    if row.finished_at is None or now - row.finished_at > rules.REPEAT_WITHIN or row.outcome is None:
        raise InteractionOver()
    if row.grant_id is None:
        return Finish(_answer(row, error=row.outcome))
    code = grants.new_code(session, grant_id=row.grant_id, now=now)
    if code is None:
        raise InteractionOver()
    return Finish(_answer(row, code=code))


def _answer(row: OidcInteraction, *, code: str | None = None, error: str | None = None) -> str:
    """The client's address with the answer (RFC 6749, 4.1.2) and our name (RFC 9207)."""
    return rules.with_params(row.redirect_uri, {"code": code, "error": error, "state": row.state, "iss": keys.issuer()})
