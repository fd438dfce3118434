"""The payment platform of the product: orders and refunds at Alipay, in the words of our ports."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from core import clock
from core.money import Fen, MoneyError, parse_yuan, yuan_text
from core.ports import PartnerRefused, PartnerUnavailable
from core.settings import AlipaySettings
from partners.alipay import notices, signatures
from payments.orders.ports import Handover, Notice, PayRequest, PlatformState, Seen
from payments.orders.rules import Scene

if TYPE_CHECKING:
    from partners.alipay.client import AlipayClient

NOTIFY_PATH = "/callbacks/alipay/notify"

_PRODUCT_CODES = {Scene.APP: "QUICK_MSECURITY_PAY", Scene.H5: "QUICK_WAP_WAY", Scene.MINI: "JSAPI_PAY"}
# The cashier was never opened: Alipay doesn't know the order.
_NOT_OPENED = frozenset({"ACQ.TRADE_NOT_EXIST"})
# It can't be closed: the payer was quicker, or it is closed already. A query tells which.
_NOT_CLOSABLE = frozenset(
    {"ACQ.TRADE_STATUS_ERROR", "ACQ.REASON_TRADE_STATUS_INVALID", "ACQ.REASON_TRADE_BEEN_FREEZEN"}
)


class AlipayPayments:
    """Implements `payments.orders.ports.PaymentPlatform` and `payments.refunds.ports.RefundPlatform`.

    `public_url` is where the phone's browser and Alipay's notices find us.
    """

    def __init__(self, settings: AlipaySettings, public_url: str) -> None:
        self._settings = settings
        self._public_url = public_url.rstrip("/")

    @cached_property
    def _client(self) -> AlipayClient:
        # The SDK is imported when the first call needs it.
        from partners.alipay.client import AlipayClient

        return AlipayClient(self._settings)

    @cached_property
    def _recipient(self) -> notices.Recipient:
        key = signatures.public_key(self._settings.alipay_public_key)
        return notices.Recipient(self._settings.app_id, self._settings.seller_id, key)

    def hand_over(self, request: PayRequest) -> Handover:
        """Sign the order for the phone: an order string for the Alipay app (APP), or the cashier's address (H5)."""
        if request.scene is Scene.APP:
            from alipay.aop.api.domain.AlipayTradeAppPayModel import AlipayTradeAppPayModel
            from alipay.aop.api.request.AlipayTradeAppPayRequest import AlipayTradeAppPayRequest

            app_pay = AlipayTradeAppPayRequest(biz_model=_fill(AlipayTradeAppPayModel(), request))
            app_pay.notify_url = self._public_url + NOTIFY_PATH
            return Handover(order_string=self._client.sdk_execute(app_pay))
        from alipay.aop.api.domain.AlipayTradeWapPayModel import AlipayTradeWapPayModel
        from alipay.aop.api.request.AlipayTradeWapPayRequest import AlipayTradeWapPayRequest

        model = _fill(AlipayTradeWapPayModel(), request)
        wap_pay = AlipayTradeWapPayRequest(biz_model=model)
        wap_pay.notify_url = self._public_url + NOTIFY_PATH
        if request.return_path:
            model.quit_url = wap_pay.return_url = self._public_url + request.return_path
        return Handover(redirect_url=self._client.page_execute(wap_pay, http_method="GET"))

    def create(self, request: PayRequest) -> str:
        """Create the order for Alipay's mini-program (alipay.trade.create); the trade number for `my.tradePay`."""
        from alipay.aop.api.domain.AlipayTradeCreateModel import AlipayTradeCreateModel
        from alipay.aop.api.request.AlipayTradeCreateRequest import AlipayTradeCreateRequest

        model = _fill(AlipayTradeCreateModel(), request)
        model.op_app_id = self._settings.app_id
        model.buyer_open_id = request.buyer_open_id
        create = AlipayTradeCreateRequest(biz_model=model)
        create.notify_url = self._public_url + NOTIFY_PATH
        return _text(self._client.call(create), "trade_no")

    def query(self, order_no: str) -> Seen:
        """How the order stands (alipay.trade.query)."""
        from alipay.aop.api.domain.AlipayTradeQueryModel import AlipayTradeQueryModel
        from alipay.aop.api.request.AlipayTradeQueryRequest import AlipayTradeQueryRequest

        model = AlipayTradeQueryModel()
        model.out_trade_no = order_no
        try:
            fields = self._client.call(AlipayTradeQueryRequest(biz_model=model))
        except PartnerRefused as refusal:
            if refusal.code in _NOT_OPENED:
                return Seen(PlatformState.NOT_OPENED)
            raise
        if fields.get("out_trade_no") != order_no:
            raise PartnerUnavailable("alipay: an answer about another order")
        try:
            return Seen(
                state=notices.STATES[_text(fields, "trade_status")],
                amount=Fen(parse_yuan(_text(fields, "total_amount"))),
                trade_no=_text(fields, "trade_no"),
                paid_at=_moment(fields.get("send_pay_date")),
            )
        except (KeyError, MoneyError):
            raise PartnerUnavailable("alipay: unreadable answer") from None

    def close(self, order_no: str) -> Seen:
        """Close an unpaid order (alipay.trade.close); how it stands after that."""
        from alipay.aop.api.domain.AlipayTradeCloseModel import AlipayTradeCloseModel
        from alipay.aop.api.request.AlipayTradeCloseRequest import AlipayTradeCloseRequest

        model = AlipayTradeCloseModel()
        model.out_trade_no = order_no
        try:
            self._client.call(AlipayTradeCloseRequest(biz_model=model))
        except PartnerRefused as refusal:
            if refusal.code in _NOT_OPENED:
                return Seen(PlatformState.NOT_OPENED)
            if refusal.code not in _NOT_CLOSABLE:
                raise
            seen = self.query(order_no)
            if seen.state is PlatformState.WAITING:
                raise PartnerUnavailable("alipay: the payment is under way") from None
            return seen
        return Seen(PlatformState.CLOSED)

    def refund(self, *, order_no: str, refund_no: str, amount: Fen, reason: str) -> None:
        """Give money back (alipay.trade.refund). Done only when the funds moved, or the refund's own query says so."""
        from alipay.aop.api.domain.AlipayTradeRefundModel import AlipayTradeRefundModel
        from alipay.aop.api.request.AlipayTradeRefundRequest import AlipayTradeRefundRequest

        model = AlipayTradeRefundModel()
        model.out_trade_no = order_no
        model.out_request_no = refund_no
        model.refund_amount = yuan_text(amount)
        model.refund_reason = reason
        try:
            fields = self._client.call(AlipayTradeRefundRequest(biz_model=model))
        except PartnerRefused:
            # A repeat may be refused although the first call had its effect.
            if self._refunded(order_no, refund_no, amount):
                return
            raise
        if fields.get("fund_change") != "Y" and not self._refunded(order_no, refund_no, amount):
            raise PartnerUnavailable("alipay: the refund is not finished")

    def _refunded(self, order_no: str, refund_no: str, amount: Fen) -> bool:
        """Whether the refund was made (alipay.trade.fastpay.refund.query)."""
        from alipay.aop.api.domain.AlipayTradeFastpayRefundQueryModel import AlipayTradeFastpayRefundQueryModel
        from alipay.aop.api.request.AlipayTradeFastpayRefundQueryRequest import AlipayTradeFastpayRefundQueryRequest

        model = AlipayTradeFastpayRefundQueryModel()
        model.out_trade_no = order_no
        model.out_request_no = refund_no
        try:
            fields = self._client.call(AlipayTradeFastpayRefundQueryRequest(biz_model=model))
            return (
                fields.get("refund_status") == "REFUND_SUCCESS" and parse_yuan(_text(fields, "refund_amount")) == amount
            )
        except PartnerRefused as refusal:
            if refusal.code in _NOT_OPENED:
                return False
            raise PartnerUnavailable("alipay: the refund can't be looked up") from None
        except MoneyError:
            raise PartnerUnavailable("alipay: unreadable answer") from None

    def read_notice(self, body: bytes) -> Notice:
        """Verify a notice by its raw body, at true time. Raises `NoticeRefused`."""
        return notices.read(body, self._recipient, clock.wall())


def _fill(model: Any, request: PayRequest) -> Any:
    """What every way to pay has in common."""
    model.out_trade_no = request.order_no
    model.total_amount = yuan_text(request.amount)
    model.subject = request.title
    model.product_code = _PRODUCT_CODES[request.scene]
    model.time_expire = notices.beijing(request.until)
    return model


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise PartnerUnavailable(f"alipay: no {name} in the answer")
    return value


def _moment(text: object) -> datetime | None:
    try:
        return notices.from_beijing(text) if isinstance(text, str) else None
    except ValueError:
        raise PartnerUnavailable("alipay: unreadable time") from None
