"""Refusals about proving who one is. None tells which of name and number was wrong, or anything about another person."""

from __future__ import annotations

from core.errors import Problem


class IdentityNotMatched(Problem):
    """Name and number don't belong together, or the source doesn't know them: not told apart."""

    code, status = "IDENTITY_NOT_MATCHED", 422
    zh = "姓名与证件号码核验未通过。请按证件逐字核对后再试，或携带证件到政务服务大厅办理"
    en = "Name and number could not be confirmed. Compare with your document and try again, or come to a service hall"


class IdentityDocumentExpired(Problem):
    """The document is no longer valid."""

    code, status = "IDENTITY_DOCUMENT_EXPIRED", 422
    zh, en = "证件已过有效期，请换领新证后再试", "The document has expired; please try again with the new one"


class IdentityNotUsable(Problem):
    """The source says that this identity can't be used (death, cancellation: ID-12); the reason goes to nobody online."""

    code, status = "IDENTITY_NOT_USABLE", 403
    zh = "该证件目前不能在网上核验，请携带证件到政务服务大厅办理"
    en = "This document can't be verified online at present; please come to a service hall with it"


class IdentityAlreadyProven(Problem):
    """This account has proven another document."""

    code, status = "IDENTITY_ALREADY_PROVEN", 409
    zh = "当前账号已完成他人或其他证件的实名认证，请退出后用您本人的手机号登录再试"
    en = "This account has proven another identity; sign out and sign in with your own phone"


class CoolingDown(Problem):
    """A change of phone is too recent for property matters on a new device; `until` says when they go on (ID-13)."""

    code, status = "COOLING_DOWN", 403
    zh = "您刚更换手机号，为保护您的财产，新设备上的财产类事项暂缓办理，请稍后再试或到政务服务大厅办理"
    en = (
        "You changed your phone a short while ago; to protect your property, property matters on a new device have to "
        "wait. Try again later or come to a service hall"
    )


class IdentityInConflict(Problem):
    """Another person has proven this document under another name; a registrar decides (PEERS 4.2)."""

    code, status = "IDENTITY_IN_CONFLICT", 409
    zh = "该证件号码需要人工核对，请本人携带证件到政务服务大厅窗口办理"
    en = "This document number has to be looked at by a person; please come to a service hall with your document"
