"""Tencent's signature against the published values (PROTOCOLS 5.2)."""

import json
from pathlib import Path
from typing import Any

import pytest

from partners.sms.tc3 import authorization, credential_scope, signature

_FILE = Path(__file__).parents[2] / "data" / "vectors.json"
VECTORS: list[dict[str, Any]] = [
    vector for vector in json.loads(_FILE.read_text())["vectors"] if vector["id"].startswith("tencent.tc3")
]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_published_values(vector: dict[str, Any]) -> None:
    given = vector["input"]
    known = {
        "content-type": given["content_type"],
        "host": given["host"],
        "x-tc-action": given["action"],
    }
    signed = {name: known[name] for name in given["signed_headers"].split(";")}
    asked = {
        "secret_key": given["secret_key"],
        "service": given["service"],
        "timestamp": given["timestamp"],
        "headers": signed,
        "body": given["body"].encode(),
    }
    assert signature(**asked) == vector["expected"]["signature"]
    assert authorization(secret_id="AKID", **asked) == (
        f"TC3-HMAC-SHA256 Credential=AKID/{credential_scope(given['service'], given['timestamp'])}, "
        f"SignedHeaders={given['signed_headers']}, Signature={vector['expected']['signature']}"
    )
    assert signature(**{**asked, "body": b"{}"}) != vector["expected"]["signature"]


def test_the_day_is_utc() -> None:
    """Half past midnight in Beijing is still the day before."""
    assert credential_scope("sms", 1_764_001_800) == "2025-11-24/sms/tc3_request"
