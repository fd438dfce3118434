"""Checks that casework makes before it acts for somebody who acts for another. Own acts pass, but for minors (DG-5)."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from auth.acting import service as acting
from auth.delegation.rules import may
from casework.acting import queries
from casework.acting.rules import facts_of
from casework.catalogue import queries as catalogue
from casework.catalogue.rules import Item, RecipientPolicy
from core.actors import Action, Actor, Capacity, Citizen
from core.errors import DelegationOutOfScope, NotFound

_AGENTS = frozenset({Capacity.AGENT, Capacity.FAMILY, Capacity.AGENCY})


def require(
    session: Session,
    *,
    actor: Actor,
    action: Action,
    item: Item,
    hall_id: UUID | None = None,
    born_on: date | None = None,
) -> None:
    """Before an act on an item. Staff act by their office. `born_on`: the actor's birth date, where it was read already.

    Raises what `auth.acting.service.require` raises.
    """
    if isinstance(actor, Citizen):
        acting.require(session, actor=actor, action=action, item=facts_of(item), hall_id=hall_id, born_on=born_on)


def require_matter(
    session: Session, *, actor: Actor, action: Action, version_id: UUID, hall_id: UUID | None = None
) -> None:
    """Before an act on a matter that exists: one whose item is out of scope is as good as missing.

    Raises `NotFound` for that, else what `require` raises.
    """
    if not isinstance(actor, Citizen):
        return
    item = catalogue.item_version(session, version_id)
    _insist_in_scope(actor, item)
    require(session, actor=actor, action=action, item=item, hall_id=hall_id)


def require_seen(session: Session, *, actor: Citizen, version_id: UUID) -> None:
    """Before a matter is shown to somebody who acts for another. Raises `NotFound`; costs nothing for one's own."""
    if actor.on_behalf_of is None:
        return
    _insist_in_scope(actor, catalogue.item_version(session, version_id))
    if actor.acting is None or Action.VIEW not in actor.acting.actions:
        raise DelegationOutOfScope()


def _insist_in_scope(actor: Citizen, item: Item) -> None:
    if actor.on_behalf_of is not None and (actor.acting is None or not may(actor.acting, facts_of(item))):
        raise NotFound()


def require_item_seen(session: Session, *, actor: Citizen, action: Action, item_id: str | None) -> None:
    """As `require_seen` for something that knows its item only: a bill, a parcel. Raises `NotFound`, `DelegationOutOfScope`."""
    visible = queries.visible_items(session, actor)
    if visible is not None and item_id not in visible:
        raise NotFound()
    if actor.on_behalf_of is not None and (actor.acting is None or action not in actor.acting.actions):
        raise DelegationOutOfScope()


def may_hand_in(session: Session, *, owner_id: UUID, person_id: UUID, item: Item) -> bool:
    """Whether a person at the counter may hand in another's papers: any handler of a company, not only who filed (DG-1)."""
    facts = facts_of(item)
    return any(
        Action.SUBMIT in grant.actions and may(grant, facts)
        for grant in acting.grants(session, owner_id=owner_id, person_id=person_id)
    )


def may_collect(session: Session, *, owner_id: UUID, person_id: UUID, item: Item) -> bool:
    """Whether a person at the counter may receive the result of another's matter (DG-1, CR-2)."""
    facts = facts_of(item)
    return any(
        Action.COLLECT in grant.actions
        and may(grant, facts)
        and (item.recipient_policy is RecipientPolicy.PROXY or grant.capacity not in _AGENTS)
        for grant in acting.grants(session, owner_id=owner_id, person_id=person_id)
    )
