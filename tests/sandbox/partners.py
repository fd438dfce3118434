"""The calls a product makes to each partner, written for the tests alone from the platforms' documents."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

import requests
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from tests.sandbox_client import Sandbox


def inject(sandbox: Sandbox, partner: str, kind: str, **more: Any) -> None:
    """Inject a fault."""
    body = {"partner": partner, "kind": kind, **more}
    requests.post(f"{sandbox.url}/_sandbox/faults", json=body, timeout=5).raise_for_status()


class WeChat:
    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox, self.ours = sandbox, sandbox.credentials["wechat"]

    def login(self, code: str, **over: str) -> dict[str, Any]:
        query = {
            "appid": self.ours["app_id"],
            "secret": self.ours["app_secret"],
            "js_code": code,
            "grant_type": "authorization_code",
            **over,
        }
        return self._json(requests.get(f"{self.sandbox.url}/wechat/sns/jscode2session", query, timeout=5))

    def token(self, **over: Any) -> dict[str, Any]:
        body = {
            "grant_type": "client_credential",
            "appid": self.ours["app_id"],
            "secret": self.ours["app_secret"],
            **over,
        }
        return self._json(requests.post(f"{self.sandbox.url}/wechat/cgi-bin/stable_token", json=body, timeout=5))

    def call(self, path: str, body: dict[str, Any], token: str | None = None) -> dict[str, Any]:
        token = token or self.token()["access_token"]
        url = f"{self.sandbox.url}/wechat/{path}?access_token={token}"
        return self._json(requests.post(url, data=json.dumps(body, ensure_ascii=False).encode(), timeout=5))

    @staticmethod
    def _json(answer: requests.Response) -> dict[str, Any]:
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()
        return found


def beijing(shift_seconds: float = 0) -> str:
    return (datetime.now(UTC) + timedelta(hours=8, seconds=shift_seconds)).strftime("%Y-%m-%d %H:%M:%S")


@cache
def _alipay_keys(private: str, public: str) -> tuple[rsa.RSAPrivateKey, rsa.RSAPublicKey]:
    key, theirs = load_pem_private_key(private.encode(), None), load_pem_public_key(public.encode())
    assert isinstance(key, rsa.RSAPrivateKey) and isinstance(theirs, rsa.RSAPublicKey)
    return key, theirs


class Alipay:
    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox, self.ours = sandbox, sandbox.credentials["alipay"]
        self.key, self.theirs = _alipay_keys(self.ours["app_private_key"], self.ours["alipay_public_key"])

    @property
    def gateway(self) -> str:
        return f"{self.sandbox.url}/alipay/gateway.do"

    def params(self, method: str, content: dict[str, Any], **over: str) -> dict[str, str]:
        """A signed request; what `over` names is signed, too."""
        found = {
            "app_id": self.ours["app_id"],
            "method": method,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": beijing(),
            "version": "1.0",
            "biz_content": json.dumps(content, ensure_ascii=False),
            **over,
        }
        text = "&".join(f"{name}={found[name]}" for name in sorted(found) if found[name] != "")
        signature = self.key.sign(text.encode(), padding.PKCS1v15(), SHA256())
        return {**found, "sign": base64.b64encode(signature).decode()}

    def order_string(self, content: dict[str, Any], **over: str) -> str:
        return urlencode(
            self.params("alipay.trade.app.pay", {"product_code": "QUICK_MSECURITY_PAY", **content}, **over)
        )

    def raw(self, method: str, content: dict[str, Any], **over: str) -> str:
        params = self.params(method, content, **over)
        body = {"biz_content": params.pop("biz_content")}
        return requests.post(self.gateway, params=params, data=body, timeout=5).text

    def call(self, method: str, **content: Any) -> dict[str, Any]:
        """The inner object of an answer whose signature is right."""
        text = self.raw(method, content)
        name = method.replace(".", "_") + "_response"
        inner = text[len(name) + 4 : text.rindex(',"sign":"')]
        assert self.verifies(inner, json.loads(text)["sign"])
        found: dict[str, Any] = json.loads(text)[name]
        return found

    def verifies(self, content: str, signature: str) -> bool:
        try:
            self.theirs.verify(base64.b64decode(signature), content.encode(), padding.PKCS1v15(), SHA256())
        except InvalidSignature:
            return False
        return True

    def notice_is_genuine(self, form: dict[str, str]) -> bool:
        kept = sorted((name, value) for name, value in form.items() if name not in ("sign", "sign_type") and value)
        return self.verifies("&".join(f"{name}={value}" for name, value in kept), form["sign"])

    def paid(self, out_trade_no: str, amount: str = "80.00", persona: str = "zhang-wei", **over: str) -> dict[str, Any]:
        """Make an app order and let the persona pay it: what the Alipay app answers."""
        order = self.order_string(
            {"out_trade_no": out_trade_no, "total_amount": amount, "subject": "不动产登记费"}, **over
        )
        found: dict[str, Any] = self.sandbox.post("alipay/pay", order_string=order, persona=persona)
        return found


class IdentityAuthority:
    def __init__(self, sandbox: Sandbox) -> None:
        self.url = f"{sandbox.url}/identity-authority/v1/verify"
        self.ours = sandbox.credentials["identity-authority"]

    def sign(self, timestamp: str, nonce: str, body: bytes) -> str:
        text = f"{timestamp}\n{nonce}\n{hashlib.sha256(body).hexdigest()}"
        return hmac.new(self.ours["secret"].encode(), text.encode(), "sm3").hexdigest()

    def post(self, fields: dict[str, Any], **headers: str) -> requests.Response:
        body = json.dumps(fields, ensure_ascii=False).encode()
        timestamp = headers.get("X-Timestamp", str(int(time.time())))
        nonce = headers.get("X-Nonce", uuid.uuid4().hex)
        signed = {
            "X-Key-Id": self.ours["key_id"],
            "X-Timestamp": timestamp,
            "X-Nonce": nonce,
            "X-Signature": self.sign(timestamp, nonce, body),
            "Content-Type": "application/json",
            **headers,
        }
        return requests.post(self.url, data=body, headers=signed, timeout=5)

    def genuine(self, answer: requests.Response, nonce: str) -> bool:
        found = answer.headers
        return found["X-Nonce"] == nonce and found["X-Signature"] == self.sign(
            found["X-Timestamp"], nonce, answer.content
        )


class AliyunSms:
    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox, self.ours = sandbox, sandbox.credentials["aliyun-sms"]

    def send(self, phone: str, method: str = "POST", **over: str) -> requests.Response:
        params = {
            "AccessKeyId": self.ours["access_key_id"],
            "Action": "SendSms",
            "Version": "2017-05-25",
            "Format": "JSON",
            "RegionId": "cn-hangzhou",
            "SignatureMethod": "HMAC-SHA1",
            "SignatureVersion": "1.0",
            "SignatureNonce": uuid.uuid4().hex,
            "Timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "PhoneNumbers": phone,
            "SignName": self.ours["sign_name"],
            "TemplateCode": "SMS_100001",
            "TemplateParam": json.dumps({"code": "135790", "minutes": "5"}),
            **over,
        }
        query = "&".join(f"{quote(name, safe='~')}={quote(params[name], safe='~')}" for name in sorted(params))
        text = f"{method}&%2F&{quote(query, safe='~')}"
        digest = hmac.new((self.ours["access_key_secret"] + "&").encode(), text.encode(), hashlib.sha1).digest()
        params["Signature"] = base64.b64encode(digest).decode()
        url = f"{self.sandbox.url}/aliyun-sms/"
        if method == "GET":
            return requests.get(url, params, timeout=5)
        return requests.post(url, params, timeout=5)


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().upper()


class Kuaidi100:
    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox, self.ours = sandbox, sandbox.credentials["kuaidi100"]

    def order(self, third: str, callback: str = "http://127.0.0.1:9/x", **over: Any) -> dict[str, Any]:
        param = {
            "kuaidicom": "ems",
            "recManName": "张伟",
            "recManMobile": "19900000001",
            "recManPrintAddr": "浙江省宁波市海曙区测试路1号",
            "sendManName": "宁波市行政服务中心",
            "sendManMobile": "19900007001",
            "sendManPrintAddr": "浙江省宁波市鄞州区宁穿路1901号",
            "cargo": "文件",
            "callBackUrl": callback,
            "salt": "salt-of-the-order",
            "thirdOrderId": third,
            **over,
        }
        return self.borderapi("bOrder", param)

    def borderapi(self, method: str, param: dict[str, Any], **over: str) -> dict[str, Any]:
        text, stamp = json.dumps(param, ensure_ascii=False), str(int(time.time() * 1000))
        form = {
            "method": method,
            "key": self.ours["key"],
            "t": stamp,
            "param": text,
            "sign": md5(text + stamp + self.ours["key"] + self.ours["secret"]),
            **over,
        }
        return self._post("order/borderapi.do", form)

    def subscribe(self, waybill: str, callback: str, salt: str = "salt-of-the-track", **over: Any) -> dict[str, Any]:
        param = {
            "company": "ems",
            "number": waybill,
            "key": self.ours["key"],
            "parameters": {"callbackurl": callback, "salt": salt, "resultv2": "4"},
            **over,
        }
        return self._post("poll", {"schema": "json", "param": json.dumps(param)})

    def query(self, waybill: str, *, company: str = "ems", sign: str = "", **over: str) -> dict[str, Any]:
        text = json.dumps({"com": company, "num": waybill, "resultv2": "4", **over})
        form = {
            "customer": self.ours["customer"],
            "param": text,
            "sign": sign or md5(text + self.ours["key"] + self.ours["customer"]),
        }
        return self._post("poll/query.do", form)

    def _post(self, path: str, form: dict[str, str]) -> dict[str, Any]:
        answer = requests.post(f"{self.sandbox.url}/kuaidi100/{path}", form, timeout=5)
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()
        return found
