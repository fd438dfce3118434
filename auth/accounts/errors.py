"""Refusals about accounts."""

from __future__ import annotations

from core.errors import Problem


class LoginCodeInvalid(Problem):
    """WeChat doesn't take the code: unknown, older than five minutes, used before, or its account is blocked."""

    code, status = "LOGIN_CODE_INVALID", 401
    zh, en = "微信登录已失效，请重新登录", "The WeChat sign-in has expired; please sign in again"


class AccountFrozen(Problem):
    """The subject is frozen by a signal of the source (ID-12)."""

    code, status = "ACCOUNT_FROZEN", 403
    zh = "账号已暂停使用，请携带身份证件到就近的政务服务大厅办理"
    en = "This account is suspended; please come to a service hall with your identity document"


class DocumentDiffers(Problem):
    """The document in hand is not the one this person proved before, or its name differs."""

    code, status = "DOCUMENT_DIFFERS", 409
    zh = "证件或姓名与此人已认证的身份不一致，请核对"
    en = "The document or the name differs from the identity proven before; please check"


class PhoneHeldByAnother(Problem):
    """The number belongs to another proven person, and the asker has proven another identity (ID-4)."""

    code, status = "PHONE_HELD_BY_ANOTHER", 409
    zh = "该手机号已由他人使用。如现在由您使用，请用该手机号验证码登录并核验您本人的身份"
    en = "Another person uses this number. If it is yours now, sign in with a code sent to it and prove your own identity"


class SecondPersonNeeded(Problem):
    """Who proposed to let a frozen account go on can not also agree to it (ID-12)."""

    code, status = "UNFREEZE_NEEDS_ANOTHER", 409
    zh, en = "须由另一位工作人员复核", "Another member of staff has to agree"
