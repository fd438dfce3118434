"""ETag and Cache-Control for answers that are the same for everybody."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

from flask import Response, make_response, request

F = TypeVar("F", bound=Callable[..., Any])


def cacheable(seconds: int) -> Callable[[F], F]:
    """Let clients keep the answer for `seconds` and ask again with If-None-Match (304 when unchanged)."""

    def decorate(view: F) -> F:
        @functools.wraps(view)
        def cached(*args: Any, **kwargs: Any) -> Response:
            response = make_response(view(*args, **kwargs))
            if response.status_code == 200:
                response.headers["Cache-Control"] = f"public, max-age={seconds}"
                response.headers["Vary"] = "Accept-Language"
                response.add_etag()
                if request.if_none_match:
                    response.make_conditional(request)
            return response

        return cast(F, cached)

    return decorate
