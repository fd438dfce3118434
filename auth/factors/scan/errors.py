"""Refusals about scanned codes."""

from __future__ import annotations

from core.errors import Problem


class ScanCodeInvalid(Problem):
    """Unknown, too old, answered, or scanned by another phone before: not told apart."""

    code, status = "SCAN_CODE_INVALID", 404
    zh = "二维码已失效。请在电脑上换一个二维码，再扫一次"
    en = "This QR code is no longer valid. Show a new one on the computer and scan again"
