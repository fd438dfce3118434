"""What every simulator works with: the state, the keys, the people, the queue of callbacks and the injected faults."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, cast

from flask import current_app, request

from sandbox.callbacks import Callbacks
from sandbox.credentials import Credentials
from sandbox.faults import Faults
from sandbox.personas import People
from sandbox.store import Store

BEIJING = timezone(timedelta(hours=8))


@dataclass(frozen=True)
class World:
    """Everything one running sandbox shares between its requests."""

    store: Store
    credentials: Credentials
    people: People
    callbacks: Callbacks
    faults: Faults


class BadControl(ValueError):
    """A control request that can't be carried out; the text says why."""


def world() -> World:
    """The world of the current application."""
    return cast(World, current_app.extensions["sandbox"])


def control_body() -> dict[str, Any]:
    """The fields of a control request: JSON, or a form of the human page. Raises `BadControl`."""
    if request.form:
        return {key: value for key, value in request.form.items() if value}
    body = request.get_json(silent=True) if request.data else {}
    if not isinstance(body, dict):
        raise BadControl("the body must be a JSON object")
    return body


def need(body: dict[str, Any], key: str) -> Any:
    """A field that a control request must carry. Raises `BadControl`."""
    if body.get(key) in (None, ""):
        raise BadControl(f"{key} is missing")
    return body[key]


def beijing(at: float) -> str:
    """A moment as the platforms print it: yyyy-MM-dd HH:mm:ss in Beijing."""
    return datetime.fromtimestamp(at, BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def from_beijing(text: str) -> float:
    """The moment that yyyy-MM-dd HH:mm:ss in Beijing names. Raises `ValueError`."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING).timestamp()
