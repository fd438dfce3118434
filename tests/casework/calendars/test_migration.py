"""Migration 0024 on a database where days were published and proposed before versions were kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from alembic import command

from gateway.database import config
from tests import servers
from tests.servers import Services


@pytest.fixture
def before(services: Services, worker_number: int) -> Iterator[str]:
    """The address of a database at 0023 with two sources and three proposals."""
    name = f"calendar_{worker_number}"
    servers.admin(services.postgres, f"CREATE DATABASE {name}")
    url = servers.database_url(services.postgres, name)
    command.upgrade(config(url.replace("://", "+psycopg://", 1)), "0023")
    with psycopg.connect(url) as connection:
        connection.execute("""
            INSERT INTO calendar_day (day, is_workday, name, source) VALUES
            ('2026-12-01', true, '', 'chinesecalendar'), ('2026-12-02', false, '放假', '通知'), ('2026-12-03', true, '', '')
        """)
        connection.execute("""
            INSERT INTO calendar_proposal (id, days, source, state, proposed_by, proposed_at, decided_by)
            SELECT gen_random_uuid(), days::jsonb, '通知', state, 'staff:a', now(), decided_by FROM (VALUES
              ('[{"day": "2027-01-01", "is_workday": false, "name": "元旦"},
                 {"day": "2026-12-01", "is_workday": false, "name": "放假"}]', 'OPEN', NULL),
              ('[{"day": "2026-12-02", "is_workday": false, "name": "放假"}]', 'APPROVED', 'staff:b'),
              ('[{"day": "2026-12-01", "is_workday": false, "name": "x"}]', 'REJECTED', 'staff:b')
            ) AS made (days, state, decided_by)
        """)
    yield url
    servers.admin(services.postgres, f"DROP DATABASE {name} WITH (FORCE)")


def test_what_was_published_becomes_versions_and_open_proposals_say_what_is(before: str) -> None:
    command.upgrade(config(before.replace("://", "+psycopg://", 1)), "0024")
    with psycopg.connect(before) as connection:
        rows = connection.execute(
            "SELECT day::text, source, number FROM calendar_day JOIN calendar_version ON number = version ORDER BY day"
        ).fetchall()
        assert rows == [("2026-12-01", "chinesecalendar", 1), ("2026-12-02", "通知", 2), ("2026-12-03", "-", 3)]
        changes = connection.execute("SELECT day::text, version, was_workday, name FROM calendar_change ORDER BY day")
        assert changes.fetchall() == [
            ("2026-12-01", 1, None, ""),
            ("2026-12-02", 2, None, "放假"),
            ("2026-12-03", 3, None, ""),
        ]
        days: dict[str, Any] = dict(connection.execute("SELECT state, days FROM calendar_proposal").fetchall())
    assert [(one["day"], one["was_workday"], one["was_name"]) for one in days["OPEN"]] == [
        ("2026-12-01", True, ""),
        ("2027-01-01", None, None),
    ]
    assert [one["was_workday"] for state in ("APPROVED", "REJECTED") for one in days[state]] == [None, None]
