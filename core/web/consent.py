"""Routes whose act needs a separate consent (P-1) declare it, below the access declaration.

    @access.citizen(level=2)
    @consent.needed("FACE")

What stands is known by the function that `auth` provides and `gateway.wiring` installs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

from core import ports
from core.actors import Citizen
from core.web import access

F = TypeVar("F", bound=Callable[..., Any])


class ConsentCheck(Protocol):
    """What `auth` must provide."""

    def insist(self, actor: Citizen, kind: str) -> None:
        """Raises a `Problem` with the code CONSENT_REQUIRED and the text to show, unless consent of `kind` stands."""
        ...


def needed(kind: str) -> Callable[[F], F]:
    """The view runs only while the citizen's consent of `kind` to the text in force stands."""

    def decorate(view: F) -> F:
        @functools.wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            ports.get(ConsentCheck).insist(access.citizen_actor(), kind)
            return view(*args, **kwargs)

        return cast(F, guarded)

    return decorate
