"""Alipay's asynchronous notices (PY-8): verified by the form as it arrived, then checked to be for us, now, and whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qs, parse_qsl

from cryptography.hazmat.primitives.asymmetric import rsa

from core.clock import SHANGHAI
from core.money import Fen, MoneyError, parse_yuan
from partners.alipay import signatures
from payments.orders.ports import Notice, NoticeRefused, PlatformState, Seen

# Alipay's states in our words.
STATES = {
    "WAIT_BUYER_PAY": PlatformState.WAITING,
    "TRADE_SUCCESS": PlatformState.PAID,
    "TRADE_FINISHED": PlatformState.PAID,
    "TRADE_CLOSED": PlatformState.CLOSED,
}
# Alipay sends a notice up to eight times within 25 hours; what is older is somebody else's copy.
MAX_AGE = timedelta(hours=25)

_TIME = "%Y-%m-%d %H:%M:%S"
_UNSIGNED = frozenset({"sign", "sign_type"})
_CHARSETS = frozenset({"utf-8", "gbk"})
_MAX_FIELDS = 100


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who we are at Alipay, and the key its notices are verified with."""

    app_id: str
    seller_id: str
    key: rsa.RSAPublicKey


def beijing(moment: datetime) -> str:
    """A time as Alipay writes it: Beijing, without zone."""
    return moment.astimezone(SHANGHAI).strftime(_TIME)


def from_beijing(text: str) -> datetime:
    """The moment Alipay wrote; refunds carry milliseconds. Raises `ValueError`."""
    return datetime.strptime(text.partition(".")[0], _TIME).replace(tzinfo=SHANGHAI)


def read(body: bytes, recipient: Recipient, now: datetime) -> Notice:
    """The notice in `body`.

    Raises `NoticeRefused` for one that is not readable, forged, for another application or seller, or stale at true time `now`.
    """
    form = _form(body)
    charset = form.get("charset", "utf-8").lower()
    signed = signatures.content(form, without=_UNSIGNED).encode(charset, "replace")
    if form.get("sign_type") != signatures.SIGN_TYPE or not signatures.verifies(
        recipient.key, signed, form.get("sign", "")
    ):
        raise NoticeRefused("SIGNATURE_INVALID")
    notice_id = form.get("notify_id", "")
    if not notice_id or not form.get("out_trade_no"):
        raise NoticeRefused("INCOMPLETE")
    if form.get("app_id") != recipient.app_id:
        raise NoticeRefused("WRONG_APP", notice_id)
    if form.get("seller_id") != recipient.seller_id:
        raise NoticeRefused("WRONG_SELLER", notice_id)
    try:
        if now - from_beijing(form.get("notify_time", "")) > MAX_AGE:
            raise NoticeRefused("STALE", notice_id)
        seen = _seen(form)
    except (KeyError, ValueError, MoneyError) as fault:
        raise NoticeRefused("INCOMPLETE", notice_id) from fault
    refund = bool(form.get("gmt_refund") or form.get("refund_fee"))
    return Notice(notice_id, form["out_trade_no"], seen, refund)


def _seen(form: dict[str, str]) -> Seen:
    paid_at = form.get("gmt_payment")
    return Seen(
        state=STATES[form["trade_status"]],
        amount=Fen(parse_yuan(form["total_amount"])),
        trade_no=form["trade_no"],
        paid_at=from_beijing(paid_at) if paid_at else None,
    )


def _form(body: bytes) -> dict[str, str]:
    """The fields, decoded once by the charset the form itself names; a field that comes twice could be read two ways."""
    try:
        text = body.decode("ascii")
        charset = parse_qs(text, max_num_fields=_MAX_FIELDS).get("charset", ["utf-8"])[0].lower()
        if charset not in _CHARSETS:
            raise NoticeRefused("MALFORMED")
        pairs = parse_qsl(text, keep_blank_values=True, encoding=charset, errors="strict", max_num_fields=_MAX_FIELDS)
    except ValueError as fault:
        raise NoticeRefused("MALFORMED") from fault
    form = dict(pairs)
    if len(form) != len(pairs):
        raise NoticeRefused("MALFORMED")
    return form
