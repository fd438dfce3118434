"""The guide in one piece, to be kept on the phone and read without a network. docs/reference/offline-bundle.md."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import marshmallow as ma
import orjson
from flask import Response, request
from marshmallow.validate import Range

from casework.catalogue.bundle import queries, service
from casework.catalogue.bundle.errors import BundleTooOld
from core.db import transaction
from core.errors import SourceUnavailable
from core.web import access
from core.web.blueprint import Blueprint
from miniprogram_api.catalogue import PUBLIC

blp = Blueprint(
    "catalogue_bundle", __name__, url_prefix="/api/v1/catalogue/bundle", description="离线办事指南 / The guide, offline"
)

_WHOLE = "/api/v1/catalogue/bundle"
_RETRY_SECONDS = "5"
_LAST_NUMBER = 2**31 - 1
_JSON = "application/json"

_text = ma.fields.String
_number = ma.fields.Integer
_sign = ma.fields.Integer(metadata={"description": "1, or left out"})


class ChangesIn(ma.Schema):
    """Which bundle the caller has."""

    number = _number(required=True, data_key="from", validate=Range(1, _LAST_NUMBER))


class BundlePaperOut(ma.Schema):
    """A paper: name; required, the question that calls for it, by situation; group of alternatives; copies (left out: 1).

    `o`: the original is shown, `w`: data may replace it, `t`: it may follow.
    """

    n = _text(required=True)
    r = _sign
    q = _text()
    b = _sign
    g = _text()
    k = _number()
    o = _sign
    w = _sign
    t = _sign


class BundleFeeOut(ma.Schema):
    """A line of the tariff: name, amount in fen or formula, unit, by situation."""

    n = _text(required=True)
    a = _number()
    x = _text()
    u = _text()
    b = _sign


class BundleEntryOut(ma.Schema):
    """An item: id, version, name, zone, department; legal and promised limit; papers, fees; where, when, whom to ask."""

    i = _text(required=True)
    v = _number(required=True)
    n = _text(required=True)
    z = _text(required=True)
    d = _text(required=True)
    l = ma.fields.List(ma.fields.Raw(), required=True)  # noqa: E741  # a key of the wire
    p = ma.fields.List(ma.fields.Raw(), required=True)
    m = ma.fields.List(ma.fields.Nested(BundlePaperOut))
    y = _sign
    f = ma.fields.List(ma.fields.Nested(BundleFeeOut))
    a = _text()
    h = _text()
    c = _text()
    t = _text()
    s = _sign


class BundleHeadOut(ma.Schema):
    """Which bundle it is; `day`: the day it was made; `notice` when some of it is sample data."""

    format = _number(required=True)
    bundle = _number(required=True)
    revision = _number(required=True)
    day = ma.fields.Date(required=True)
    notice = _text(allow_none=True, required=True)
    zones = ma.fields.Dict(keys=_text(), values=_text(), required=True)
    departments = ma.fields.Dict(keys=_text(), values=_text(), required=True)


class BundleOut(BundleHeadOut):
    """The guide of every item in force; short keys, what is empty is left out."""

    items = ma.fields.List(ma.fields.Nested(BundleEntryOut), required=True)


class BundleChangesOut(BundleHeadOut):
    """What leads from the bundle `from` (whose tag was `from_etag`) to `bundle` (whose tag is `etag`)."""

    since = _number(required=True, data_key="from")
    from_etag = _text(required=True)
    etag = _text(required=True)
    added = ma.fields.List(ma.fields.Nested(BundleEntryOut), required=True)
    changed = ma.fields.List(ma.fields.Nested(BundleEntryOut), required=True)
    removed = ma.fields.List(_text(), required=True)


class BundleKeysOut(ma.Schema):
    """The public key as a key set (RFC 7517)."""

    keys = ma.fields.List(ma.fields.Dict(), required=True)


def _not_yet() -> SourceUnavailable:
    """Nothing was made yet. The wish for it is committed here, before the refusal."""
    with transaction() as session:
        service.ask_for(session)
    return SourceUnavailable(headers={"Retry-After": _RETRY_SECONDS})


def _sent(etag: str, signature: str, body: Callable[[], bytes]) -> Response:
    """304 to whoever has it; else the gzip `body` as it is, or what is in it to whoever doesn't read gzip."""
    headers = {
        "Cache-Control": "public, max-age=0",
        "Vary": "Accept-Encoding",
        "ETag": etag,
        "X-Bundle-Signature": signature,
    }
    if request.if_none_match.contains_weak(etag.removeprefix('W/"').removesuffix('"')):
        return Response(status=304, headers=headers)
    if request.accept_encodings.quality("gzip") > 0:
        return Response(body(), headers={**headers, "Content-Encoding": "gzip"}, content_type=_JSON)
    return Response(gzip.decompress(body()), headers=headers, content_type=_JSON)


@blp.get("")
@access.public(PUBLIC)
@blp.response(200, BundleOut)
def whole() -> Response:
    """Take the guide of all items in force, signed."""
    with transaction() as session:
        head = queries.newest(session)
        if head is not None:
            return _sent(head.etag, head.signature, lambda: queries.body(session, head.number))
    raise _not_yet()


@blp.get("/changes")
@access.public(PUBLIC)
@blp.arguments(ChangesIn, location="query")
@blp.response(200, BundleChangesOut)
def changes(args: dict[str, Any]) -> Response:
    """Take what changed since a bundle, signed."""
    with transaction() as session:
        found = queries.changes(session, args["number"])
        if found is not None:
            return _sent(found.etag, found.signature, lambda: found.body)
        made = queries.any_made(session)
    raise BundleTooOld(extra={"whole": _WHOLE}) if made else _not_yet()


@blp.get("/keys")
@access.public("everybody checks signatures with this key")
@blp.response(200, BundleKeysOut)
def keys() -> Response:
    """Publish the key that signs bundles."""
    with transaction() as session:
        found = queries.key_set(session)
    return Response(orjson.dumps(found), headers={"Cache-Control": "public, max-age=0"}, content_type=_JSON)
