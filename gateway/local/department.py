"""The demo department of a local stack: its site as a client of our sign-in, and tiles that lead there.

The site itself is in the sandbox, which knows nothing of the product; here is what a system administrator would enter.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from auth.oidc.clients import queries, service
from auth.oidc.clients.rules import AuthMethod, ClientType, Registration
from auth.tickets import service as tickets
from casework.tiles import queries as tile_targets
from casework.tiles import service as tiles
from casework.tiles.rules import Kind
from casework.tiles.service import Target
from core.actors import System

LOOK_UP_TILE, BOOKING_TILE = "T34", "T35"
_ACTOR = System("local-demo")


def connect(session: Session, site: dict[str, Any]) -> None:
    """Register the site, or bring an earlier registration up to date, and aim the tiles that lead nowhere yet (S38).

    `site`: what `environment.site_of` says of it. One tile is opened by a sign-in of the site's own (OpenID Connect, ID-7),
    one by a one-time ticket. What somebody has disabled, closed or aimed elsewhere stays so.
    """
    base, client_id = site["base"], site["client_id"]
    addresses: dict[str, Any] = {
        "redirect_uris": (f"{base}/callback",),
        "post_logout_redirect_uris": (f"{base}/",),
        "backchannel_logout_uri": f"{base}/backchannel-logout",
        "initiate_login_uri": f"{base}/sign-in",
        "jwks": site["jwks"],
    }
    known = next((row for row in queries.everybody(session) if row.client_id == client_id), None)
    if known is not None and not known.active:
        return
    if known is None:
        wanted = Registration(
            client_id=client_id,
            department="D11",
            type=ClientType.CONFIDENTIAL,
            auth_method=AuthMethod.PRIVATE_KEY_JWT,
            scopes=("openid", "profile", "identity", "level"),
            max_level=3,
            sector="real-estate",
            name_zh="宁波不动产登记网（演示）",
            name_en="Ningbo Property Registry (demo)",
            **addresses,
        )
        service.register(session, actor=_ACTOR, wanted=wanted)
    else:
        service.change(session, actor=_ACTOR, client_id=client_id, **addresses)
    tickets.allow(session, actor=_ACTOR, client_id=client_id, addresses=[f"{base}/enter"])
    ours = {
        LOOK_UP_TILE: Target(kind=Kind.OIDC, client_id=client_id),
        BOOKING_TILE: Target(kind=Kind.BRIDGE, client_id=client_id, address=f"{base}/enter"),
    }
    for tile_id, target in ours.items():
        aimed = tile_targets.target(session, tile_id)
        if aimed is None or (aimed.client_id == client_id and aimed.open):
            tiles.set_target(session, actor=_ACTOR, tile_id=tile_id, target=target)
