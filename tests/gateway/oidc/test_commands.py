"""The provider's commands, as an operator types them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from sqlalchemy import text

from core.db import transaction
from core.settings import Settings
from gateway.oidc.commands import oidc_client, rotate_oidc_keys
from tests.factories import oidc

KNOWN = {
    "client_id": "housing-fund",
    "name_zh": "宁波公积金",
    "name_en": "Ningbo Housing Fund",
    "department": "D12",
    "type": "CONFIDENTIAL",
    "auth_method": "client_secret_basic",
    "sector": "housing",
    "redirect_uris": [oidc.CALLBACK],
    "scopes": ["openid"],
    "max_level": 2,
}


def _run(settings: Settings, command: Any, *arguments: str) -> Any:
    return CliRunner().invoke(command, list(arguments), obj=lambda: settings)


@pytest.fixture
def described(tmp_path: Path) -> Path:
    file = tmp_path / "client.json"
    file.write_text(json.dumps(KNOWN), encoding="utf-8")
    return file


def test_register_change_and_disable(client: FlaskClient, settings: Settings, described: Path, tmp_path: Path) -> None:
    made = json.loads(_run(settings, oidc_client, "register", str(described)).output)
    site = oidc.Site("housing-fund", made["client_secret"])
    assert site.exchange(client, "x").get_json()["error"] == "invalid_grant"
    change = tmp_path / "change.json"
    change.write_text('{"max_level": 3}')
    assert "changed" in _run(settings, oidc_client, "change", "housing-fund", str(change)).output
    assert "level 3" in _run(settings, oidc_client, "list").output
    fresh = json.loads(_run(settings, oidc_client, "new-secret", "housing-fund", "--at-once").output)
    assert site.exchange(client, "x").status_code == 401
    site.secret = fresh["client_secret"]
    assert "disabled" in _run(settings, oidc_client, "disable", "housing-fund").output
    assert site.exchange(client, "x").status_code == 401
    assert "enabled" in _run(settings, oidc_client, "enable", "housing-fund").output
    assert site.exchange(client, "x").status_code == 400


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"redirect_uris": ["http://a.example/"]}, "redirect_uris: must be https"),
        ({"type": "ROBOT"}, "ROBOT"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_bad_file_says_what_is_wrong(
    client: FlaskClient, settings: Settings, described: Path, changes: dict[str, Any], told: str
) -> None:
    described.write_text(json.dumps({**KNOWN, **changes}), encoding="utf-8")
    done = _run(settings, oidc_client, "register", str(described))
    assert done.exit_code == 1
    assert told in done.output


@pytest.mark.parametrize("content", ["{", "[]"])
def test_a_file_that_is_no_object(client: FlaskClient, settings: Settings, described: Path, content: str) -> None:
    described.write_text(content)
    assert _run(settings, oidc_client, "register", str(described)).exit_code == 1


def test_an_unknown_client(client: FlaskClient, settings: Settings) -> None:
    done = _run(settings, oidc_client, "disable", "nobody")
    assert (done.exit_code, done.output) == (1, "Error: Not found\n")


def test_rotate_keys(client: FlaskClient, settings: Settings) -> None:
    client.get("/oidc/jwks")
    early = _run(settings, rotate_oidc_keys)
    assert early.exit_code == 1
    with transaction() as session:
        session.execute(text("UPDATE oidc_signing_key SET created_at = created_at - interval '1 hour'"))
    assert "signing:" in _run(settings, rotate_oidc_keys).output
    assert len(client.get("/oidc/jwks").get_json()["keys"]) == 6
