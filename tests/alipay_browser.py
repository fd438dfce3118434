"""A person's browser at the sandbox's Alipay pages."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import requests

from tests.sandbox_client import Sandbox


def visit(url: str, persona: str | None) -> dict[str, str]:
    """Open Alipay's page at `url` and agree as `persona`, or refuse: what the browser comes back with."""
    page = requests.get(url, timeout=5)
    assert page.status_code == 200, page.text
    assert "支付宝授权" in page.text
    form = {"act": "agree", "persona": persona} if persona else {"act": "refuse"}
    answer = requests.post(url, form, allow_redirects=False, timeout=5)
    assert answer.status_code == 302, answer.text
    return query_of(answer.headers["Location"])


def query_of(address: str) -> dict[str, str]:
    """The query of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def ids(sandbox: Sandbox, kind: str) -> None:
    """Which ids Alipay tells our application: open_id, user_id or both."""
    sandbox.post("alipay/configure", ids=kind)


def login_code(sandbox: Sandbox, url: str, persona: str) -> str:
    """The code that `persona` comes back with from `url`, without the page."""
    return query_of(sandbox.post("alipay/authorise", url=url, persona=persona)["redirect"])["auth_code"]
