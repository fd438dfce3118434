"""What the offline bundle can refuse."""

from __future__ import annotations

from core.errors import Problem


class BundleTooOld(Problem):
    """The bundle asked about is unknown or no longer kept, so nobody can say what changed since; `whole` is the newest."""

    code, status = "BUNDLE_TOO_OLD", 410
    zh, en = "本地办事指南版本过旧，请重新下载完整内容", "The guide you keep is too old; take the whole one again"
