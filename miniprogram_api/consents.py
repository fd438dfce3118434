"""The texts that people consent to, by version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import marshmallow as ma

from auth.consent import queries
from auth.consent.rules import ConsentText
from core.web import access
from core.web.blueprint import Blueprint
from core.web.caching import cacheable
from core.web.request_context import language

blp = Blueprint("consents", __name__, url_prefix="/api/v1/consent-texts", description="同意书 / Texts of consent")

PUBLIC = "people read before they sign in"


class ConsentTextOut(ma.Schema):
    """A text, with what it covers, on which basis and for how long (P-1)."""

    kind = ma.fields.String(required=True)
    version = ma.fields.String(required=True)
    effective_from = ma.fields.Date(required=True)
    title = ma.fields.String(required=True)
    body = ma.fields.String(required=True)
    legal_basis = ma.fields.String(required=True)
    fields_covered = ma.fields.List(ma.fields.String(), required=True)
    retention = ma.fields.String(required=True)


class ConsentTextsOut(ma.Schema):
    """The texts in force."""

    items = ma.fields.List(ma.fields.Nested(ConsentTextOut), required=True)


def _shown(text: ConsentText) -> dict[str, object]:
    words = text.en if language() == "en" else text.zh
    return {
        "kind": text.kind.value,
        "version": text.version,
        "effective_from": text.effective_from,
        "title": words.title,
        "body": words.body,
        "legal_basis": words.legal_basis,
        "fields_covered": list(words.fields),
        "retention": words.retention,
    }


@blp.get("")
@access.public(PUBLIC)
@cacheable(300)
@blp.response(200, ConsentTextsOut)
def texts() -> Mapping[str, Sequence[dict[str, object]]]:
    """List the texts in force."""
    return {"items": [_shown(text) for text in queries.texts().values()]}


@blp.get("/<kind>/<version>")
@access.public(PUBLIC)
@cacheable(300)
@blp.response(200, ConsentTextOut)
def text(kind: str, version: str) -> dict[str, object]:
    """Read one version of a text, also an old one."""
    return _shown(queries.text(kind, version))
