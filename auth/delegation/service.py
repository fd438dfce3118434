"""Delegating and ending a delegation. The session is given; nothing here commits.

Offer, take, agree: the principal makes an offer and passes its code on, the agent takes it by the code, and the
principal, who now sees who took it, agrees: by a signature at level 4, or for the family delegation of DG-6 by the code
sent to the principal's own phone. So neither needs the other's number, and nobody learns who has an account here.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from auth.accounts import service as accounts
from auth.accounts.events import SubjectsMerged
from auth.delegation import queries, rules
from auth.delegation.errors import (
    DelegationCodeWrong,
    DelegationConflict,
    DelegationLimit,
    DelegationRevoked,
    GuardianRequired,
)
from auth.delegation.events import ConfirmationAsked, Happening
from auth.delegation.models import Delegation, GuardianAgreement, StaffPerson
from auth.delegation.record import service as record
from auth.delegation.rules import POLICY, Evidence, Kind, OwnAct, Scope, State
from auth.identity import service as identity
from auth.identity.rules import Purpose
from core import clock, events, ids
from core.actors import Action, Actor, Capacity, Citizen, Staff, System
from core.errors import DelegationOutOfScope, InvalidInput, NotFound, Problem, StateConflict
from core.limits import hit
from core.web.access import level_too_low

PRIVATE = (Kind.MANDATE, Kind.FAMILY)
_SIGNS_FOR_ORGANISATION = frozenset({Capacity.LEGAL_REPRESENTATIVE, Capacity.ADMINISTRATOR})
_OF_ORGANISATION = _SIGNS_FOR_ORGANISATION | {Capacity.HANDLER}
_LEVELS = {Kind.FAMILY: 2, Kind.MANDATE: 3, Kind.AGENCY: 3}
_MERGE = System("subject-merge")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a principal wants to let somebody do."""

    kind: Kind
    scope: Scope
    scope_values: Collection[str] = ()
    actions: Collection[Action] = ()
    valid_until: datetime | None = None
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """A new offer, and its code, shown this once."""

    row: Delegation
    code: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a code: the delegation, or a refusal that is counted and therefore not raised inside the transaction."""

    row: Delegation | None = None
    refusal: Problem | None = None

    def insist(self) -> Delegation:
        """The delegation. Raises the refusal, if that is what came out."""
        if self.row is None:
            raise self.refusal or StateConflict()
        return self.row


def offer(session: Session, *, actor: Citizen, wish: Wish) -> Offer:
    """Offer to let somebody act for the actor, or for the organisation that the actor represents.

    Raises `DelegationOutOfScope` (an agent passing it on; more than the kind can hold), `AuthLevelTooLow`,
    `GuardianRequired` (minors don't delegate), `RateLimited`, `InvalidInput`.
    """
    if actor.on_behalf_of is not None and actor.acted_by not in _SIGNS_FOR_ORGANISATION:
        raise DelegationOutOfScope()
    needed = _LEVELS.get(wish.kind)
    if needed is None or (wish.kind is Kind.FAMILY and actor.on_behalf_of is not None):
        raise DelegationOutOfScope()
    if actor.level < needed:
        raise level_too_low(actor, needed)
    now = clock.now()
    if rules.own_act(queries.birth_date(session, actor.subject_id, now), now) is not OwnAct.FREE:
        raise GuardianRequired()
    hit(rules.OFFERS, str(actor.owner_id))
    return open_offer(session, actor=actor, principal_id=actor.owner_id, wish=wish)


def open_offer(session: Session, *, actor: Actor, principal_id: UUID, wish: Wish) -> Offer:
    """Write an offer down; whoever calls has checked that `actor` may make it for `principal_id`."""
    code = rules.code_from([secrets.randbelow(len(rules.CODE_ALPHABET)) for _ in range(rules.CODE_LENGTH)])
    row = new_row(actor, principal_id, wish)
    row.offer_until, row.code_lookup = row.created_at + POLICY.offer_valid, queries.code_lookup(code)
    return Offer(record.begin(session, actor, row), code)


def new_row(actor: Actor, principal_id: UUID, wish: Wish) -> Delegation:
    """A delegation as wished, from now on, offered to nobody yet. Raises `InvalidInput`, `DelegationOutOfScope`."""
    now = clock.now()
    until = rules.ends_at(wish.kind, now, wish.valid_until)
    if until is not None and until <= now:
        raise InvalidInput(fields={"valid_until": ["截止时间已过 / it would have ended already"]})
    return Delegation(
        kind=wish.kind,
        principal_id=principal_id,
        scope=_scope_of(wish),
        scope_values=sorted(set(wish.scope_values)),
        actions=sorted(rules.allowed_actions(wish.kind, wish.actions)),
        valid_from=now,
        valid_until=until,
        relation="",
        purpose=wish.purpose,
        evidence=Evidence.SMS_CODE if wish.kind is Kind.FAMILY else Evidence.E_SIGNED,
        state=State.OFFERED,
        created_at=now,
        created_by=actor.audit_id,
    )


def _scope_of(wish: Wish) -> Scope:
    """The scope, if its kind can hold it: a family delegation is for agent-friendly items (DG-6), "all" is no mandate."""
    named = wish.scope in (Scope.ITEMS, Scope.KINDS)
    if named != bool(wish.scope_values):
        raise InvalidInput(fields={"scope_values": ["请列出事项，或不限定 / name them exactly with ITEMS or KINDS"]})
    if wish.scope is Scope.ALL or (wish.kind is Kind.FAMILY and wish.scope is Scope.KINDS):
        raise DelegationOutOfScope()
    return wish.scope


def take(session: Session, *, actor: Citizen, code: str) -> Outcome:
    """The agent takes an offer by its code, for oneself or for the agency one works for (DG-4, DG-6).

    For a family delegation the principal's phone now gets the code to agree with. The cap counts people, under a lock of
    the agent, so that many offers at once don't get around it. A wrong code is an outcome, everything else raises:
    `RateLimited`, `DelegationConflict` (one's own offer), `DelegationLimit`, `GuardianRequired`.
    """
    hit(rules.CODE_TRIES, str(actor.subject_id))
    now = clock.now()
    try:
        row = queries.offered(session, code, now)
    except NotFound:
        return Outcome(refusal=DelegationCodeWrong())
    agency = actor.on_behalf_of is not None
    if agency != (Kind(row.kind) is Kind.AGENCY) or (agency and actor.acted_by not in _OF_ORGANISATION):
        raise DelegationOutOfScope()
    if row.principal_id in (actor.subject_id, actor.owner_id):
        raise DelegationConflict()
    if actor.level < _LEVELS[Kind(row.kind)]:
        raise level_too_low(actor, _LEVELS[Kind(row.kind)])
    if rules.own_act(queries.birth_date(session, actor.subject_id, now), now) is not OwnAct.FREE:
        raise GuardianRequired()
    check_room(session, agent_id=actor.owner_id, principal_id=row.principal_id, kind=Kind(row.kind))
    row.agent_id = actor.owner_id
    record.move(session, actor, row, State.ACCEPTED, happening=Happening.TAKEN)
    if row.kind == Kind.FAMILY:
        ask_confirmation(session, row)
    return Outcome(row)


def check_room(session: Session, *, agent_id: UUID, principal_id: UUID, kind: Kind) -> None:
    """Whether the agent may act for one person more (DG-4). Locks both sides in key order. Raises `DelegationLimit`."""
    accounts.lock(session, agent_id, principal_id)
    now = clock.now()
    if kind in (Kind.GUARDIAN, Kind.PROJECT):
        return
    contract = queries.contract(session, agent_id, now) if kind is Kind.AGENCY else None
    if kind is Kind.AGENCY and contract is None:
        raise DelegationLimit(limit=0)
    most = POLICY.principals_per_agent if contract is None else contract.principals
    counted = PRIVATE if contract is None else (Kind.AGENCY,)
    have = queries.principals_of(session, agent_id, counted, now) - {principal_id}
    if len(have) >= most:
        raise DelegationLimit(limit=most)


def ask_confirmation(session: Session, row: Delegation) -> None:
    """Send the principal a new code to agree with; the former one is void (DG-6)."""
    assert row.agent_id is not None  # noqa: S101  # somebody took it
    code = f"{secrets.randbelow(10**6):06d}"
    row.confirm_mac, row.confirm_tries = queries.confirm_mac(row.id, code), 0
    row.confirm_until = clock.now() + POLICY.confirmation_valid
    session.flush()
    events.publish(session, ConfirmationAsked(row.id, ids.uuid7(), row.principal_id, row.agent_id, code))


def resend_confirmation(session: Session, *, actor: Citizen, delegation_id: UUID) -> Delegation:
    """Either side asks for another code to agree with. Raises `NotFound`, `StateConflict`, `RateLimited`."""
    row = queries.of_side(session, delegation_id, actor.subject_id, lock=True)
    if row.state != State.ACCEPTED or row.kind != Kind.FAMILY:
        raise StateConflict()
    hit(rules.CODE_TRIES, str(row.id))
    ask_confirmation(session, row)
    return row


def confirm_by_code(session: Session, *, actor: Citizen | Staff, delegation_id: UUID, code: str) -> Outcome:
    """The principal agreed by the code sent to the principal's own phone (DG-6), typed by either side or by a clerk.

    The text that brings the code says who asks and what agreeing means. Five wrong tries burn it. Raises `NotFound`,
    `StateConflict`.
    """
    row = (
        queries.any_locked(session, delegation_id)
        if isinstance(actor, Staff)
        else queries.of_side(session, delegation_id, actor.subject_id, lock=True)
    )
    now = clock.now()
    if row.state != State.ACCEPTED or row.kind != Kind.FAMILY:
        raise StateConflict()
    open_still = row.confirm_mac is not None and row.confirm_until is not None and now < row.confirm_until
    if not open_still or row.confirm_tries >= POLICY.confirmation_tries:
        return Outcome(refusal=DelegationCodeWrong())
    assert row.confirm_mac is not None  # noqa: S101  # open_still
    if not hmac.compare_digest(row.confirm_mac, queries.confirm_mac(row.id, code)):
        row.confirm_tries += 1
        return Outcome(refusal=DelegationCodeWrong())
    _agree(session, actor, row)
    return Outcome(row)


def sign(session: Session, *, actor: Citizen, delegation_id: UUID) -> Delegation:
    """The principal, who sees who took the offer, agrees by a signature at level 4 (DG-1, 3.7).

    Raises `NotFound`, `StateConflict`, `AuthLevelTooLow` (4, with the ways), `CoolingDown`.
    """
    row = queries.of_side(session, delegation_id, actor.owner_id, lock=True)
    if row.principal_id != actor.owner_id:
        raise NotFound()
    if actor.on_behalf_of is not None and actor.acted_by not in _SIGNS_FOR_ORGANISATION:
        raise DelegationOutOfScope()
    if row.state != State.ACCEPTED or row.kind == Kind.FAMILY:
        raise StateConflict()
    row.evidence_id = identity.spend_fresh_proof(session, actor=actor, purpose=Purpose.DELEGATE)
    _agree(session, actor, row)
    return row


def _agree(session: Session, actor: Actor, row: Delegation) -> None:
    assert row.agent_id is not None  # noqa: S101  # somebody took it
    if row.valid_until is not None and row.valid_until <= clock.now():
        raise DelegationRevoked()
    check_room(session, agent_id=row.agent_id, principal_id=row.principal_id, kind=Kind(row.kind))
    row.confirm_mac = row.confirm_until = None
    record.move(session, actor, row, State.ACTIVE, happening=Happening.BEGUN)


def end(session: Session, *, actor: Citizen, delegation_id: UUID) -> Delegation:
    """End a delegation at once: the principal revokes it, the agent gives it up or declines it (DG-1).

    A guardian's link is not the child's to revoke, and an agent doesn't end what the principal let others do. Raises
    `NotFound`, `StateConflict`, `GuardianRequired`, `DelegationOutOfScope`.
    """
    if actor.on_behalf_of is not None and actor.acted_by not in _SIGNS_FOR_ORGANISATION:
        raise DelegationOutOfScope()
    row = queries.of_side(session, delegation_id, actor.owner_id, lock=True)
    if row.principal_id == actor.owner_id:
        if row.kind == Kind.GUARDIAN:
            raise GuardianRequired()
        record.move(session, actor, row, State.REVOKED, happening=Happening.ENDED)
        return row
    live = State(row.state) in rules.LIVE
    record.move(session, actor, row, State.RENOUNCED if live else State.DECLINED, happening=Happening.ENDED)
    return row


def move_owner(session: Session, event: SubjectsMerged) -> None:
    """The absorbed subject's delegations are the kept one's; one between the two ends, and of two guardian links one."""
    both = (event.kept, event.absorbed)
    now = clock.now()
    rows = [row for row in queries.all_between(session, both) if State(row.state) in rules.OPEN | rules.LIVE]
    guarded = {row.principal_id for row in rows if row.agent_id == event.kept and row.kind == Kind.GUARDIAN}
    for row in rows:
        twice = row.kind == Kind.GUARDIAN and row.agent_id == event.absorbed and row.principal_id in guarded
        if twice or {row.principal_id, row.agent_id} == set(both):
            record.move(session, _MERGE, row, State.REVOKED, note=f"merged {now:%Y-%m-%d}")
    for column, other in (
        (Delegation.principal_id, Delegation.agent_id),
        (Delegation.agent_id, Delegation.principal_id),
    ):
        session.execute(
            update(Delegation)
            .where(column == event.absorbed, other.is_distinct_from(event.kept))
            .values({column.key: event.kept})
        )
    for given in (GuardianAgreement.given_by, StaffPerson.subject_id):
        session.execute(update(given.parent).where(given == event.absorbed).values({given.key: event.kept}))
