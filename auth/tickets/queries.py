"""Reads of the bridge."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.oidc.clients import queries as clients
from auth.oidc.clients.queries import Client
from auth.tickets.models import TicketBridge


def bridge(session: Session, client_id: str) -> tuple[Client, tuple[str, ...]] | None:
    """The active client with its list of addresses, if it may use tickets; else None."""
    client = clients.find(session, client_id)
    if client is None:
        return None
    addresses = session.scalar(
        select(TicketBridge.addresses).where(TicketBridge.client_key == client.id, TicketBridge.active)
    )
    return None if addresses is None else (client, tuple(addresses))


def may_exchange(session: Session, client_key: UUID) -> bool:
    """Whether this client uses tickets."""
    found = session.scalar(
        select(TicketBridge.client_key).where(TicketBridge.client_key == client_key, TicketBridge.active)
    )
    return found is not None
