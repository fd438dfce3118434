"""Migrating the database: from the command line, at `make run`, and for the tests' template."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

ROOT = Path(__file__).resolve().parent.parent


def config(database_url: str = "") -> Config:
    """Alembic's configuration for `database_url` (postgresql+psycopg://…); paths don't depend on the working folder."""
    alembic = Config()
    alembic.set_main_option("script_location", str(ROOT / "migrations").replace("%", "%%"))
    alembic.set_main_option("sqlalchemy.url", database_url.replace("%", "%%"))
    alembic.set_main_option("path_separator", "os")
    return alembic


def migrate(database_url: str) -> None:
    """Bring the database to the newest revision."""
    command.upgrade(config(database_url), "head")


def heads() -> tuple[str, ...]:
    """The newest revisions of the migration chain (a guard test wants exactly one)."""
    return tuple(ScriptDirectory.from_config(config()).get_heads())
