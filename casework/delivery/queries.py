"""Reads of shipments, scoped to the owner or to the staff member's hall."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, selectinload

from casework.acting import queries as acting
from casework.acting import service as checks
from casework.delivery import rules
from casework.delivery.models import Shipment, ShipmentEvent
from core.actors import Action, Citizen, Staff
from core.errors import NotFound
from core.web.paging import Page, by_id


def page_of_actor(session: Session, actor: Citizen, args: Mapping[str, Any]) -> Page[Shipment]:
    """The actor's shipments, or those of whom one acts for that one may see, newest first."""
    query = select(Shipment).where(Shipment.owner_id == actor.owner_id)
    items = acting.visible_items(session, actor)
    if items is not None:
        query = query.where(Shipment.item_id.in_(items))
    return by_id(session, query, Shipment.id, args)


def owned(session: Session, shipment_id: UUID, owner_id: UUID) -> Shipment:
    """The owner's shipment with its history. Raises `NotFound`."""
    return _one(session, select(Shipment).where(Shipment.id == shipment_id, Shipment.owner_id == owner_id))


def seen(session: Session, shipment_id: UUID, actor: Citizen, *, action: Action = Action.VIEW) -> Shipment:
    """The shipment as the actor may see it, or do `action` with it, for oneself or for another.

    Who may collect may see. Raises `NotFound`, `DelegationOutOfScope`.
    """
    shipment = owned(session, shipment_id, actor.owner_id)
    collects = actor.acting is not None and Action.COLLECT in actor.acting.actions
    wanted = Action.COLLECT if collects else action
    checks.require_item_seen(session, actor=actor, action=wanted, item_id=shipment.item_id)
    return shipment


def page_for_staff(session: Session, actor: Staff, args: Mapping[str, Any]) -> Page[Shipment]:
    """The shipments of the staff member's hall, oldest first."""
    query = select(Shipment).where(Shipment.hall_id == actor.hall_id)
    if args.get("state"):
        query = query.where(Shipment.state == args["state"])
    return by_id(session, query, Shipment.id, args, newest_first=False)


def for_staff(session: Session, shipment_id: UUID, actor: Staff, *, lock: bool = False) -> Shipment:
    """A shipment of the staff member's hall; `lock` holds its row. Raises `NotFound`."""
    query = select(Shipment).where(Shipment.id == shipment_id, Shipment.hall_id == actor.hall_id)
    return _one(session, query.with_for_update(of=Shipment) if lock else query)


def locked(session: Session, shipment_id: UUID) -> Shipment:
    """A shipment, its row locked, for jobs. Raises `NotFound`."""
    return _one(session, select(Shipment).where(Shipment.id == shipment_id).with_for_update(of=Shipment))


def salt_of(session: Session, shipment_id: UUID) -> str | None:
    """The salt of the shipment's callbacks, or None for an unknown shipment."""
    return session.scalar(select(Shipment.callback_salt).where(Shipment.id == shipment_id))


def events(session: Session, shipment_id: UUID) -> list[rules.Event]:
    """The set of the carrier's reports."""
    rows = session.scalars(select(ShipmentEvent).where(ShipmentEvent.shipment_id == shipment_id))
    return [rules.Event(at=row.at, code=row.code, place=row.place, kind=rules.Kind(row.kind)) for row in rows]


def _one(session: Session, query: Select[Shipment]) -> Shipment:
    deep = query.options(selectinload(Shipment.history)).execution_options(populate_existing=True)
    found = session.scalars(deep).one_or_none()
    if found is None:
        raise NotFound()
    return found
