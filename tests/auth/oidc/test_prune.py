"""What is over is forgotten; what is still good stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import text

from auth.oidc import jobs
from core.actors import Citizen
from core.db import transaction
from tests.factories import oidc

TABLES = ("oidc_browser", "oidc_interaction", "oidc_sign_out", "oidc_grant", "oidc_token")


def _counts() -> dict[str, int]:
    with transaction() as session:
        return {table: session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in TABLES}


def _fill(client: FlaskClient, citizen: Callable[..., tuple[Citizen, Any]]) -> None:
    site = oidc.register()
    client.get("/oidc/authorize", query_string=site.ask())
    actor, _ = citizen()
    oidc.sign_in_browser(client, actor)
    oidc.tokens(client, site, scope="openid offline_access")
    client.get("/oidc/logout", query_string={"client_id": site.client_id})


def test_pruning_keeps_what_is_good(client: FlaskClient, citizen: Callable[..., tuple[Citizen, Any]]) -> None:
    _fill(client, citizen)
    before = _counts()
    assert all(before.values()), before
    jobs.prune()
    assert _counts() == before


def test_pruning_forgets_what_is_long_over(client: FlaskClient, citizen: Callable[..., tuple[Citizen, Any]]) -> None:
    _fill(client, citizen)
    with transaction() as session:
        for table, column in (
            ("oidc_browser", "expires_at"),
            ("oidc_interaction", "expires_at"),
            ("oidc_sign_out", "expires_at"),
            ("oidc_token", "expires_at"),
            ("oidc_grant", "created_at"),
        ):
            session.execute(text(f"UPDATE {table} SET {column} = {column} - interval '90 days'"))
    jobs.prune()
    assert _counts() == dict.fromkeys(TABLES, 0)
