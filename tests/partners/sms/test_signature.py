"""Aliyun's RPC v1 signature against its published example."""

import json
from pathlib import Path

from partners.sms.signature import sign

VECTORS = json.loads((Path(__file__).parents[2] / "data" / "vectors.json").read_text(encoding="utf-8"))["vectors"]


def test_published_example() -> None:
    vector = next(vector for vector in VECTORS if vector["id"] == "aliyun.sms.rpc_v1")
    given = vector["input"]
    assert sign(given["method"], given["params"], given["secret"]) == vector["expected"]["signature"]
