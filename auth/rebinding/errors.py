"""Refusals about changing what one signs in with."""

from __future__ import annotations

from core.errors import Problem


class NotANewOwner(Problem):
    """Only a session signed in by nothing but a phone of another person can say that the phone changed hands (ID-4)."""

    code, status = "NOT_A_NEW_OWNER", 409
    zh = "当前登录方式不能声明号码换主，请用该手机号验证码重新登录后再试"
    en = "Sign in with a code sent to this phone first; then you can tell us that the number is yours now"
