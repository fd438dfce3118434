"""The refusals of the whole product: one class each, one stable code, one sentence in Chinese and one in English.

Services raise them, no view catches them, `gateway.errors` turns them into `application/problem+json` (RFC 9457).
The vocabulary is DOMAIN 3.18; features add theirs in their own `errors.py`. `docs/reference/errors.md` lists all
of them and a test keeps the list true.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar


class Problem(Exception):
    """A request that can't be done, said so that the person who asked can act on it.

    Class attributes: `code` (stable, for programs), `status` (HTTP), `zh` and `en` (sentences; may hold
    `{name}` fields that the constructor's `params` fill).
    """

    code: ClassVar[str] = ""
    status: ClassVar[int] = 400
    zh: ClassVar[str] = ""
    en: ClassVar[str] = ""

    def __init__(
        self,
        *,
        fields: Mapping[str, Sequence[str]] | None = None,
        extra: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        **params: object,
    ) -> None:
        """`fields`: faults by input field; `extra`: more members of the answer (never personal data); `params`: the sentence's fields."""
        super().__init__(self.code)
        self.fields = dict(fields or {})
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})
        self.params = params

    def sentence(self, language: str) -> str:
        """The sentence in `language` ("en" or anything else for Chinese)."""
        return (self.en if language == "en" else self.zh).format(**self.params)


def all_problems() -> Iterator[type[Problem]]:
    """Every problem class that has a code, of all modules imported so far."""
    todo = [Problem]
    seen: set[type[Problem]] = set()
    while todo:
        for sub in todo.pop().__subclasses__():
            if sub not in seen:
                seen.add(sub)
                todo.append(sub)
                if sub.__dict__.get("code"):
                    yield sub


class InvalidInput(Problem):
    """The body, query, path or a header doesn't have the documented shape; `fields` says where."""

    code, status = "INVALID_INPUT", 422
    zh, en = "填写的内容有误，请按提示修改", "Some of the input is wrong; see the fields below"


class MalformedRequest(Problem):
    """Not readable at all: broken JSON, broken form, broken encoding."""

    code, status = "MALFORMED_REQUEST", 400
    zh, en = "请求内容无法识别", "The request can't be read"


class NotAuthenticated(Problem):
    """No token, or one that is expired, revoked or forged."""

    code, status = "NOT_AUTHENTICATED", 401
    zh, en = "请先登录", "Please sign in first"


class AuthLevelTooLow(Problem):
    """The act needs a higher identity assurance level (DOMAIN 3.7; RFC 9470)."""

    code, status = "AUTH_LEVEL_TOO_LOW", 401
    zh, en = "办理此事需要更高的实名等级（需要 {needed} 级）", "This needs a higher identity level (level {needed})"


class Forbidden(Problem):
    """Signed in, but this role may not do it."""

    code, status = "FORBIDDEN", 403
    zh, en = "没有权限进行此操作", "You may not do this"


class ConfirmationNeeded(Problem):
    """This act needs the password or a one-time code again, a few minutes before it."""

    code, status = "CONFIRMATION_NEEDED", 403
    zh, en = "此操作需要再次验证密码或动态码", "Confirm this act with your password or a one-time code first"


class PasswordChangeNeeded(Problem):
    """The password was set by an administrator and must be changed first."""

    code, status = "PASSWORD_CHANGE_NEEDED", 403
    zh, en = "请先修改初始密码", "Change the password that you were given first"


class DelegationOutOfScope(Problem):
    """Acting for another where this isn't part of the delegation, or where nobody may act for another (DG-1, DG-3)."""

    code, status = "DELEGATION_OUT_OF_SCOPE", 403
    zh = "此事不在代办权限内，请由本人办理或到政务服务大厅窗口办理"
    en = "This is outside what you may do for this person; they can do it themselves or at a service hall"


class NotFound(Problem):
    """No such thing, or not this caller's: the two are never told apart."""

    code, status = "NOT_FOUND", 404
    zh, en = "没有找到", "Not found"


class MethodNotAllowed(Problem):
    """The address exists, the method doesn't."""

    code, status = "METHOD_NOT_ALLOWED", 405
    zh, en = "不支持此操作方式", "Method not allowed"


class NotAcceptable(Problem):
    """None of the formats the caller accepts can be made."""

    code, status = "NOT_ACCEPTABLE", 406
    zh, en = "不支持所要求的格式", "The requested format is not available"


class StateConflict(Problem):
    """The thing is no longer in the state this act needs (a second click, another clerk, a finished matter)."""

    code, status = "STATE_CONFLICT", 409
    zh, en = "当前状态下不能进行此操作，请刷新后再试", "This can't be done in the present state; please refresh"


class PayloadTooLarge(Problem):
    """The body is larger than this route takes."""

    code, status = "PAYLOAD_TOO_LARGE", 413
    zh, en = "提交的内容过大", "The request is too large"


class UnsupportedMediaType(Problem):
    """The body's content type is not the documented one."""

    code, status = "UNSUPPORTED_MEDIA_TYPE", 415
    zh, en = "不支持的内容类型", "Unsupported content type"


class IdempotencyKeyMissing(Problem):
    """A POST that takes a place, money or a number came without its Idempotency-Key."""

    code, status = "IDEMPOTENCY_KEY_MISSING", 400
    zh, en = "缺少 Idempotency-Key 请求头", "The Idempotency-Key header is missing"


class IdempotencyKeyReused(Problem):
    """The same Idempotency-Key came with another body or for another address."""

    code, status = "IDEMPOTENCY_KEY_REUSED", 422
    zh, en = "同一 Idempotency-Key 不能用于不同的请求", "This Idempotency-Key was used for another request"


class RateLimited(Problem):
    """Too many requests of this kind; `Retry-After` says when to come back."""

    code, status = "RATE_LIMITED", 429
    zh, en = "操作过于频繁，请 {retry_after} 秒后再试", "Too many requests; try again in {retry_after} s"


class SourceUnavailable(Problem):
    """A neighbour (identity authority, payment platform, Redis …) can't be reached; nothing was changed."""

    code, status = "SOURCE_UNAVAILABLE", 503
    zh, en = "相关服务暂时不可用，请稍后再试", "A service this needs is unavailable; please try again later"


class SignatureInvalid(Problem):
    """A callback's signature doesn't verify."""

    code, status = "SIGNATURE_INVALID", 401
    zh, en = "签名无效", "Invalid signature"


class Replayed(Problem):
    """A callback or nonce that was used before."""

    code, status = "REPLAYED", 409
    zh, en = "重复的请求", "This was sent before"


class InternalError(Problem):
    """A fault of ours. The request id finds it in the log."""

    code, status = "INTERNAL_ERROR", 500
    zh, en = (
        "系统出现故障，已记录，请稍后再试",
        "Something went wrong on our side and was recorded; please try again later",
    )
