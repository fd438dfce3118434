"""Alembic's entry: migrates the database of DATABASE_URL (or the connection handed over by the caller)."""

from alembic import context
from sqlalchemy import Connection, create_engine, pool, text

from core.db import Base
from gateway.models import load_all

load_all()


def migrate(connection: Connection) -> None:
    """Run the migrations on `connection`, each in its own transaction, refusing to wait long for a lock."""
    connection.execute(text("SET lock_timeout = '4s'"))
    connection.execute(text("SET statement_timeout = '60s'"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        transaction_per_migration=True,
        compare_type=True,
        include_name=lambda name, kind, _parents: (
            not (kind == "table" and name is not None and name.startswith("procrastinate_"))
        ),
    )
    with context.begin_transaction():
        context.run_migrations()


engine = create_engine(context.config.get_main_option("sqlalchemy.url") or "", poolclass=pool.NullPool)
with engine.connect() as opened:
    migrate(opened)
