"""The adapter against the sandbox over real HTTP: the wire, the signatures both ways, and what a failure means (PROTOCOLS 3)."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from core import clock
from core.money import Fen
from core.ports import PartnerRefused, PartnerUnavailable
from core.settings import Settings
from partners.alipay.payments import AlipayPayments
from payments.orders.ports import NoticeRefused, PayRequest, PlatformState
from payments.orders.rules import Scene
from tests.sandbox_client import Sandbox

PUBLIC = "https://zwfw.example"
PAYER = "zhang-wei"


@pytest.fixture
def alipay(settings: Settings, sandbox: Sandbox) -> AlipayPayments:
    return AlipayPayments(settings.alipay, PUBLIC)


def _request(
    order_no: str = "JK2611240000012_1", amount: int = 9000, scene: Scene = Scene.APP, **more: str
) -> PayRequest:
    return PayRequest(
        order_no=order_no,
        title=f"宁波政务服务缴费 {order_no}",
        amount=Fen(amount),
        scene=scene,
        until=clock.wall() + timedelta(minutes=30),
        **more,
    )


def _pay(sandbox: Sandbox, alipay: AlipayPayments, request: PayRequest, persona: str = PAYER) -> str:
    answer = sandbox.post("alipay/pay", order_string=alipay.hand_over(request).order_string, persona=persona)
    return str(answer["resultStatus"])


def test_app_pay(alipay: AlipayPayments, sandbox: Sandbox) -> None:
    handover = alipay.hand_over(_request())
    assert handover.redirect_url is handover.trade_no is None
    sent = {name: values[0] for name, values in parse_qs(handover.order_string).items()}
    assert sent["method"] == "alipay.trade.app.pay"
    assert sent["notify_url"] == f"{PUBLIC}/callbacks/alipay/notify"
    content = json.loads(sent["biz_content"])
    assert content["total_amount"] == "90.00"
    assert "JK2611240000012" in content["subject"]
    assert sandbox.post("alipay/pay", order_string=handover.order_string, persona=PAYER)["resultStatus"] == "9000"
    seen = alipay.query("JK2611240000012_1")
    assert (seen.state, seen.amount) == (PlatformState.PAID, 9000)
    assert seen.trade_no
    assert seen.paid_at is not None
    assert abs(seen.paid_at - clock.wall()) < timedelta(minutes=1)


def test_h5_leads_to_the_cashier_and_back(alipay: AlipayPayments, sandbox: Sandbox) -> None:
    url = alipay.hand_over(_request(scene=Scene.H5, return_path="/pay/done?bill=1")).redirect_url
    assert url is not None
    assert url.startswith(sandbox.url)
    cashier = requests.get(url, timeout=10)
    assert "90.00" in cashier.text
    left = requests.post(cashier.url, data={"persona": PAYER, "act": "pay"}, timeout=10, allow_redirects=False)
    back = urlsplit(left.headers["Location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == f"{PUBLIC}/pay/done"
    assert parse_qs(back.query)["bill"] == ["1"]
    assert alipay.query("JK2611240000012_1").state is PlatformState.PAID


def test_mini_creates_the_trade(alipay: AlipayPayments, sandbox: Sandbox) -> None:
    buyer = next(p for p in sandbox.get("personas.json")["personas"] if p["key"] == PAYER)["alipay_user_id"]
    request = _request(scene=Scene.MINI, buyer_open_id=buyer)
    trade_no = alipay.create(request)
    assert alipay.create(request) == trade_no
    assert alipay.query(request.order_no).state is PlatformState.WAITING
    sandbox.post("alipay/pay", out_trade_no=request.order_no, persona=PAYER)
    assert alipay.query(request.order_no).trade_no == trade_no


def test_mini_for_an_unknown_buyer_is_refused(alipay: AlipayPayments) -> None:
    with pytest.raises(PartnerRefused, match=r"ACQ\.BUYER_NOT_EXIST"):
        alipay.create(_request(scene=Scene.MINI, buyer_open_id="2088000000000000"))


def test_a_key_in_pkcs8_works_too(settings: Settings, sandbox: Sandbox) -> None:
    account = replace(settings.alipay, app_private_key=sandbox.credentials["alipay"]["app_private_key_pkcs8"])
    assert AlipayPayments(account, PUBLIC).query("JK2611240000012_9").state is PlatformState.NOT_OPENED


@pytest.fixture
def in_new_york() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "America/New_York"
    time.tzset()
    yield
    os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
    time.tzset()


def test_timestamps_are_beijing_time_on_any_machine(
    alipay: AlipayPayments, sandbox: Sandbox, in_new_york: None
) -> None:
    """The sandbox refuses a timestamp that is 15 minutes off; a shifted business clock is not the partner's."""
    with clock.shift(timedelta(days=400)):
        assert _pay(sandbox, alipay, _request()) == "9000"
        seen = alipay.query("JK2611240000012_1")
    assert seen.paid_at is not None
    assert abs(seen.paid_at - clock.wall()) < timedelta(minutes=1)


