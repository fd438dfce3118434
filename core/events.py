"""How features speak upwards and sideways: a published event runs its handlers in the publisher's own transaction.

So "bill paid → case goes on → message is queued" is one commit or none. `gateway.wiring` is the only place that
subscribes. A handler that must talk to the outside defers a job (`core.jobs`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, in the past tense. Carries ids and plain values, never model objects."""


E = TypeVar("E", bound="Event")

_handlers: dict[type[Event], list[Callable[[Session, Any], None]]] = {}


def subscribe(event_type: type[E], handler: Callable[[Session, E], None]) -> None:
    """Run `handler` for every event of `event_type`. Subscribing the same handler twice changes nothing."""
    handlers = _handlers.setdefault(event_type, [])
    if handler not in handlers:
        handlers.append(handler)


def publish(session: Session, event: Event) -> None:
    """Run the handlers of `event`, in the order they were subscribed, inside `session`'s transaction."""
    for handler in _handlers.get(type(event), ()):
        handler(session, event)


def subscriptions() -> dict[type[Event], list[Callable[[Session, Any], None]]]:
    """Who hears what (for the documentation and the guard tests)."""
    return {event_type: list(handlers) for event_type, handlers in _handlers.items()}
