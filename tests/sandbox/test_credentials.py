"""Keys and secrets: made once per installation, private, never the same twice."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc.jwk import ECKey

from tests.sandbox.conftest import run


def test_init_makes_them_once_and_privately(tmp_path: Path) -> None:
    state = tmp_path / "state with a space"
    assert run("init", state).returncode == 0
    first = (state / "sandbox.json").read_bytes()
    assert stat.S_IMODE((state / "sandbox.json").stat().st_mode) == 0o600
    assert run("init", state).returncode == 0
    assert (state / "sandbox.json").read_bytes() == first
    assert [path.name for path in state.iterdir()] == ["sandbox.json"]


def test_two_starts_at_once_agree_on_one_set(tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda _: run("init", tmp_path), range(3)))
    assert [answer.returncode for answer in done] == [0] * 3
    assert [path.name for path in tmp_path.iterdir()] == ["sandbox.json"]
    assert json.loads(run("credentials", tmp_path).stdout)["wechat"]["app_id"].startswith("wx")


def test_two_installations_share_no_secret(tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        run("init", tmp_path / name)
        found.append(json.loads(run("credentials", tmp_path / name).stdout))
    one, two = ({f"{p}.{k}": v for p, group in made.items() for k, v in group.items()} for made in found)
    assert one.keys() == two.keys()
    assert [key for key in one if one[key] == two[key]] == [
        "aliyun-sms.sign_name",
        "tencent-sms.sign_name",
        "department.client_id",
    ]


def test_what_an_older_sandbox_made_is_completed_and_kept(tmp_path: Path) -> None:
    run("init", tmp_path)
    path = tmp_path / "sandbox.json"
    made = json.loads(path.read_text())
    older = {**made, "version": 1, "product": {name: dict(group) for name, group in made["product"].items()}}
    older["platform"] = dict(made["platform"])
    del older["product"]["tencent-sms"], older["product"]["wechat"]["push_token"]
    del older["product"]["department"], older["platform"]["department_private_key"]
    path.write_text(json.dumps(older))
    run("init", tmp_path)
    now = json.loads(path.read_text())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert now["version"] == made["version"]
    assert now["product"]["wechat"].pop("push_token")
    assert now["product"].pop("tencent-sms").keys() == made["product"]["tencent-sms"].keys()
    department = now["product"].pop("department")["jwks"]["keys"][0]
    private = ECKey.import_key(now["platform"].pop("department_private_key"))
    assert {name: department[name] for name in ("x", "y")} == {
        name: private.as_dict(private=False)[name] for name in ("x", "y")
    }
    assert now["product"] == older["product"]
    assert now["platform"] == older["platform"]


def test_the_product_gets_its_own_key_in_both_forms_and_none_of_alipays(tmp_path: Path) -> None:
    run("init", tmp_path)
    text = run("credentials", tmp_path).stdout
    alipay = json.loads(text)["alipay"]
    assert alipay["app_private_key"].startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert alipay["app_private_key_pkcs8"].startswith("-----BEGIN PRIVATE KEY-----")
    one, two = (
        load_pem_private_key(alipay[name].encode(), None) for name in ("app_private_key", "app_private_key_pkcs8")
    )
    assert one.private_numbers() == two.private_numbers()  # type: ignore[union-attr]
    platform = json.loads((tmp_path / "sandbox.json").read_text())["platform"]
    assert platform["alipay_private_key"].splitlines()[1] not in text


def test_credentials_before_init_says_what_to_do(tmp_path: Path) -> None:
    answer = run("credentials", tmp_path / "nothing")
    assert answer.returncode == 1
    assert "sandbox init" in answer.stderr
