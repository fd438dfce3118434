"""The fixtures of the ordinary suite serve here too: real PostgreSQL, Valkey, the sandbox, the application."""

from tests.conftest import (  # noqa: F401  # pytest finds fixtures by name
    _app,
    _sandbox,
    app,
    citizen,
    client,
    count_queries,
    database,
    own_database,
    run_jobs,
    sandbox,
    services,
    session,
    settings,
    staff,
    worker_number,
)
