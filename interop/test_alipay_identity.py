# tests assert
"""Signing in and real name against Alipay's official SDK for Node: it asks, and verifies what the sandbox answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from interop.alipay_node import call_sdk
from tests.alipay_browser import visit
from tests.sandbox.conftest import start
from tests.sandbox_client import Sandbox, free_port

CARD = {"user_name": "张伟", "cert_type": "IDENTITY_CARD", "cert_no": "330299199003070013"}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox of its own."""
    started = start(tmp_path_factory.mktemp("sandbox"), free_port())
    yield started.sandbox
    started.stop()


def sdk(sandbox: Sandbox, method: str, **given: Any) -> dict[str, Any]:
    """Let the SDK call the sandbox's gateway."""
    gateway = f"{sandbox.url}/alipay/gateway.do"
    return call_sdk(sandbox.credentials["alipay"], gateway, "exec", method=method, **given)


def agree(sandbox: Sandbox, scope: str, persona: str, **more: str) -> str:
    """Click through the authorisation page: the code."""
    asked = {
        "app_id": sandbox.credentials["alipay"]["app_id"],
        "scope": scope,
        "redirect_uri": "http://127.0.0.1:9/return",
        "state": "s",
        **more,
    }
    return visit(f"{sandbox.url}/alipay/oauth2/publicAppAuthorize.htm?{urlencode(asked)}", persona)["auth_code"]


def token(sandbox: Sandbox, code: str) -> dict[str, Any]:
    """What the SDK gets for a code."""
    return sdk(sandbox, "alipay.system.oauth.token", common={"grant_type": "authorization_code", "code": code})


def test_the_sdk_exchanges_a_code_once(sandbox: Sandbox) -> None:
    """A success has no code; a used code gives no second token."""
    code = agree(sandbox, "auth_base", "zhang-wei")
    found = token(sandbox, code)
    assert found["access_token"]
    assert found["open_id"]
    assert "access_token" not in token(sandbox, code)


@pytest.mark.parametrize(("persona", "passed"), [("zhang-wei", "T"), ("li-na", "F")])
def test_the_sdk_compares_a_person(sandbox: Sandbox, persona: str, passed: str) -> None:
    """preconsult, the page, the token, consult."""
    verify_id = sdk(sandbox, "alipay.user.certdoc.certverify.preconsult", content=CARD)["verify_id"]
    made = token(sandbox, agree(sandbox, "id_verify", persona, cert_verify_id=verify_id))
    found = sdk(
        sandbox,
        "alipay.user.certdoc.certverify.consult",
        content={"verify_id": verify_id},
        common={"auth_token": made["access_token"]},
    )
    assert (found["code"], found["passed"]) == ("10000", passed)
