"""Signing in with Alipay. The session is given; nothing here commits. `ask` is called outside any transaction."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy.orm import Session

from auth.accounts import queries as people
from auth.accounts.alipay import service as bindings
from auth.accounts.alipay.ports import AlipayAccounts, AlipayIdentity
from auth.accounts.rules import SubjectState
from auth.factors.alipay import rules
from auth.factors.alipay.errors import AlipayNotHere
from auth.factors.service import SignIn, refuse_frozen
from auth.redirects import service as redirects
from auth.redirects.rules import TripKind
from auth.redirects.service import Trip
from auth.sessions import service as sessions
from auth.sessions.rules import Method, Origin
from core import ports
from core.errors import SourceUnavailable
from core.ports import PartnerUnavailable


class Started(NamedTuple):
    """Where the browser goes, and the state it will come back with."""

    url: str
    state: str


def start(session: Session, *, origin: Origin, return_to: str, holder: str) -> Started:
    """Send a browser to Alipay; it comes back to `return_to` with `state`, and `auth_code` or `error=cancelled`.

    `holder` is a secret of this browser or device (a cookie's value): only with it can the trip be finished. Raises
    `AlipayNotHere`, `InvalidInput` for a `return_to` that is not allowed.
    """
    if not rules.opens(origin.channel, origin.device):
        raise AlipayNotHere()
    state = redirects.begin(
        session, kind=TripKind.ALIPAY_SIGN_IN, holder=holder, channel=origin.channel, return_to=return_to
    )
    return Started(ports.get(AlipayAccounts).sign_in_address(state), state)


def finish(session: Session, *, state: str, holder: str) -> Trip:
    """The browser is back: the trip with its channel, once. Raises `RedirectExpired`, `Replayed`."""
    return redirects.take(session, state=state, kind=TripKind.ALIPAY_SIGN_IN, holder=holder)


def ask(code: str) -> AlipayIdentity:
    """Whose Alipay account a code stands for. Outside any transaction; never twice.

    Raises `AlipayCodeInvalid`, `SourceUnavailable`.
    """
    try:
        return ports.get(AlipayAccounts).exchange_code(code)
    except PartnerUnavailable:
        raise SourceUnavailable() from None


def sign_in(session: Session, *, answer: AlipayIdentity, origin: Origin) -> SignIn:
    """Sign in by an Alipay account, at the level its subject's evidence gives."""
    holder = bindings.holder(session, answer)
    holder = holder or bindings.open_with(session, identity=answer, language=origin.language)
    if people.standing(session, holder.subject_id).state is SubjectState.FROZEN:
        return refuse_frozen(session, holder.subject_id, origin, Method.ALIPAY)
    bindings.confirm(session, holder.id)
    tokens = sessions.open_session(
        session,
        subject_id=holder.subject_id,
        origin=origin,
        method=Method.ALIPAY,
        alipay_binding_id=holder.id,
        proofs_since=holder.proofs_since,
    )
    return SignIn(tokens)
