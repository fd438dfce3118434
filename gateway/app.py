"""`create_app`: the Flask application, put together from settings."""

from __future__ import annotations

import gc
import importlib
import pkgutil
from types import ModuleType
from typing import Any

import orjson
from flask import Flask, request
from flask.json.provider import JSONProvider
from sqlalchemy.orm import configure_mappers
from werkzeug.middleware.proxy_fix import ProxyFix

import gateway.callbacks
import miniprogram_api
import staff_api
from auth.acting import service as acting
from auth.sessions import authenticator
from auth.sessions.authenticator import TokenAuthenticator
from core import db
from core.errors import MalformedRequest, NotFound
from core.settings import Settings, load
from core.web import access
from core.web.blueprint import Blueprint
from gateway import bodies, errors, health, metrics, openapi, pages
from gateway.headers import EveryAnswer
from gateway.models import feature_modules, load_all
from gateway.oidc import pages as sign_in_pages
from gateway.oidc import protocol, tickets
from gateway.wiring import wire

MAX_BODY = 12 * 1024 * 1024
MAX_JSON_BODY = 256 * 1024
_WITHOUT_BODY = {"GET", "HEAD", "OPTIONS"}


class OrjsonProvider(JSONProvider):
    """orjson: thirteen times faster than the standard library on a page of items."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:  # noqa: ARG002
        """JSON text."""
        return orjson.dumps(obj, default=str).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:  # noqa: ARG002
        """The value of JSON text."""
        return orjson.loads(s)


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application. Reads the environment when no settings are given."""
    settings = settings or load()
    wire(settings)
    app = Flask("gateway", static_folder=None)
    app.json = OrjsonProvider(app)
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY, PUBLIC_URL=settings.public_url)
    app.url_map.strict_slashes = False
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    app.wsgi_app = EveryAnswer(app.wsgi_app)  # type: ignore[method-assign]
    app.before_request(_begin)
    access.install(app, TokenAuthenticator(), settings.metrics_token)
    access.install_acting(app, acting.resolve)
    authenticator.listen(db.conninfo(settings.database_url, "ningbo-government-notices"))
    errors.register(app)
    bodies.install()
    openapi.install(app, blueprints())
    health.register(app, settings)
    pages.register(app)
    protocol.register(app)
    tickets.register(app)
    sign_in_pages.register(app, settings)
    metrics.register(app)
    return app


def preload() -> None:
    """Load every module of the product, and connect to nothing: processes forked after that share the memory and start at once."""
    blueprints()
    load_all()
    for module in feature_modules("jobs"):
        importlib.import_module(module)
    configure_mappers()
    # What the collector never looks at again stays shared: it writes into whatever it looks at.
    gc.collect()
    gc.freeze()


def blueprints() -> list[Blueprint]:
    """Every `blp` of the surfaces, in the order of their module names."""
    return [
        module.blp
        for package in (miniprogram_api, staff_api, gateway.callbacks)
        for module in _modules(package)
        if hasattr(module, "blp")
    ]


def _modules(package: ModuleType) -> list[ModuleType]:
    names = sorted(info.name for info in pkgutil.iter_modules(package.__path__, package.__name__ + "."))
    return [importlib.import_module(name) for name in names]


def _begin() -> None:
    """Before anything reads the request: no database takes the NUL character, and nobody types it."""
    if "\0" in request.environ["PATH_INFO"]:
        raise NotFound()
    if "%00" in (query := request.environ.get("QUERY_STRING", "")) or "\0" in query:
        raise MalformedRequest(fields={"query": ["不能含有空字符 / the NUL character can't be in it"]})
    if request.method not in _WITHOUT_BODY and request.mimetype != "multipart/form-data":
        request.max_content_length = MAX_JSON_BODY
