"""Household and birth data: whose child somebody is. Signed both ways; README.md states the contract.

The families are in `households.json`, by the keys of `personas.json`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from sandbox import signed
from sandbox.personas import Persona
from sandbox.world import world

blueprint = Blueprint("household_registry", __name__, url_prefix="/household-registry/v1")

NAME = "household-registry"
_PERSON = ("name", "document_type", "document_number")
HOUSEHOLDS: dict[str, dict[str, Any]] = json.loads(
    Path(__file__).with_name("households.json").read_text(encoding="utf-8")
)


def business_error(value: object) -> Response:
    """An answer of HTTP 200 whose result is `value`, whatever was asked."""
    body = request.get_json(silent=True) or {}
    return signed.answer(NAME, 200, request_id=body.get("request_id"), result=str(value))


@blueprint.post("/guardian")
def guardian() -> ResponseReturnValue:
    """Say whether `asking` is a guardian of `child`."""
    refused = signed.refusal(NAME)
    if refused is not None:
        return refused
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or not isinstance(body.get("request_id"), str):
        return signed.answer(NAME, 400, error="fields")
    child, asking = _person(body.get("child")), _person(body.get("asking"))
    household = HOUSEHOLDS.get(child.key) if child is not None else None
    if household is None:
        return signed.answer(NAME, 200, request_id=body["request_id"], result="NOT_FOUND")
    relation = household["guardians"].get(asking.key) if asking is not None else None
    result = "GUARDIAN" if relation else "NOT_GUARDIAN"
    if relation and household.get("disputed"):
        result = "DISPUTED"
    if household.get("institution"):
        result = "INSTITUTION"
    fields = {"born_on": household["born_on"], "relation": relation} if relation else {}
    return signed.answer(NAME, 200, request_id=body["request_id"], result=result, **fields)


def _person(named: object) -> Persona | None:
    """The persona that name and document agree on."""
    if not isinstance(named, dict) or not all(isinstance(named.get(key), str) for key in _PERSON):
        return None
    found = world().people.by_document(named["document_type"], named["document_number"])
    return found if found is not None and found.name == named["name"] else None
