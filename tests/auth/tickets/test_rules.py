"""Where tickets may be taken (ID-8)."""

import pytest

from auth.tickets import rules

LIST = ("https://gjj.example.cn/app/", "https://sb.example.cn/sso?from=nb", "http://127.0.0.1:9000/")


@pytest.mark.parametrize(
    "address",
    [
        "https://gjj.example.cn/app/",
        "https://gjj.example.cn/app/balance?year=2026",
        "https://GJJ.example.cn/app/x",
        "https://sb.example.cn/sso?from=nb",
        "http://127.0.0.1:9000/anything",
    ],
)
def test_what_is_on_the_list(address: str) -> None:
    assert rules.allows(LIST, address)


@pytest.mark.parametrize(
    "address",
    [
        "https://gjj.example.cn/app",
        "https://gjj.example.cn/",
        "http://gjj.example.cn/app/",
        "https://gjj.example.cn:8443/app/",
        "https://gjj.example.cn.evil.cn/app/",
        "https://gjj.example.cn@evil.cn/app/",
        "https://evil.cn/https://gjj.example.cn/app/",
        "https://gjj.example.cn/app/../admin",
        "https://gjj.example.cn/app/%2e%2e/admin",
        "https://gjj.example.cn/app/..%2fadmin",
        "https://gjj.example.cn/app/\\evil.cn",
        "https://gjj.example.cn/app//evil.cn",
        "https://gjj.example.cn/app/#x",
        "https://gjj.example.cn/app/?ticket=mine",
        "https://sb.example.cn/sso",
        "https://sb.example.cn/sso?from=nb&to=evil",
        "https://sb.example.cn/sso/x?from=nb",
        "javascript:alert(1)",
        "//gjj.example.cn/app/",
        "/app/",
        "",
        "https://gjj.example.cn/app/\r\nSet-Cookie: a=b",
        "https://gjj.example.cn/app/" + "x" * 1_000,
        "https://[::1/app/",
    ],
)
def test_what_is_not(address: str) -> None:
    assert not rules.allows(LIST, address)


def test_the_ticket_ends_the_query() -> None:
    assert rules.with_ticket("https://a.cn/b", "t") == "https://a.cn/b?ticket=t"
    assert rules.with_ticket("https://a.cn/b?c=d", "t") == "https://a.cn/b?c=d&ticket=t"
