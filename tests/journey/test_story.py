"""The whole story on real processes, and what it leaves in the logs: nothing of anybody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.settings import Settings
from gateway.local.secrets import partner_environment
from tests import servers
from tests.chaos import KILLS
from tests.environment import environment
from tests.journey.client import Teller
from tests.journey.signing_in import Stack
from tests.journey.stack import own_stack
from tests.journey.story import Story, play
from tests.sandbox_client import Sandbox
from tests.servers import Services


@pytest.fixture
def stack(
    services: Services, settings: Settings, own_database: str, sandbox: Sandbox, worker_number: int, tmp_path: Path
) -> Iterator[Stack]:
    partners = {**partner_environment(sandbox.credentials, sandbox.url), "FILES_URL": (tmp_path / "files").as_uri()}
    environ = environment(
        servers.database_url(services.postgres, own_database), f"{services.valkey}/{8 + worker_number}", partners
    )
    with own_stack({**environ, "DATABASE_POOL": "4", "LOG_LEVEL": "DEBUG"}, sandbox, tmp_path) as running:
        yield running


def _personal(story: Story) -> set[str]:
    """Everything of the people of the story that must not be in a log."""
    people = story.partner.call("GET", "/personas.json")["personas"]
    messages = story.partner.call("GET", "/outbox.json")["messages"]
    found = {str(person[key]) for person in people for key in ("name", "document_number", "phone") if person.get(key)}
    found |= {phone.removeprefix("+86") for phone in found if phone.startswith("+86")}
    found |= {str(person["openid"]) for person in people if person.get("openid")}
    found |= {story.facts["address"]["street"], story.facts["address"]["detail"]}
    found |= {str(message["code"]) for message in messages if message.get("code")}
    found |= {person[key] for person in story.stack.staff.values() for key in ("name", "password", "totp")}
    return found | story.web.secrets


@pytest.mark.slow
def test_the_story_holds_and_leaves_nobody_in_the_logs(stack: Stack, tmp_path: Path) -> None:
    lines: list[str] = []
    story = Story(stack, Teller(lines.append), patience=10)
    play(story)
    assert set(KILLS) <= {what for _who, what, _act in story.steps()}, "the plan of `make chaos` follows the story"
    logs = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in tmp_path.glob("*.log"))
    requests = [json.loads(line) for line in logs.splitlines() if line.startswith("{")]
    assert len([entry for entry in requests if entry.get("event") == "request"]) > 30, "the logs were written"
    assert {secret for secret in _personal(story) if secret in logs} == set()
