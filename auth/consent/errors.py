"""Refusals about consents."""

from __future__ import annotations

from core.errors import Problem


class ConsentRequired(Problem):
    """The act needs a separate consent that doesn't stand (P-1). `kind` and `text_version` say to which text."""

    code, status = "CONSENT_REQUIRED", 403
    zh = "办理此事需要您单独同意：{title_zh}"
    en = "This needs your consent first: {title_en}"
