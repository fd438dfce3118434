"""Refusals about look-ups."""

from __future__ import annotations

from core.errors import Problem


class ReferenceNotMatched(Problem):
    """No matter of this kind connects the clerk with this person, or there is no such person: never told apart (P-5)."""

    code, status = "REFERENCE_NOT_MATCHED", 403
    zh = "没有查到与此人有关、由您经办的办件、预约或叫号，不能查看"
    en = "No case, appointment or called ticket of yours belongs to this person; nothing can be shown"
