"""Answers that are the same for everybody in one language: made once, then sent from memory until the catalogue changes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

import orjson
from flask import Response, make_response, request
from sqlalchemy.orm import Session

from casework.catalogue.answers import queries as answers
from casework.catalogue.answers.queries import Answer
from core.db import join, transaction
from core.web.request_context import language

F = TypeVar("F", bound=Callable[..., Any])

_OK = 200
_JSON = "application/json"


def kept(view: F) -> F:
    """Keep the view's answer under address, query and language; clients may keep it too, and ask whether it changed (304).

    Above `@blp.arguments`, so that what is kept is sent without reading the arguments again. Only a 200 is kept.
    """

    @functools.wraps(view)
    def answered(*args: Any, **kwargs: Any) -> Response:
        environ = request.environ
        key = f"{language()} {environ['PATH_INFO']}?{environ['QUERY_STRING']}"
        found = answers.kept(key)
        if found is None:
            with transaction() as session, join(session):
                # Before what the answer is made of, so that it is never taken for newer than it is.
                revision = answers.revision(session)
                found = answers.kept(key)
                if found is None:
                    response = make_response(view(*args, **kwargs))
                    if response.status_code != _OK:
                        return response
                    found = answers.keep(key, revision, response.get_data())
        return _sent(found)

    return cast(F, answered)


def _sent(answer: Answer) -> Response:
    headers = [
        ("Content-Type", _JSON),
        ("Cache-Control", "public, max-age=0"),
        ("Vary", "Accept-Language"),
        ("ETag", answer.etag),
    ]
    response = Response(answer.body, headers=headers)
    if "HTTP_IF_NONE_MATCH" in request.environ:
        response.make_conditional(request)
    return response


def made(make: Callable[[Session], object]) -> Response:
    """The JSON of what `make` reads."""
    with transaction() as session:
        return Response(orjson.dumps(make(session)), content_type=_JSON)
