"""The register of organisations: who represents them. Signed both ways; README.md states the contract.

The organisations are in `organisations.json`; a change of representative or a deregistration is made by control.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from sandbox import signed
from sandbox.world import BadControl, control_body, need, world

blueprint = Blueprint("market_registry", __name__, url_prefix="/market-registry/v1")
control = Blueprint("market_registry_control", __name__, url_prefix="/_sandbox/market-registry")

NAME = "market-registry"
_FIELDS = ("request_id", "credit_code", "name", "document_type", "document_number")
ORGANISATIONS: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("organisations.json").read_text(encoding="utf-8")
)


def business_error(value: object) -> Response:
    """An answer of HTTP 200 whose result is `value`, whatever was asked."""
    body = request.get_json(silent=True) or {}
    return signed.answer(NAME, 200, request_id=body.get("request_id"), result=str(value))


@blueprint.post("/representative")
def representative() -> ResponseReturnValue:
    """Say whether the person named is the legal representative of the organisation named."""
    refused = signed.refusal(NAME)
    if refused is not None:
        return refused
    body = signed.texts(*_FIELDS)
    if body is None:
        return signed.answer(NAME, 400, error="fields")
    found = _now(body["credit_code"])
    if found is None:
        return signed.answer(NAME, 200, request_id=body["request_id"], result="NOT_FOUND")
    if found["deregistered"]:
        return signed.answer(NAME, 200, request_id=body["request_id"], result="DEREGISTERED")
    person = world().people.get(found["representative"])
    asked = (body["name"], body["document_type"], body["document_number"])
    if asked != (person.name, person.document_type, person.document_number):
        return signed.answer(NAME, 200, request_id=body["request_id"], result="NOT_REPRESENTATIVE")
    return signed.answer(
        NAME, 200, request_id=body["request_id"], result="MATCH", name=found["name"], kind=found["kind"]
    )


def _now(credit_code: str) -> dict[str, Any] | None:
    """An organisation as it stands after the changes made by control."""
    found = next((one for one in ORGANISATIONS if one["credit_code"] == credit_code), None)
    if found is None:
        return None
    change = world().store.one("SELECT * FROM organisation_change WHERE organisation = ?", found["key"])
    if change is None:
        return found
    return {**found, "representative": change["representative"], "deregistered": bool(change["deregistered"])}


@control.get("/organisations.json")
def organisations() -> ResponseReturnValue:
    """Every organisation as it stands now."""
    return {"organisations": [_now(one["credit_code"]) for one in ORGANISATIONS]}


@control.post("/change")
def change() -> ResponseReturnValue:
    """Change the register: `{organisation, representative?, deregistered?}`."""
    body = control_body()
    key = str(need(body, "organisation"))
    found = next((one for one in ORGANISATIONS if one["key"] == key), None)
    if found is None:
        raise BadControl(f"no organisation {key!r}")
    wanted = world().people.get(body.get("representative") or found["representative"])
    with world().store.transaction() as db:
        db.execute(
            "INSERT OR REPLACE INTO organisation_change (organisation, representative, deregistered) VALUES (?, ?, ?)",
            (key, wanted.key, int(body.get("deregistered", found["deregistered"]) is True)),
        )
    return {}
