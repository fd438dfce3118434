"""Allowing a client to use tickets, issuing one, exchanging it. The session is given; nothing here commits.

What must be recorded although it is refused (a ticket shown twice) is returned as None, not raised: a raise would undo it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from auth.consent.errors import ConsentRequired
from auth.oidc.clients import queries as clients
from auth.oidc.clients.queries import Client
from auth.oidc.clients.rules import AuthMethod
from auth.oidc.consents import service as consents
from auth.oidc.consents.rules import Field, fields_of
from auth.oidc.grants import queries as grant_queries
from auth.oidc.grants import rules as grant_rules
from auth.oidc.grants import service as grants
from auth.oidc.logout import service as logout
from auth.sessions import queries as sessions
from auth.tickets import queries, rules
from auth.tickets.errors import TargetNotAllowed
from auth.tickets.models import SsoTicket, TicketBridge
from core import audit, clock, ids
from core.actors import Actor, Citizen, Partner
from core.errors import Forbidden, InvalidInput, NotAuthenticated, NotFound, StateConflict

_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Issued:
    """Where the person's browser goes, with the ticket in it, and until when the ticket is good."""

    address: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Exchanged:
    """What the client's server is told."""

    body: dict[str, Any] = field(repr=False)


def allow(session: Session, *, actor: Actor, client_id: str, addresses: Sequence[str], active: bool = True) -> None:
    """Let a client use tickets, to these addresses; an entry that ends in a slash allows what is below it.

    Raises `NotFound`, `InvalidInput`, and `StateConflict` for a client that can't prove who it is.
    """
    client = clients.find(session, client_id)
    if client is None:
        raise NotFound()
    if client.auth_method is AuthMethod.NONE:
        raise StateConflict()
    faults = {f"addresses.{at}": [wrong] for at, one in enumerate(addresses) if (wrong := rules.fault(one))}
    if faults or not addresses:
        raise InvalidInput(fields=faults or {"addresses": ["至少一个地址 / at least one"]})
    values = {"addresses": list(addresses), "active": active, "changed_at": clock.wall()}
    session.execute(
        insert(TicketBridge)
        .values(client_key=client.id, **values)
        .on_conflict_do_update(index_elements=["client_key"], set_=values)
    )
    audit.record(
        session,
        actor=actor,
        action="ticket_bridge.allow",
        object_type="oidc_client",
        object_id=client_id,
        after=values,
        active=active,
    )


def issue(
    session: Session, *, actor: Citizen, client_id: str, goto: str, agreed: Iterable[Field] = (), now: datetime
) -> Issued:
    """A ticket of this session for one client. `agreed`: the fields that the person has just agreed to show it.

    Raises `NotFound` for a client without the bridge, `TargetNotAllowed`, `ConsentRequired` with the fields to ask
    about, `NotAuthenticated` when the session is over, `Forbidden` at a kiosk.
    """
    if actor.channel in rules.NEVER_FROM:
        raise Forbidden()
    found = queries.bridge(session, client_id)
    if found is None:
        raise NotFound()
    client, addresses = found
    if not rules.allows(addresses, goto):
        raise TargetNotAllowed()
    live = sessions.live(session, actor.session_id)
    if live is None or live.subject_id != actor.subject_id:
        raise NotAuthenticated()
    wanted = fields_of(client.scopes)
    missing = consents.missing(session, subject_id=actor.subject_id, client_key=client.id, fields=wanted)
    if missing and set(missing) <= set(agreed):
        consents.give(session, actor=actor, client_key=client.id, client_id=client_id, fields=missing, now=now)
    elif missing:
        raise ConsentRequired(
            extra={
                "client": {"zh": client.name_zh, "en": client.name_en, "department": client.department},
                "fields": [{"field": one.value, "zh": one.zh, "en": one.en} for one in missing],
            },
            title_zh=f"向“{client.name_zh}”提供您的信息",
            title_en=f"to show your information to {client.name_en}",
        )
    ticket = ids.random_token(256)
    row = SsoTicket(
        token_hash=rules.ticket_hash(ticket),
        client_key=client.id,
        session_id=live.session_id,
        subject_id=live.subject_id,
        goto=goto,
        issued_at=now,
        expires_at=now + rules.LASTS,
    )
    session.add(row)
    session.flush()
    audit.record(
        session,
        actor=actor,
        action="sso_ticket.issue",
        object_type="oidc_client",
        object_id=client_id,
        ticket=str(row.id),
    )
    return Issued(rules.with_ticket(goto, ticket), row.expires_at)


def exchange(session: Session, *, client: Client, ticket: str, now: datetime) -> Exchanged | None:
    """What `client` may know of the person whose ticket this is; None for one that isn't good, whatever is wrong with it.

    Shown a second time, it ends what came of it, and the client's server is told to sign the person out. Another
    client's ticket is left as it is.
    """
    digest = rules.ticket_hash(ticket)
    mine = (SsoTicket.token_hash == digest, SsoTicket.client_key == client.id)
    if not queries.may_exchange(session, client.id):
        return None
    row = session.scalar(
        update(SsoTicket)
        .where(*mine, SsoTicket.used_at.is_(None))
        .values(used_at=now)
        .returning(SsoTicket)
        .execution_options(populate_existing=True)
    )
    if row is None:
        _punish(session, client, digest, now)
        return None
    live = sessions.live(session, row.session_id) if row.expires_at > now else None
    if live is None or live.subject_id != row.subject_id:
        _record(session, client, row, "refused")
        return None
    sign_on = grants.sign_on(session, client=client, live=live, now=now)
    row.sign_on_id = sign_on.sid
    level = min(live.level, client.max_level)
    claims = grant_queries.claims_for(session, client=client, live=live, sub=sign_on.sub, scopes=client.scopes)
    _record(session, client, row, "ok")
    if Field.LEVEL.value in claims:
        claims[Field.LEVEL.value] = level
    return Exchanged({**claims, "sid": str(sign_on.sid), "acr": grant_rules.acr(level), "goto": row.goto})


def _punish(session: Session, client: Client, digest: bytes, now: datetime) -> None:
    """A ticket in a second pair of hands: which of the two is the person, nobody can say, so neither goes on."""
    again = session.scalar(
        select(SsoTicket)
        .where(SsoTicket.token_hash == digest, SsoTicket.client_key == client.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if again is None:
        return
    if again.reused_at is None:
        again.reused_at = now
    if again.sign_on_id is not None:
        logout.end_sign_on(session, again.sign_on_id)
    _record(session, client, again, "reused")


def _record(session: Session, client: Client, row: SsoTicket, result: str) -> None:
    audit.record(
        session,
        actor=Partner(f"oidc:{client.client_id}"),
        action="sso_ticket.exchange",
        object_type="oidc_client",
        object_id=client.client_id,
        result=result,
        ticket=str(row.id),
    )


def prune(session: Session, now: datetime) -> int:
    """Delete a batch of tickets whose time is long over; how many."""
    old = select(SsoTicket.id).where(SsoTicket.expires_at < now - rules.KEPT).limit(_BATCH)
    return len(session.scalars(delete(SsoTicket).where(SsoTicket.id.in_(old)).returning(SsoTicket.id)).all())
