"""Rules of acting for another: states, scopes, ages. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from core import clock
from core.actors import Acting, Action, Capacity
from core.errors import DelegationOutOfScope, StateConflict
from core.identifiers import age_on
from core.limits import Limit


class Kind(StrEnum):
    """Why one acts for another. Company handlers have a role in an organisation instead (`auth.organisations`)."""

    MANDATE = "MANDATE"
    FAMILY = "FAMILY"
    GUARDIAN = "GUARDIAN"
    AGENCY = "AGENCY"
    PROJECT = "PROJECT"


class Scope(StrEnum):
    """For which items: those named, those of named kinds (the catalogue's zones [D]), the agent-friendly ones, all."""

    ITEMS = "ITEMS"
    KINDS = "KINDS"
    AGENT_FRIENDLY = "AGENT_FRIENDLY"
    ALL = "ALL"


class Evidence(StrEnum):
    """What a delegation rests on (DG-1); `SMS_CODE` is the one-page family delegation of DG-6."""

    E_SIGNED = "E_SIGNED"
    NOTARISED = "NOTARISED"
    PAPER = "PAPER"
    STATUTORY = "STATUTORY"
    SMS_CODE = "SMS_CODE"


class State(StrEnum):
    """The states of a delegation. Time ends one without a change of state: see `standing`."""

    OFFERED = "OFFERED"
    ACCEPTED = "ACCEPTED"
    ACTIVE = "ACTIVE"
    DISPUTED = "DISPUTED"
    DECLINED = "DECLINED"
    REVOKED = "REVOKED"
    RENOUNCED = "RENOUNCED"


S = State
TRANSITIONS: Mapping[State, frozenset[State]] = MappingProxyType(
    {
        S.OFFERED: frozenset({S.ACCEPTED, S.ACTIVE, S.DECLINED, S.REVOKED}),
        S.ACCEPTED: frozenset({S.ACTIVE, S.DECLINED, S.REVOKED}),
        S.ACTIVE: frozenset({S.DISPUTED, S.REVOKED, S.RENOUNCED}),
        S.DISPUTED: frozenset({S.ACTIVE, S.REVOKED, S.RENOUNCED}),
        S.DECLINED: frozenset(),
        S.REVOKED: frozenset(),
        S.RENOUNCED: frozenset(),
    }
)
OPEN = frozenset({S.OFFERED, S.ACCEPTED})
LIVE = frozenset({S.ACTIVE, S.DISPUTED})

CAPACITIES: Mapping[Kind, Capacity] = MappingProxyType(
    {
        Kind.MANDATE: Capacity.AGENT,
        Kind.FAMILY: Capacity.FAMILY,
        Kind.GUARDIAN: Capacity.GUARDIAN,
        Kind.AGENCY: Capacity.AGENCY,
        Kind.PROJECT: Capacity.PROJECT_OFFICER,
    }
)
ALL_ACTIONS = frozenset(Action)
_ALLOWED: Mapping[Kind, frozenset[Action]] = MappingProxyType(
    {
        Kind.MANDATE: ALL_ACTIONS,
        # A level-2 delegation doesn't hand out results: a proxy recipient needs level 3 (CR-2).
        Kind.FAMILY: ALL_ACTIONS - {Action.COLLECT},
        Kind.GUARDIAN: ALL_ACTIONS,
        Kind.AGENCY: ALL_ACTIONS,
        # 代办员: filing and tracking only (DG-8).
        Kind.PROJECT: frozenset({Action.SUBMIT, Action.CORRECT, Action.VIEW}),
    }
)
_COMPANY = frozenset({Capacity.LEGAL_REPRESENTATIVE, Capacity.ADMINISTRATOR, Capacity.HANDLER})

OF_AGE = 18
"""A person of that age acts alone, from 00:00 of the birthday in Shanghai (DG-5)."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The city's choices [D]."""

    # So many people one private agent may act for: families have few elders, paid queue-jumpers many (黄牛, DG-4).
    principals_per_agent: int = 5
    # An officer helps the projects assigned, not the whole city.
    projects_per_officer: int = 30
    offer_valid: timedelta = timedelta(hours=24)
    confirmation_valid: timedelta = timedelta(minutes=10)
    confirmation_tries: int = 5
    longest: Mapping[Kind, timedelta] = field(
        default_factory=lambda: MappingProxyType(
            {
                Kind.MANDATE: timedelta(days=366),
                Kind.FAMILY: timedelta(days=366),
                Kind.AGENCY: timedelta(days=366),
                Kind.PROJECT: timedelta(days=3 * 366),
            }
        )
    )
    own_acts_from: int = 8
    consent_below: int = 14


POLICY = Policy()
CODE_TRIES = Limit("delegation-code", 10, 3_600)
OFFERS = Limit("delegation-offer", 20, 86_400)

# Without 0, O, 1, I, L and U: nothing to mishear or misread over the phone.
CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 8


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """What of an item decides whether it may be done for another (DG-3). `kind`: the zone it belongs to."""

    item_id: str
    kind: str
    agent_allowed: bool
    agent_friendly: bool
    biometric: bool
    for_persons: bool = True
    for_organisations: bool = True


def check_move(state: State, to: State) -> None:
    """Raise `StateConflict` unless the table allows `state` → `to`."""
    if to not in TRANSITIONS[state]:
        raise StateConflict(extra={"state": state})


class Standing(StrEnum):
    """What a delegation is worth at a moment."""

    LIVE = "LIVE"
    NOT_YET = "NOT_YET"
    DISPUTED = "DISPUTED"
    ENDED = "ENDED"


def standing(
    state: State, now: datetime, *, valid_from: datetime, valid_until: datetime | None, born_on: date | None
) -> Standing:
    """What it is worth at `now`. A guardian's link ends by itself at midnight before the 18th birthday (DG-5)."""
    over = valid_until is not None and now >= valid_until
    if state not in OPEN | LIVE or over or of_age(born_on, now):
        return Standing.ENDED
    if state is S.DISPUTED:
        return Standing.DISPUTED
    return Standing.LIVE if state is S.ACTIVE and now >= valid_from else Standing.NOT_YET


def of_age(born_on: date | None, now: datetime) -> bool:
    """Whether somebody born then is of age at `now`; False when the birth date isn't known."""
    return born_on is not None and age_on(born_on, clock.local(now).date()) >= OF_AGE


def needs_minor_consent(born_on: date | None, now: datetime, policy: Policy = POLICY) -> bool:
    """Whether the data of somebody born then needs a guardian's separate consent (DG-5, P-1)."""
    return born_on is not None and age_on(born_on, clock.local(now).date()) < policy.consent_below


class OwnAct(StrEnum):
    """Whether a person may act alone (DG-5)."""

    FREE = "FREE"
    WITH_AGREEMENT = "WITH_AGREEMENT"
    NEVER = "NEVER"


def own_act(born_on: date | None, now: datetime, policy: Policy = POLICY) -> OwnAct:
    """Whether somebody born then may act alone at `now`: never below 8, with a guardian's agreement below 18 (DG-5)."""
    if born_on is None or of_age(born_on, now):
        return OwnAct.FREE
    age = age_on(born_on, clock.local(now).date())
    return OwnAct.NEVER if age < policy.own_acts_from else OwnAct.WITH_AGREEMENT


def allowed_actions(kind: Kind, asked: Collection[Action]) -> frozenset[Action]:
    """`asked`, if that kind of delegation can hold it. Raises `DelegationOutOfScope`."""
    if not frozenset(asked) <= _ALLOWED[kind]:
        raise DelegationOutOfScope()
    return frozenset(asked)


def covers(scope: str, values: Collection[str], item: ItemFacts) -> bool:
    """Whether a scope holds an item."""
    match Scope(scope):
        case Scope.ITEMS:
            return item.item_id in values
        case Scope.KINDS:
            return item.kind in values
        case Scope.AGENT_FRIENDLY:
            return item.agent_friendly
        case Scope.ALL:
            return True


def may(acting: Acting, item: ItemFacts) -> bool:
    """Whether an item may be done for another at all in this capacity, and is in scope (DG-1, DG-3, DG-6).

    A guardian comes along to a fingerprint; an organisation has none. Anybody else has no place in such a step.
    """
    fits = item.for_organisations if acting.for_organisation else item.for_persons
    in_person = item.biometric and acting.capacity is not Capacity.GUARDIAN and acting.capacity not in _COMPANY
    unfriendly = acting.capacity is Capacity.FAMILY and not item.agent_friendly
    if not item.agent_allowed or not fits or in_person or unfriendly:
        return False
    return covers(acting.scope, acting.scope_values, item)


def ends_at(kind: Kind, valid_from: datetime, asked: datetime | None, policy: Policy = POLICY) -> datetime | None:
    """The end of a delegation: as asked, but not beyond what its kind allows. Guardianship has no end of its own."""
    longest = policy.longest.get(kind)
    if longest is None:
        return asked
    latest = valid_from + longest
    return latest if asked is None else min(asked, latest)


def code_from(numbers: Collection[int]) -> str:
    """The code of so many random numbers below the alphabet's length."""
    return "".join(CODE_ALPHABET[number] for number in numbers)


def plain_code(typed: str) -> str:
    """A code as somebody typed it after hearing it: spaces, dashes and small letters are forgiven."""
    return "".join(character for character in typed.upper() if character in CODE_ALPHABET)
