"""Who may call a route. Every view declares it with one of these decorators, outermost; a guard test walks the URL map.

    @blp.post("/<uuid:prereview_id>/submit")
    @access.citizen(level=2)
    @run_once
    @blp.arguments(SubmitIn)
    @blp.response(200, PreReviewOut)
    def submit(...): ...

The token is verified by the function that `auth` provides and `gateway.wiring` installs (`install`): core knows no tokens.
"""

from __future__ import annotations

import functools
import hmac
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar, cast
from uuid import UUID

from flask import current_app, g, request

from core.actors import Action, Citizen, Staff
from core.errors import (
    AuthLevelTooLow,
    ConfirmationNeeded,
    DelegationOutOfScope,
    Forbidden,
    InvalidInput,
    NotAuthenticated,
    PasswordChangeNeeded,
)
from core.limits import Limit, hit
from core.web.request_context import request_address

F = TypeVar("F", bound=Callable[..., Any])
ActingResolver = Callable[[Citizen, UUID], Citizen]

ACT_FOR = "X-Act-For"
"""The header that names the delegation or role by which a citizen acts for another."""
_ACT_FOR_IN_ENVIRON = "HTTP_X_ACT_FOR"


# The highest level a person has for longer than one act (DOMAIN 3.7).
_LASTING = 3


class Authenticator(Protocol):
    """What `auth` must provide."""

    def citizen(self, token: str, *, fresh: bool = False) -> Citizen:
        """The citizen of an access token; `fresh` trusts nothing kept in memory. Raises `NotAuthenticated`."""
        ...

    def staff(self, token: str) -> Staff:
        """The member of staff of an access token. Raises `NotAuthenticated`."""
        ...

    def step_up_ways(self, actor: Citizen, needed_level: int) -> Sequence[dict[str, object]]:
        """The ways open to this person on this channel to reach `needed_level` (RFC 9470, DOMAIN 3.7)."""
        ...

    def has_fresh_proof(self, actor: Citizen, purpose: str) -> bool:
        """Whether a fresh proof for the act `purpose` is there (DOMAIN 3.7 level 4). Uses none up."""
        ...

    def has_confirmed(self, actor: Staff, act: str) -> bool:
        """Whether the member confirmed this kind of act in this session a moment ago."""
        ...


@dataclass(frozen=True, slots=True)
class Access:
    """A route's declaration."""

    kind: Literal["public", "citizen", "staff", "partner", "operator"]
    level: int = 0
    roles: frozenset[str] = field(default_factory=frozenset)
    note: str = ""
    acts: frozenset[Action] = field(default_factory=frozenset)
    purpose: str = ""
    confirm: str = ""


CONFIRM_AT = "/staff/v1/login/confirm"


def install_acting(app: Any, resolve: ActingResolver) -> None:
    """Give `app` the function that reads what a citizen may do for another, from the value of `X-Act-For`."""
    app.extensions["acting"] = resolve


def install(app: Any, authenticator: Authenticator, metrics_token: str) -> None:
    """Give `app` the function that verifies tokens, and the operators' token."""
    app.extensions["authenticator"] = authenticator
    app.extensions["operator_token"] = metrics_token


def _declare(access: Access, check: Callable[[], None]) -> Callable[[F], F]:
    def decorate(view: F) -> F:
        @functools.wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            check()
            return view(*args, **kwargs)

        guarded.__access__ = access  # type: ignore[attr-defined]
        return cast(F, guarded)

    return decorate


def declared(view: object) -> Access | None:
    """What a view function declares; None for one that forgot."""
    found = getattr(view, "__access__", None)
    return found if isinstance(found, Access) else None


def public(reason: str, *, limit: Limit | None = None) -> Callable[[F], F]:
    """Anybody may call; `reason` says why. `limit` is counted per network address."""

    def check() -> None:
        if limit is not None:
            hit(limit, request_address() or "-")

    return _declare(Access("public", note=reason), check)


