"""The blueprint of every surface."""

from __future__ import annotations

from typing import Any

import flask_smorest
import marshmallow as ma


class Blueprint(flask_smorest.Blueprint):
    """A blueprint whose arguments are read by one schema each.

    Given a class, webargs makes a schema for each request, and with it a copy of every field: a tenth of what a search
    costs. A schema keeps nothing of what it loads, so one serves all requests.
    """

    def arguments(self, schema: type[ma.Schema] | ma.Schema, **options: Any) -> Any:
        """As in flask-smorest."""
        return super().arguments(schema() if isinstance(schema, type) else schema, **options)