def test_an_order_nobody_opened(alipay: AlipayPayments) -> None:
    assert alipay.query("JK2611240000012_1").state is PlatformState.NOT_OPENED
    assert alipay.close("JK2611240000012_1").state is PlatformState.NOT_OPENED


def _open(alipay: AlipayPayments, request: PayRequest) -> None:
    url = alipay.hand_over(replace(request, scene=Scene.H5)).redirect_url
    assert url is not None
    assert requests.get(url, timeout=10).status_code == 200


def test_close(alipay: AlipayPayments, sandbox: Sandbox) -> None:
    _open(alipay, _request())
    assert alipay.query("JK2611240000012_1").state is PlatformState.WAITING
    assert alipay.close("JK2611240000012_1").state is PlatformState.CLOSED
    assert alipay.close("JK2611240000012_1").state is PlatformState.CLOSED
    assert _pay(sandbox, alipay, _request()) == "4000"


def test_close_comes_too_late(alipay: AlipayPayments, sandbox: Sandbox) -> None:
    _pay(sandbox, alipay, _request())
    seen = alipay.close("JK2611240000012_1")
    assert (seen.state, seen.amount) == (PlatformState.PAID, 9000)


def test_close_while_the_payment_is_under_way(alipay: AlipayPayments, sandbox: Sandbox) -> None:
    assert _pay(sandbox, alipay, _request(), persona="slow") == "8000"
    with pytest.raises(PartnerUnavailable):
        alipay.close("JK2611240000012_1")


def _refund(alipay: AlipayPayments, number: str = "TK2611240000013", amount: int = 3000) -> None:
    alipay.refund(order_no="JK2611240000012_1", refund_no=number, amount=Fen(amount), reason="政务服务退费")


def _refunded(sandbox: Sandbox) -> dict[str, str]:
    trade = sandbox.get("alipay/trades.json")["trades"][0]
    return {refund["out_request_no"]: refund["amount"] for refund in trade["refunds"]}


def test_refund_repeated_pays_once(alipay: AlipayPayments, sandbox: Sandbox) -> None:
    _pay(sandbox, alipay, _request())
    _refund(alipay)
    _refund(alipay)  # answers fund_change N, so the refund's own query decides
    _refund(alipay, "TK2611240000014", 6000)
    assert _refunded(sandbox) == {"TK2611240000013": "30.00", "TK2611240000014": "60.00"}


def test_refund_beyond_the_payment_is_refused(alipay: AlipayPayments, sandbox: Sandbox) -> None:
    _pay(sandbox, alipay, _request())
    with pytest.raises(PartnerRefused, match=r"ACQ\.REFUND_AMT_NOT_EQUAL_TOTAL"):
        _refund(alipay, amount=9001)
    with pytest.raises(PartnerRefused, match=r"ACQ\.TRADE_NOT_EXIST"):
        alipay.refund(order_no="JK2611240000012_7", refund_no="TK2611240000013", amount=Fen(1), reason="政务服务退费")


def test_refund_whose_answer_was_lost(alipay: AlipayPayments, sandbox: Sandbox) -> None:
    _pay(sandbox, alipay, _request())
    sandbox.fault("alipay", "drop_response_after_effect")
    with pytest.raises(PartnerUnavailable):
        _refund(alipay)
    _refund(alipay)
    assert _refunded(sandbox) == {"TK2611240000013": "30.00"}


