"""Reads of sign-outs that a person is asked about."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.oidc.clients import queries as clients
from auth.oidc.interactions.errors import InteractionOver
from auth.oidc.interactions.rules import is_handle
from auth.oidc.logout.models import OidcSignOut


@dataclass(frozen=True, slots=True)
class SignOut:
    """What the page shows: which site the person comes from (None: it didn't say), and in which language.

    `redirect_to`: where the browser goes afterwards, which the page's form must be allowed to lead to.
    """

    id: str
    name_zh: str | None
    name_en: str | None
    language: str
    redirect_to: str | None


def view(session: Session, sign_out: str) -> SignOut:
    """The question with this id. Raises `InteractionOver` for an unknown one."""
    if not is_handle(sign_out):
        raise InteractionOver()
    row = session.scalar(select(OidcSignOut).where(OidcSignOut.handle == sign_out))
    if row is None:
        raise InteractionOver()
    client = None if row.client_key is None else clients.by_key(session, row.client_key)
    if client is None:
        return SignOut(row.handle, None, None, row.language, row.redirect_to)
    return SignOut(row.handle, client.name_zh, client.name_en, row.language, row.redirect_to)
