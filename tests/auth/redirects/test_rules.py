"""Where a browser may be sent back to (ID-8)."""

import pytest

from auth.redirects.rules import allowed_return, with_parameters

OWN = "https://zw.ningbo.example"
ALLOWED = frozenset({"nbzw://login/done", "https://app.ningbo.example/open"})


@pytest.mark.parametrize(
    ("raw", "whole"),
    [
        ("/me", f"{OWN}/me"),
        ("/me?tab=2", f"{OWN}/me?tab=2"),
        (f"{OWN}/oidc/sign-in/abc", f"{OWN}/oidc/sign-in/abc"),
        ("nbzw://login/done", "nbzw://login/done"),
        ("nbzw://login/done?from=pay", "nbzw://login/done?from=pay"),
        ("https://app.ningbo.example/open", "https://app.ningbo.example/open"),
    ],
)
def test_our_own_and_allowed_addresses(raw: str, whole: str) -> None:
    assert allowed_return(raw, own=OWN, allowed=ALLOWED) == whole


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "me",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        " /me",
        "/me\r\nSet-Cookie: a=b",
        "https://evil.example/me",
        "https://zw.ningbo.example.evil.example/",
        "https://zw.ningbo.example@evil.example/",
        "https://zw.ningbo.example:8443/",
        "http://zw.ningbo.example/me",
        "https:/zw.ningbo.example",
        "javascript:alert(1)",
        "data:text/html,hello",
        "nbzw://login/other",
        "nbzw://login/done/../other",
        "https://app.ningbo.example/open/../x",
        "https://app.ningbo.example/open#fragment",
        "/me#fragment",
        "https://[::1/",
        "/我的",
    ],
)
def test_everything_else_is_refused(raw: str) -> None:
    assert allowed_return(raw, own=OWN, allowed=ALLOWED) is None


def test_parameters_are_added_once() -> None:
    address = with_parameters(f"{OWN}/me?tab=2&state=theirs", {"state": "a b", "auth_code": "x&y"})
    assert address == f"{OWN}/me?tab=2&state=a+b&auth_code=x%26y"