@pytest.mark.parametrize("code", ["ACQ.SYSTEM_ERROR", "isp.unknow-error", "aop.ACQ.SYSTEM_ERROR", "isv.invalid-app-id"])
def test_failures_of_the_platform_leave_the_outcome_open(alipay: AlipayPayments, sandbox: Sandbox, code: str) -> None:
    """The last one comes unsigned: nobody vouches for it."""
    sandbox.fault("alipay", "error", value=code)
    with pytest.raises(PartnerUnavailable):
        alipay.query("JK2611240000012_1")


@pytest.mark.parametrize("kind", ["wrong_signature", "garbage", "drop_response_after_effect"])
def test_answers_that_prove_nothing(alipay: AlipayPayments, sandbox: Sandbox, kind: str) -> None:
    _pay(sandbox, alipay, _request())
    sandbox.fault("alipay", kind)
    with pytest.raises(PartnerUnavailable):
        alipay.query("JK2611240000012_1")
    assert alipay.query("JK2611240000012_1").state is PlatformState.PAID


@pytest.mark.parametrize("status", [404, 429, 500, 503])
def test_any_http_status_is_handled(alipay: AlipayPayments, sandbox: Sandbox, status: int) -> None:
    sandbox.fault("alipay", "error", value=status)
    with pytest.raises(PartnerUnavailable):
        alipay.close("JK2611240000012_1")


def test_requests_signed_with_another_key_are_refused(settings: Settings, sandbox: Sandbox) -> None:
    """The sandbox answers with an unsigned error_response, as the real gateway does."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    pem = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(PartnerUnavailable, match="error_response"):
        AlipayPayments(replace(settings.alipay, app_private_key=pem.decode()), PUBLIC).query("JK2611240000012_1")


def test_nothing_of_a_request_is_logged(
    alipay: AlipayPayments, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        _pay(sandbox, alipay, _request())
        alipay.query("JK2611240000012_1")
        _refund(alipay)
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("urllib3")]
    assert not [line for line in ours if "JK2611240000012" in line or "90.00" in line or "sign" in line]


def _notice(sandbox: Sandbox, variant: str) -> bytes:
    made = sandbox.post("alipay/notify", out_trade_no="JK2611240000012_1", variant=variant, send=False)
    return str(made["sent"][0]["body"]).encode()


def test_the_sandbox_s_notice_is_read(alipay: AlipayPayments, sandbox: Sandbox) -> None:
    _pay(sandbox, alipay, _request())
    notice = alipay.read_notice(_notice(sandbox, "repeat"))
    assert notice.order_no == "JK2611240000012_1"
    assert (notice.seen.state, notice.seen.amount, notice.refund) == (PlatformState.PAID, 9000, False)


@pytest.mark.parametrize(
    ("variant", "reason"),
    [
        ("forged", "SIGNATURE_INVALID"),
        ("wrong_seller", "WRONG_SELLER"),
        ("wrong_app", "WRONG_APP"),
        ("stale", "STALE"),
    ],
)
def test_notices_that_are_not_for_us_now(alipay: AlipayPayments, sandbox: Sandbox, variant: str, reason: str) -> None:
    _pay(sandbox, alipay, _request())
    with pytest.raises(NoticeRefused) as refused:
        alipay.read_notice(_notice(sandbox, variant))
    assert refused.value.reason == reason
    assert (refused.value.notice_id is None) == (variant == "forged")


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"{}", b"a=1&a=2", b"charset=utf-7&sign=x", b"x&" * 200])
def test_bodies_that_are_no_notice(alipay: AlipayPayments, body: bytes) -> None:
    with pytest.raises(NoticeRefused) as refused:
        alipay.read_notice(body)
    assert refused.value.reason in {"MALFORMED", "SIGNATURE_INVALID"}


def test_the_sdk_is_imported_late_and_in_small_pieces() -> None:
    """It has 36,000 modules (PROTOCOLS 3.6); a process that never pays loads none of them, one that does a few hundred."""
    script = (
        "import sys\n"
        "def loaded(): return [name for name in sys.modules if name.split('.')[0] == 'alipay']\n"
        "import partners.alipay.payments\n"
        "assert loaded() == [], loaded()\n"
        "import partners.alipay.client\n"
        "from alipay.aop.api.domain import AlipayTradeWapPayModel, AlipayTradeRefundModel\n"
        "print(len(loaded()))\n"
    )
    root = Path(__file__).parents[3]
    run = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    assert int(run.stdout) < 200
