"""Refusals about in whose name somebody acts."""

from __future__ import annotations

from core.errors import Problem


class OwnMatter(Problem):
    """A member of staff works on a matter of their own, or one in which they act for somebody (PEERS 4.12)."""

    code, status = "OWN_MATTER", 403
    zh, en = "这是您本人或您代办的事项，请由其他工作人员办理", "This matter is your own; a colleague must handle it"
