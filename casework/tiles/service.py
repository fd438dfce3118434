"""Opening a tile, and saying where it leads. The session is given; nothing here commits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from auth.oidc.clients import queries as clients
from auth.oidc.consents.rules import Field
from auth.oidc.keys import service as keys
from auth.tickets import queries as bridges
from auth.tickets import rules as addresses
from auth.tickets import service as tickets
from auth.tickets.errors import TargetNotAllowed
from casework.catalogue.lookups import queries as lookups
from casework.tiles import rules
from casework.tiles.errors import TileClosed
from casework.tiles.models import LinkHost, TileLaunch, TileTarget
from casework.tiles.rules import Kind
from core import audit, clock
from core.actors import Actor, Citizen, Staff
from core.errors import InvalidInput, NotFound
from core.web.access import level_too_low


@dataclass(frozen=True, slots=True)
class Launch:
    """Where the app goes; a ticket in the address is good until `expires_at`."""

    kind: Kind
    address: str = field(repr=False)
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a tile is to lead."""

    kind: Kind
    client_id: str | None = None
    address: str | None = None
    min_level: int = 1
    open: bool = True
    closed_zh: str = ""
    closed_en: str = ""


def launch(session: Session, *, actor: Citizen, tile_id: str, agreed: Iterable[Field] = ()) -> Launch:
    """Open a tile, signed in. `agreed`: fields that the person has just agreed to show (bridge only).

    Raises `NotFound`, `TileClosed` with the reason, `AuthLevelTooLow`, `ConsentRequired`, `TargetNotAllowed`.
    """
    if not any(row["id"] == tile_id for row in lookups.tiles(session)):
        raise NotFound()
    target = session.get(TileTarget, tile_id)
    if target is None:
        raise _closed(rules.NOT_CONNECTED)
    if not target.open:
        raise _closed((target.closed_zh, target.closed_en))
    if actor.level < target.min_level:
        raise level_too_low(actor, target.min_level)
    if target.kind != Kind.PLAIN and actor.channel in addresses.NEVER_FROM:
        raise _closed(rules.NOT_FROM_KIOSK)
    opened = _open(session, actor, target, agreed)
    _count(session, tile_id, actor.channel)
    return opened


def _open(session: Session, actor: Citizen, target: TileTarget, agreed: Iterable[Field]) -> Launch:
    kind = Kind(target.kind)
    if kind is Kind.PLAIN:
        assert target.address is not None  # noqa: S101  # the table's own constraint
        # The list may have become shorter since the target was set.
        if not _host_is_listed(session, target.address):
            raise TargetNotAllowed()
        return Launch(kind, target.address, None)
    assert target.client_id is not None  # noqa: S101  # the table's own constraint
    if kind is Kind.OIDC:
        client = clients.find(session, target.client_id)
        if client is None or client.initiate_login_uri is None:
            raise _closed(rules.CLIENT_OFF)
        return Launch(kind, rules.initiation(client.initiate_login_uri, keys.issuer()), None)
    assert target.address is not None  # noqa: S101  # the table's own constraint
    try:
        issued = tickets.issue(
            session,
            actor=actor,
            client_id=target.client_id,
            goto=target.address,
            agreed=agreed,
            now=clock.wall(),
        )
    except NotFound:
        raise _closed(rules.CLIENT_OFF) from None
    return Launch(kind, issued.address, issued.expires_at)


def _closed(reason: tuple[str, str]) -> TileClosed:
    return TileClosed(reason_zh=reason[0], reason_en=reason[1])


def _count(session: Session, tile_id: str, channel: str) -> None:
    session.execute(
        insert(TileLaunch)
        .values(day=clock.today(), tile_id=tile_id, channel=channel, launches=1)
        .on_conflict_do_update(index_elements=["day", "tile_id", "channel"], set_={"launches": TileLaunch.launches + 1})
    )


def set_target(session: Session, *, actor: Actor, tile_id: str, target: Target) -> None:
    """Say where a tile leads, or close it. Raises `NotFound`, `InvalidInput`, `TargetNotAllowed` (ID-8)."""
    if not any(row["id"] == tile_id for row in lookups.tiles(session)):
        raise NotFound()
    _check(session, target)
    values = {
        "kind": target.kind,
        "client_id": target.client_id,
        "address": target.address,
        "min_level": target.min_level,
        "open": target.open,
        "closed_zh": target.closed_zh,
        "closed_en": target.closed_en,
        "changed_at": clock.now(),
    }
    session.execute(
        insert(TileTarget)
        .values(tile_id=tile_id, **values)
        .on_conflict_do_update(index_elements=["tile_id"], set_=values)
    )
    audit.record(
        session,
        actor=actor,
        action="tile.set_target",
        object_type="app_tile",
        object_id=tile_id,
        after=values,
        kind=target.kind.value,
        open=target.open,
    )


def _check(session: Session, target: Target) -> None:
    faults: dict[str, list[str]] = {}
    if (target.kind is Kind.PLAIN) == (target.client_id is not None):
        faults["client_id"] = ["仅登录类目标需要 / for OIDC and BRIDGE, and only for them"]
    if (target.kind is Kind.OIDC) == (target.address is not None):
        faults["address"] = ["OIDC 目标使用应用自己的地址 / for PLAIN and BRIDGE, and only for them"]
    if target.address is not None and (wrong := addresses.fault(target.address)):
        faults["address"] = [wrong]
    if not target.open and not (target.closed_zh and target.closed_en):
        faults["closed_zh"] = ["关闭时请写明原因（中英文） / say why, in both languages"]
    if not faults and target.client_id is not None:
        client = clients.find(session, target.client_id)
        if client is None or (target.kind is Kind.OIDC and client.initiate_login_uri is None):
            faults["client_id"] = ["没有这个应用，或它没有登记登录发起地址 / no such client, or one without an address"]
    if faults:
        raise InvalidInput(fields=faults)
    if target.kind is Kind.PLAIN and not _host_is_listed(session, target.address or ""):
        raise TargetNotAllowed()
    if target.kind is Kind.BRIDGE:
        known = bridges.bridge(session, target.client_id or "")
        if known is None or not addresses.allows(known[1], target.address or ""):
            raise TargetNotAllowed()


def _host_is_listed(session: Session, address: str) -> bool:
    host = urlsplit(address).hostname
    return addresses.fault(address) is None and session.get(LinkHost, host) is not None


def add_host(session: Session, *, actor: Staff, host: str, note: str) -> None:
    """Let plain tiles lead to a host. Again changes the note."""
    values = {"note": note, "added_at": clock.now()}
    session.execute(
        insert(LinkHost).values(host=host, **values).on_conflict_do_update(index_elements=["host"], set_=values)
    )
    audit.record(session, actor=actor, action="link_host.add", object_type="link_host", object_id=host)


def remove_host(session: Session, *, actor: Staff, host: str) -> None:
    """Plain tiles that lead there are refused from now on. Raises `NotFound`."""
    gone = session.scalar(delete(LinkHost).where(LinkHost.host == host).returning(LinkHost.host))
    if gone is None:
        raise NotFound()
    audit.record(session, actor=actor, action="link_host.remove", object_type="link_host", object_id=host)
