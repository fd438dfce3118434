"""Pages for people: / (what this is), /docs (the contract, readable without JavaScript), /docs/errors, and their style."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, redirect, render_template_string
from werkzeug.wrappers import Response as BaseResponse

from core.errors import all_problems
from core.web import access
from core.web.caching import cacheable
from gateway import openapi

_HERE = Path(__file__).resolve().parent
_CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


def register(app: Flask) -> None:
    """Answer the pages."""
    template = (_HERE / "templates" / "docs.html").read_text(encoding="utf-8")
    errors_template = (_HERE / "templates" / "errors.html").read_text(encoding="utf-8")
    style = (_HERE / "static" / "docs.css").read_text(encoding="utf-8")

    @app.get("/")
    @access.public("a person who opened the bare address is led to the documentation")
    def index() -> BaseResponse:
        """Lead to the documentation."""
        return redirect("/docs")

    @app.get("/docs")
    @access.public("the documentation is public")
    @cacheable(300)
    def docs() -> Response:
        """The contract as a page."""
        spec = openapi.document(app)
        return _page(render_template_string(template, spec=spec, groups=_by_tag(spec)))

    @app.get("/docs/errors")
    @access.public("the documentation is public")
    @cacheable(300)
    def docs_errors() -> Response:
        """Every error code with its sentence."""
        return _page(render_template_string(errors_template, problems=sorted(all_problems(), key=lambda p: p.code)))

    @app.get("/docs/docs.css")
    @access.public("style of the documentation")
    @cacheable(86_400)
    def docs_css() -> Response:
        """The pages' style."""
        return Response(style, content_type="text/css; charset=utf-8")

    @app.get("/favicon.ico")
    @access.public("browsers ask for it")
    def favicon() -> tuple[Response, int]:
        """There is none."""
        return jsonify(), 204


def _page(html: str) -> Response:
    response = Response(html, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _CSP
    return response


def _by_tag(spec: dict[str, Any]) -> dict[str, list[tuple[str, str, dict[str, Any]]]]:
    groups: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            if method in {"get", "post", "put", "patch", "delete"}:
                tag = (operation.get("tags") or ["other"])[0]
                groups.setdefault(tag, []).append((method.upper(), path, operation))
    return dict(sorted(groups.items()))
