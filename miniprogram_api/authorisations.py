"""Which departments' sites may see which of my data, and taking that back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma

from auth.oidc.consents import queries, service
from auth.oidc.consents.queries import Authorisation
from core.db import transaction
from core.web import access
from core.web.blueprint import Blueprint
from core.web.paging import Page, PageIn, page_out
from core.web.schemas import Moment

blp = Blueprint(
    "authorisations", __name__, url_prefix="/api/v1/authorisations", description="授权管理 / Authorisations"
)


class AuthorisedFieldOut(ma.Schema):
    """One field that a site may see."""

    field = ma.fields.String(required=True, attribute="value")
    zh = ma.fields.String(required=True)
    en = ma.fields.String(required=True)


class AuthorisationOut(ma.Schema):
    """A site that I let see some of my data when I signed in to it."""

    id = ma.fields.UUID(required=True)
    client_id = ma.fields.String(required=True)
    name_zh = ma.fields.String(required=True)
    name_en = ma.fields.String(required=True)
    department = ma.fields.String(required=True)
    fields_seen = ma.fields.List(ma.fields.Nested(AuthorisedFieldOut), required=True, attribute="fields")
    given_at = Moment(required=True)


@blp.get("")
@access.citizen(level=1)
@blp.arguments(PageIn, location="query")
@blp.response(200, page_out(AuthorisationOut))
def list_authorisations(args: dict[str, Any]) -> Page[Authorisation]:
    """List the sites that may see some of my data."""
    with transaction() as session:
        return queries.authorisations(session, subject_id=access.citizen_actor().subject_id, args=args)


@blp.delete("/<uuid:authorisation_id>")
@access.citizen(level=1)
@blp.response(204)
def withdraw(authorisation_id: UUID) -> None:
    """Let a site see nothing of mine any more; it is signed out, too."""
    with transaction() as session:
        service.withdraw(session, actor=access.citizen_actor(), consent_id=authorisation_id)
