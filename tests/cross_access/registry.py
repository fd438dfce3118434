"""What the entry of a route says: a real object, who is meant to have it, a body that works, and what isn't there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from tests.cross_access.world import World

Headers = dict[str, str]


@dataclass
class Target:
    """`path`: the address's values for the real object; `may`: the headers of who is meant to have it.

    `body`, `query`: a call that works. `gets`: the answer of who may have it, None for 2xx; anything
    but 404 and 401 for a call that the object's state refuses. `absent`: the same address of nothing; made up from
    `path` by default. `citywide`: why no hall or department bounds a staff route. `outsiders`: more who mustn't.
    `tag`: the If-Match of the call, after the object's id.
    """

    path: dict[str, Any]
    may: Headers
    body: Any = None
    query: dict[str, Any] = field(default_factory=dict)
    gets: int | None = None
    absent: dict[str, Any] = field(default_factory=dict)
    citywide: str = ""
    outsiders: dict[str, Headers] = field(default_factory=dict)
    agent: Headers | None = None
    moment: datetime | None = None
    tag: str = ""

    def missing(self) -> dict[str, Any]:
        """The address of nothing: ids of the same form that nobody has."""
        made = {name: str(uuid4()) for name, value in self.path.items() if len(str(value)) == 36}
        return {**self.path, **made, **self.absent}


Maker = Callable[["World", str], Target]
OBJECTS: dict[str, Maker] = {}


def entry(*endpoints: str) -> Callable[[Maker], Maker]:
    """Register what makes the object of these routes; it gets the world and the endpoint."""

    def keep(maker: Maker) -> Maker:
        for endpoint in endpoints:
            assert endpoint not in OBJECTS, endpoint
            OBJECTS[endpoint] = maker
        return maker

    return keep
