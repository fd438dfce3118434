"""Loads every feature's tables, for migrations and for relations that cross features by name."""

from __future__ import annotations

import importlib
import pkgutil

PACKAGES = ("core", "auth", "notifications", "payments", "casework")
_CORE_TABLES = (
    "core.audit",
    "core.calendar",
    "core.callbacks",
    "core.numbers",
    "core.retention",
    "core.web.idempotency",
)


def load_all() -> None:
    """Import the core's tables and every `models` module of every feature."""
    for module in (*_CORE_TABLES, *feature_modules("models")):
        importlib.import_module(module)


def feature_modules(name: str) -> list[str]:
    """The dotted names of all modules called `name` in the features, such as `casework.cases.models`."""
    found = []
    for package in PACKAGES[1:]:
        path = importlib.import_module(package).__path__
        found += [
            info.name
            for info in pkgutil.walk_packages(path, prefix=f"{package}.")
            if info.name.rsplit(".", 1)[-1] == name
        ]
    return sorted(found)
