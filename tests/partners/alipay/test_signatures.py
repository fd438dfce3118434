"""RSA2 by the published vectors: a real notice and a real answer of the gateway (PROTOCOLS 3.1, 3.5)."""

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from core.clock import SHANGHAI
from core.money import Fen
from partners.alipay import signatures
from partners.alipay.client import top_level
from partners.alipay.notices import Recipient, from_beijing, read
from payments.orders.ports import NoticeRefused, PlatformState

VECTORS = json.loads((Path(__file__).parents[2] / "data/vectors.json").read_text(encoding="utf-8"))["vectors"]


def _vector(name: str) -> dict[str, Any]:
    return next(vector for vector in VECTORS if vector["id"] == name)


def _key(vector: dict[str, Any]) -> rsa.RSAPublicKey:
    key = serialization.load_der_public_key(base64.b64decode(vector["input"]["alipay_public_key_b64"]))
    assert isinstance(key, rsa.RSAPublicKey)
    return key


def _form(vector: dict[str, Any]) -> dict[str, str]:
    return {
        name: value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        for name, value in vector["input"]["form"].items()
    }


NOTICE = _vector("alipay.notify.trade")
SENT = from_beijing("2019-08-15 15:56:25")


def _recipient() -> Recipient:
    return Recipient("2019073166072302", "2088531891668739", _key(NOTICE))


def test_the_real_notice_verifies_and_is_read() -> None:
    notice = read(urlencode(_form(NOTICE)).encode(), _recipient(), SENT)
    assert notice.notice_id == "2019081500222155624068450559358070"
    assert notice.order_no == "20190815155618536-564-57"
    assert notice.seen.state is PlatformState.PAID
    assert notice.seen.amount == 10
    assert notice.seen.trade_no == "2019081522001468450512505578"
    assert notice.seen.paid_at is not None
    assert notice.seen.paid_at.astimezone(SHANGHAI).isoformat() == "2019-08-15T15:56:24+08:00"
    assert not notice.refund


def test_what_is_signed_is_the_published_text() -> None:
    text = signatures.content(_form(NOTICE), without=frozenset({"sign", "sign_type"}))
    assert text == NOTICE["input"]["sign_content"]


def test_sign_type_is_not_signed_in_a_notice() -> None:
    form = _form(NOTICE)
    text = signatures.content(form, without=frozenset({"sign"}))
    assert not signatures.verifies(_key(NOTICE), text.encode(), form["sign"])


@pytest.mark.parametrize("name", ["total_amount", "trade_status", "out_trade_no", "seller_id", "app_id", "notify_time"])
def test_any_change_of_the_real_notice_is_refused(name: str) -> None:
    form = {**_form(NOTICE), name: "0.11"}
    with pytest.raises(NoticeRefused, match="SIGNATURE_INVALID"):
        read(urlencode(form).encode(), _recipient(), SENT)


def test_the_real_answer_verifies_over_its_raw_text() -> None:
    vector = _vector("alipay.response.1")
    members = top_level(vector["input"]["raw_response"])
    inner = members[vector["input"]["response_key"]]
    assert inner == vector["expected"]["signed_substring"]
    assert signatures.verifies(_key(vector), inner.encode(), members["sign"].strip('"'))
    again = json.dumps(json.loads(inner), sort_keys=True)
    assert not signatures.verifies(_key(vector), again.encode(), members["sign"].strip('"'))


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def test_sha1_signatures_are_refused(key: rsa.RSAPrivateKey) -> None:
    weak = base64.b64encode(key.sign(b"content", padding.PKCS1v15(), hashes.SHA1())).decode()  # noqa: S303  # what must be refused
    assert not signatures.verifies(key.public_key(), b"content", weak)


@pytest.mark.parametrize("signature", ["", "%%%", "AAAA", "é"])
def test_what_is_no_signature_does_not_verify(key: rsa.RSAPrivateKey, signature: str) -> None:
    assert not signatures.verifies(key.public_key(), b"content", signature)


@pytest.mark.parametrize("form", [serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL])
def test_keys_in_both_forms(key: rsa.RSAPrivateKey, form: serialization.PrivateFormat) -> None:
    pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
    signed = signatures.sign(signatures.private_key(pem), "订单".encode())
    assert signatures.verifies(key.public_key(), "订单".encode(), signed)


def test_empty_values_are_not_signed() -> None:
    params = {"b": "2", "a": "1", "empty": "", "sign": "x"}
    assert signatures.content(params, without=frozenset({"sign"})) == "a=1&b=2"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('{"a_response":{"x":"}"},"sign":"s"}', {"a_response": '{"x":"}"}', "sign": '"s"'}),
        ('{"a":{"n":[1,{"y":2}]} , "alipay_cert_sn":"c", "sign":"s"}', {"a": '{"n":[1,{"y":2}]}', "alipay_cert_sn": '"c"', "sign": '"s"'}),
        ('{"sign":"s","a":{"k":"\\"sign\\":\\"t\\""}}', {"sign": '"s"', "a": '{"k":"\\"sign\\":\\"t\\""}'}),
    ],
)  # fmt: skip
def test_members_are_cut_out_as_they_were_sent(text: str, wanted: dict[str, str]) -> None:
    assert top_level(text) == wanted


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "{}", '{"a":1', '{"a":1}x', '{"a":1,"a":2}', '{"a" 1}', "<html>", "{1:2}", '{"a":1;"b":2}']
)
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # json's own refusals differ
        top_level(text)


def test_amounts_are_read_as_fen() -> None:
    assert Fen(10) == read(urlencode(_form(NOTICE)).encode(), _recipient(), SENT).seen.amount
