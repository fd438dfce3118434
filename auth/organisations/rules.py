"""Rules of roles in an organisation. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from core.actors import Capacity
from core.errors import StateConflict
from core.limits import Limit


class OrganisationKind(StrEnum):
    """What an organisation is (服务对象, A.4 without natural persons)."""

    ENTERPRISE = "ENTERPRISE"
    INSTITUTION = "INSTITUTION"
    SOCIAL_ORGANISATION = "SOCIAL_ORGANISATION"
    AUTHORITY = "AUTHORITY"
    OTHER = "OTHER"


class Role(StrEnum):
    """法定代表人, 管理员, 经办人."""

    LEGAL_REPRESENTATIVE = "LEGAL_REPRESENTATIVE"
    ADMINISTRATOR = "ADMINISTRATOR"
    HANDLER = "HANDLER"


class RoleState(StrEnum):
    """The states of a role. Time ends one without a change of state."""

    OFFERED = "OFFERED"
    ACTIVE = "ACTIVE"
    DECLINED = "DECLINED"
    ENDED = "ENDED"


TRANSITIONS: Mapping[RoleState, frozenset[RoleState]] = MappingProxyType(
    {
        RoleState.OFFERED: frozenset({RoleState.ACTIVE, RoleState.DECLINED, RoleState.ENDED}),
        RoleState.ACTIVE: frozenset({RoleState.ENDED}),
        RoleState.DECLINED: frozenset(),
        RoleState.ENDED: frozenset(),
    }
)
CAPACITIES: Mapping[Role, Capacity] = MappingProxyType({role: Capacity(role.value) for role in Role})

# Who may appoint and dismiss whom.
APPOINTS: Mapping[Role, frozenset[Role]] = MappingProxyType(
    {
        Role.LEGAL_REPRESENTATIVE: frozenset({Role.ADMINISTRATOR, Role.HANDLER}),
        Role.ADMINISTRATOR: frozenset({Role.HANDLER}),
        Role.HANDLER: frozenset(),
    }
)


class EndReason(StrEnum):
    """Why a role is over."""

    DISMISSED = "DISMISSED"
    RESIGNED = "RESIGNED"
    REGISTRY_CHANGED = "REGISTRY_CHANGED"
    DEREGISTERED = "DEREGISTERED"


@dataclass(frozen=True, slots=True)
class Policy:
    """The city's choices [D]."""

    # On use, the registry is asked again when its word is older than this; without an answer the role goes on a while.
    ask_again_after: timedelta = timedelta(hours=24)
    too_old_after: timedelta = timedelta(hours=72)
    longest_appointment: timedelta = timedelta(days=3 * 366)
    offer_valid: timedelta = timedelta(days=7)
    # A former representative's people must not go on in the company's name.
    appointments_end_with_representative: bool = True
    organisations_per_handler: int = 20


POLICY = Policy()
CHECKS_PER_PERSON = Limit("market-registry-person", 10, 3_600)


def check_move(state: RoleState, to: RoleState) -> None:
    """Raise `StateConflict` unless the table allows `state` → `to`."""
    if to not in TRANSITIONS[state]:
        raise StateConflict(extra={"state": state})


def must_ask(checked_at: datetime, now: datetime, policy: Policy = POLICY) -> bool:
    """Whether the registry's word is so old that it is asked before the role is used."""
    return now - checked_at >= policy.ask_again_after


def too_old(checked_at: datetime, now: datetime, policy: Policy = POLICY) -> bool:
    """Whether the registry's word is so old that without a new one the role can't be used."""
    return now - checked_at >= policy.too_old_after


def is_live(state: RoleState, now: datetime, *, valid_from: datetime, valid_until: datetime | None) -> bool:
    """Whether a role counts at `now`."""
    return state is RoleState.ACTIVE and valid_from <= now and (valid_until is None or now < valid_until)


def appointment_end(valid_from: datetime, asked: datetime | None, policy: Policy = POLICY) -> datetime:
    """The end of an appointment: as asked, but not beyond the longest."""
    latest = valid_from + policy.longest_appointment
    return latest if asked is None else min(asked, latest)
