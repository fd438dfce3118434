"""Every route declares who may call it, and keeps the conventions of the wire."""

from flask import Flask

from core.web import access
from core.web.access import Access
from core.web.blueprint import Blueprint
from gateway import openapi
from gateway.app import blueprints

PREFIXES = {"citizen": "/api/v1/", "staff": "/staff/v1/", "partner": "/callbacks/"}


def _declared(app: Flask, endpoint: str) -> Access:
    found = access.declared(app.view_functions[endpoint])
    assert found is not None
    return found


def test_every_route_declares_its_access(app: Flask) -> None:
    bare = [
        rule.rule for rule in app.url_map.iter_rules() if not hasattr(app.view_functions[rule.endpoint], "__access__")
    ]
    assert bare == []


def test_every_blueprint_is_ours() -> None:
    assert [blp.name for blp in blueprints() if not isinstance(blp, Blueprint)] == []


def test_access_fits_the_address(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        declared = _declared(app, rule.endpoint)
        prefix = PREFIXES.get(declared.kind)
        assert prefix is None or rule.rule.startswith(prefix), rule.rule
        if rule.rule.startswith("/staff/"):
            assert declared.kind == "staff" or rule.rule == "/staff/v1/login", rule.rule
        if rule.rule.startswith("/callbacks/"):
            assert declared.kind == "partner", rule.rule
        if declared.kind == "public":
            assert declared.note, f"{rule.rule}: say why anybody may call it"


def test_staff_routes_name_known_roles(app: Flask) -> None:
    from auth.staff import roles

    for rule in app.url_map.iter_rules():
        declared = _declared(app, rule.endpoint)
        assert declared.roles <= roles.ALL, rule.rule


def test_posts_that_make_something_are_idempotent(app: Flask) -> None:
    """A POST that answers 201 took a place, money or a number."""
    spec = openapi.document(app)
    for path, operations in spec["paths"].items():
        post = operations.get("post")
        if post is None or not post["x-access"].startswith(("citizen", "staff")) or "201" not in post["responses"]:
            continue
        references = [parameter.get("$ref", "") for parameter in post.get("parameters", [])]
        assert "#/components/parameters/IdempotencyKey" in references, path


def test_every_view_has_a_summary(app: Flask) -> None:
    for path, operations in openapi.document(app)["paths"].items():
        for method, operation in operations.items():
            if method != "parameters":
                assert operation.get("summary", "").endswith("."), f"{method} {path}"
