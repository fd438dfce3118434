"""The table of ways to a level (3.7, RFC 9470). Pure.

Every kind of document leads to every level somewhere: where no way online takes it, the counter does (ID-10).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.identifiers import DocumentType

Reason = tuple[str, str]
"""Why a way is closed: zh, en."""

_RESIDENT = frozenset({DocumentType.RESIDENT_ID})

# Documents that the population source can be asked about; the others are checked at a counter (ID-10).
ONLINE_DOCUMENTS = (
    DocumentType.RESIDENT_ID,
    DocumentType.HMT_RESIDENCE,
    DocumentType.FOREIGN_PERMANENT_RESIDENT,
    DocumentType.HK_MACAO_PERMIT,
    DocumentType.TAIWAN_PERMIT,
    DocumentType.PASSPORT,
    DocumentType.MILITARY_OFFICER,
)

# The network ID is issued for chip documents of the ministries of public security and immigration (网证) [D].
NETWORK_DOCUMENTS = (
    DocumentType.RESIDENT_ID,
    DocumentType.HMT_RESIDENCE,
    DocumentType.FOREIGN_PERMANENT_RESIDENT,
    DocumentType.HK_MACAO_PERMIT,
    DocumentType.TAIWAN_PERMIT,
)


@dataclass(frozen=True, slots=True)
class Way:
    """A way to reach a level, and what it asks for.

    `closed`: why it isn't open, by channel ("*": any other). `documents`: the kinds it takes; None: all. `only`: the
    channels it exists on.
    """

    code: str
    reaches: int
    zh: str
    en: str
    call: str | None = None
    closed: Mapping[str, Reason] = field(default_factory=dict)
    documents: frozenset[DocumentType] | None = None
    only: frozenset[str] | None = None

    def why_closed(self, channel: str, document: DocumentType | None) -> Reason | None:
        """Why the way isn't open to somebody with `document` on `channel`; None when it is."""
        found = self.closed.get(channel) or self.closed.get("*")
        if found is None and document is not None and self.documents is not None and document not in self.documents:
            return _OTHER_DOCUMENT
        return found


_OTHER_DOCUMENT: Reason = (
    "您的证件类型不支持此方式，请携带证件到政务服务大厅窗口核验",
    "This doesn't take your kind of document; have it checked at a service hall",
)
_NO_ALIPAY: Reason = (
    "微信小程序内不能使用支付宝认证，请到政务服务大厅窗口核验",
    "Alipay can't be opened inside WeChat; have your document checked at a service hall",
)
_NO_APP_HERE: Reason = (
    "此设备不能打开国家网络身份认证App，请用手机办理或到窗口核验",
    "The network ID app can't be opened here; use your phone or come to a counter",
)
_NOT_YET: Reason = ("此方式暂未开通", "Not available yet")
_MINI_PROGRAM = frozenset({"WXMP"})
_NO_ALIPAY_HERE: Reason = (
    "此设备不能打开支付宝，请用手机办理或到窗口核验",
    "Alipay can't be opened here; use your phone or come to a counter",
)
_ALIPAY_CLOSED = {"WXMP": _NO_ALIPAY, "WXOA": _NO_ALIPAY, "KIOSK": _NO_ALIPAY_HERE}
_ALIPAY = "/api/v1/identity/alipay"
_NETWORK_CLOSED = {"KIOSK": _NO_APP_HERE}
_NETWORK = "/api/v1/identity/network"
COUNTER = "HALL"

WAYS: tuple[Way, ...] = (
    Way("WECHAT_PHONE", 1, "微信手机号快捷验证", "Your WeChat phone number", "/api/v1/login/wechat/phone", only=_MINI_PROGRAM),
    Way("PHONE_CODE", 1, "短信验证码登录", "Sign in with a code by short message", "/api/v1/login/code"),
    Way("NAME_NUMBER", 2, "核验姓名和证件号码", "Confirm name and document number", "/api/v1/identity/name-and-number",
        documents=frozenset(ONLINE_DOCUMENTS)),
    Way("NETID_BASIC", 2, "国家网络身份认证（基础）", "Network ID, basic level", _NETWORK,
        closed=_NETWORK_CLOSED, documents=frozenset(NETWORK_DOCUMENTS)),
    Way(COUNTER, 3, "携带证件到政务服务大厅窗口核验", "Show your document at a service hall"),
    Way("NETID", 3, "国家网络身份认证（网证）", "Network ID certificate", _NETWORK,
        closed=_NETWORK_CLOSED, documents=frozenset(NETWORK_DOCUMENTS)),
    Way("ALIPAY", 3, "支付宝实名认证", "Alipay identity", _ALIPAY, closed=_ALIPAY_CLOSED, documents=_RESIDENT),
    Way("FACE", 3, "刷脸核验", "Face check", closed={"*": _NOT_YET}, documents=_RESIDENT),
    Way("HALL_VISIT", 4, "到政务服务大厅窗口当面核验", "Have it confirmed in person at a service hall"),
    Way("NETID_PIN", 4, "国家网络身份认证（网证+口令）", "Network ID certificate with PIN", _NETWORK,
        closed=_NETWORK_CLOSED, documents=frozenset(NETWORK_DOCUMENTS)),
    Way("ALIPAY_FRESH", 4, "支付宝实时核验", "Confirm with Alipay now", _ALIPAY, closed=_ALIPAY_CLOSED, documents=_RESIDENT),
    Way("FACE_FRESH", 4, "实时刷脸核验", "Face check now", closed={"*": _NOT_YET}, documents=_RESIDENT),
)  # fmt: skip


def step_up_ways(
    channel: str, level: int, needed: int, *, language: str, document: DocumentType | None = None
) -> list[dict[str, object]]:
    """The ways from `level` up to `needed` on `channel`, closed ones with the reason; `call` is the address that starts one.

    `document`: the kind the person has, where it is known. Face is never the only one (P-2); WeChat can't open Alipay,
    and says so (DOMAIN, first of the ten points).
    """
    mine = [way for way in WAYS if level < way.reaches and (way.only is None or channel in way.only)]
    wanted = [way for way in mine if way.reaches <= needed]
    if wanted and all(way.why_closed(channel, document) for way in wanted):
        # Whose document nothing takes at this level goes to the counter, which gives the next one.
        wanted += [way for way in mine if way.code == COUNTER]
    english = language == "en"
    return [_shown(way, way.why_closed(channel, document), english=english) for way in wanted]


def _shown(way: Way, closed: Reason | None, *, english: bool) -> dict[str, object]:
    return {
        "way": way.code,
        "reaches": way.reaches,
        "label": way.en if english else way.zh,
        "call": way.call,
        "open": closed is None,
        "reason": None if closed is None else closed[english],
    }
