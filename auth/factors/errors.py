"""Refusals about one-time codes."""

from __future__ import annotations

from core.errors import Problem


class CodeWrong(Problem):
    """Wrong, too old, used or tried too often: not told apart."""

    code, status = "CODE_WRONG", 401
    zh = "验证码不正确或已失效，请核对或重新获取。连续输错 {tries} 次须重新获取"
    en = "The code is wrong or no longer valid; check it or ask for another. After {tries} wrong tries a new one is needed"


class PhoneNotServed(Problem):
    """Codes are sent to mainland numbers only."""

    code, status = "PHONE_NOT_SERVED", 422
    zh = "验证码目前只能发送到中国内地手机号，请使用微信登录或换一个手机号"
    en = "Codes are sent to mainland numbers only; please sign in with WeChat or use another number"
