"""The contract: OpenAPI 3.1 from the views' own decorators, with what every route shares added in one place.

Access, Idempotency-Key and the problem answers are read off the view functions, so they can't drift from what runs.
"""

from __future__ import annotations

import re
from typing import Any

import flask_smorest
import orjson
from flask import Flask, Response

from core.web import access
from core.web.blueprint import Blueprint
from core.web.caching import cacheable
from core.web.schemas import ProblemOut

_OWN_WORDS = {"text/plain", "text/html"}
_CONVERTER = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")

DESCRIPTION = """\
Backend of the "Ningbo Government" app, its WeChat mini-program and its courier partners.

* `/api/v1` for phones, `/staff/v1` for clerks, `/callbacks` for partners.
* Errors are `application/problem+json` with a stable `code`; `detail` is in Chinese or English by `Accept-Language`.
* Money is whole fen, times carry a zone, lists page by `cursor`.
* POSTs that take a place, money or a number need an `Idempotency-Key`.
"""


class Api(flask_smorest.Api):
    """flask-smorest with our error shape (`gateway.errors` answers; the schema here is its documentation)."""

    ERROR_SCHEMA = ProblemOut

    def _register_error_handlers(self) -> None:
        """Leave errors to `gateway.errors`."""


def install(app: Flask, blueprints: list[Blueprint]) -> Api:
    """Register the blueprints and serve /openapi.json."""
    app.config.update(
        API_TITLE="宁波政务 / Ningbo Government",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        API_SPEC_OPTIONS={
            "info": {"description": DESCRIPTION, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}}
        },
    )
    api = Api(app)
    for blueprint in blueprints:
        api.register_blueprint(blueprint)
    app.extensions["api"] = api

    @app.get("/openapi.json")
    @access.public("the contract is public")
    @cacheable(300)
    def openapi_json() -> Response:
        """The OpenAPI 3.1 document."""
        return Response(orjson.dumps(document(app)), content_type="application/json")

    return api


def document(app: Flask) -> dict[str, Any]:
    """The whole contract as a dictionary. Built once per application."""
    made: dict[str, Any] | None = app.extensions.get("openapi")
    if made is None:
        made = _complete(app, app.extensions["api"].spec.to_dict())
        app.extensions["openapi"] = made
    return made


def _complete(app: Flask, spec: dict[str, Any]) -> dict[str, Any]:
    components = spec.setdefault("components", {})
    components["securitySchemes"] = {
        "citizen": {"type": "http", "scheme": "bearer", "description": "Access token of a citizen"},
        "staff": {"type": "http", "scheme": "bearer", "description": "Access token of a member of staff"},
    }
    components["responses"] = {
        "Problem": {
            "description": "The request was refused; `code` says why",
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    }
    components["parameters"] = {
        "IdempotencyKey": {
            "name": "Idempotency-Key",
            "in": "header",
            "required": True,
            "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{8,100}$"},
            "description": "One value per intended act; repeat it when repeating the request",
        },
        "ActFor": {
            "name": access.ACT_FOR,
            "in": "header",
            "required": False,
            "schema": {"type": "string", "format": "uuid"},
            "description": "Act for another: the id of the delegation or role that allows it",
        },
    }
    components.setdefault("schemas", {}).setdefault("Problem", _problem_schema(components["schemas"]))
    for rule in app.url_map.iter_rules():
        path = _CONVERTER.sub(r"{\1}", rule.rule)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            operation = spec["paths"].get(path, {}).get(method.lower())
            if operation is not None:
                _complete_operation(operation, rule.endpoint, app.view_functions[rule.endpoint])
    spec["paths"] = dict(sorted(spec["paths"].items()))
    components["schemas"] = dict(sorted(components["schemas"].items()))
    return spec


def _problem_schema(schemas: dict[str, Any]) -> dict[str, Any]:
    from apispec import APISpec
    from apispec.ext.marshmallow import MarshmallowPlugin

    plugin = MarshmallowPlugin()
    APISpec("", "", "3.1.0", plugins=[plugin])
    assert plugin.converter is not None  # noqa: S101  # set by APISpec above
    schema: dict[str, Any] = plugin.converter.schema2jsonschema(ProblemOut)  # type: ignore[no-untyped-call]
    schemas.pop("Error", None)
    return {**schema, "additionalProperties": True}  # a kind of problem may say more (RFC 9457, 3.2)


def _complete_operation(operation: dict[str, Any], endpoint: str, view: Any) -> None:
    declared: access.Access = view.__access__
    operation["operationId"] = endpoint.replace(".", "_")
    operation["x-access"] = _access_text(declared)
    problem = {"$ref": "#/components/responses/Problem"}
    responses = operation.setdefault("responses", {})
    for status, documented in list(responses.items()):
        # A refusal in a partner's own words, or as a page for a browser, is documented as such by its view.
        if not status.startswith(("2", "3")) and not _OWN_WORDS & documented.get("content", {}).keys():
            responses[status] = problem
    responses["default"] = problem
    if declared.kind in {"citizen", "staff"}:
        operation["security"] = [{declared.kind: []}]
        responses["401"] = problem
        if declared.kind == "staff":
            responses["403"] = problem
        if declared.confirm:
            operation["x-confirm"] = declared.confirm
    if getattr(view, "__idempotent__", False):
        operation.setdefault("parameters", []).append({"$ref": "#/components/parameters/IdempotencyKey"})
    if declared.acts:
        operation.setdefault("parameters", []).append({"$ref": "#/components/parameters/ActFor"})
        operation["x-acts"] = sorted(declared.acts)
        responses["403"] = problem


def _access_text(declared: access.Access) -> str:
    if declared.kind == "citizen":
        return f"citizen, level {declared.level}"
    if declared.kind == "staff":
        return "staff: " + (", ".join(sorted(declared.roles)) or declared.note)
    return declared.kind