def citizen(
    *, level: int = 1, limit: Limit | None = None, acts: Action | Collection[Action] = (), purpose: str = ""
) -> Callable[[F], F]:
    """A signed-in citizen of at least `level` (DOMAIN 3.7). `limit` is counted per person.

    `acts`: what somebody who acts for another (`X-Act-For`) does here, one of these being enough (DG-1). Without it the
    route is for oneself alone. Which items the delegation covers is for the service to check.

    `purpose`: the act (`auth.identity.rules.Purpose`) of a route of level 4. A fresh proof for it must be there; the
    service uses it up in the act's own transaction (`auth.identity.service.spend_fresh_proof`).
    """
    if (level > _LASTING) != bool(purpose):
        raise ValueError("a route of level 4, and only such a one, names its purpose")
    wanted = frozenset([acts]) if isinstance(acts, Action) else frozenset(acts)
    lasting = min(level, _LASTING)

    def check() -> None:
        token, authenticator = _bearer(), _authenticator()
        actor = authenticator.citizen(token)
        if actor.level < lasting:
            # It may have been raised a moment ago, in another process.
            actor = authenticator.citizen(token, fresh=True)
        g.actor = actor
        if actor.level < lasting or (purpose and not authenticator.has_fresh_proof(actor, purpose)):
            raise level_too_low(actor, level, purpose)
        if limit is not None:
            hit(limit, str(actor.subject_id))
        if _ACT_FOR_IN_ENVIRON in request.environ:
            g.actor = _acting(actor, wanted)

    return _declare(Access("citizen", level=level, acts=wanted, purpose=purpose), check)


def staff(*roles: str, confirm: str = "") -> Callable[[F], F]:
    """A signed-in member of staff with at least one of `roles` (DOMAIN 3.16).

    `confirm`: the kind of act (`auth.staff.confirmations.rules.Act`) that needs password or code again, minutes before.
    """
    allowed = frozenset(roles)

    def check() -> None:
        actor = _authenticator().staff(_bearer())
        g.actor = actor
        if actor.restricted:
            raise PasswordChangeNeeded()
        if not actor.roles & allowed:
            raise Forbidden()
        if confirm and not _authenticator().has_confirmed(actor, confirm):
            raise ConfirmationNeeded(extra={"act": confirm, "confirm_at": CONFIRM_AT, "ways": ["PASSWORD", "TOTP"]})

    return _declare(Access("staff", roles=allowed, confirm=confirm), check)


def staff_themselves() -> Callable[[F], F]:
    """Any signed-in member of staff, also without a role or with a password to change: one's own account."""

    def check() -> None:
        g.actor = _authenticator().staff(_bearer())

    return _declare(Access("staff", note="one's own account"), check)


def partner(name: str) -> Callable[[F], F]:
    """A partner's callback. Its signature is verified by the view on the raw body."""
    return _declare(Access("partner", note=name), lambda: None)


def operator(note: str) -> Callable[[F], F]:
    """The people who run the system, by the METRICS_TOKEN as bearer."""

    def check() -> None:
        if not hmac.compare_digest(_bearer().encode(), str(current_app.extensions["operator_token"]).encode()):
            raise NotAuthenticated(headers={"WWW-Authenticate": "Bearer"})

    return _declare(Access("operator", note=note), check)


def citizen_actor() -> Citizen:
    """The citizen this request was authenticated as."""
    return cast(Citizen, g.actor)


def staff_actor() -> Staff:
    """The member of staff this request was authenticated as."""
    return cast(Staff, g.actor)


def level_too_low(actor: Citizen, needed: int, purpose: str = "") -> AuthLevelTooLow:
    """The step-up answer of RFC 9470 with the ways open to this person. Services may raise it for a level that data decides."""
    return AuthLevelTooLow(
        needed=needed,
        headers={
            "WWW-Authenticate": f'Bearer error="insufficient_user_authentication", acr_values="level{needed}"',
        },
        extra={
            "needed_level": needed,
            "level": actor.level,
            "ways": list(_authenticator().step_up_ways(actor, needed)),
        }
        | ({"purpose": purpose} if purpose else {}),
    )


def _acting(actor: Citizen, wanted: frozenset[Action]) -> Citizen:
    """`actor` on behalf of whom `X-Act-For` names. Raises `DelegationOutOfScope`, and what the resolver refuses."""
    try:
        grant_id = UUID(request.headers[ACT_FOR])
    except ValueError:
        raise InvalidInput(fields={ACT_FOR: ["不是有效的委托标识 / not the id of a delegation or role"]}) from None
    if not wanted:
        raise DelegationOutOfScope()
    resolve = cast(ActingResolver, current_app.extensions["acting"])
    found = resolve(actor, grant_id)
    if found.acting is None or not wanted & found.acting.actions:
        raise DelegationOutOfScope()
    return found


def _authenticator() -> Authenticator:
    return cast(Authenticator, current_app.extensions["authenticator"])


def _bearer() -> str:
    # Straight from WSGI: this runs before nearly every request, and the headers' own way takes several times as long.
    scheme, _, token = request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    token = token.strip()
    if not token or scheme.lower() != "bearer":
        raise NotAuthenticated(headers={"WWW-Authenticate": "Bearer"})
    return str(token)
