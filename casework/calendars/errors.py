"""Refusals of the calendar."""

from __future__ import annotations

from core.errors import Problem


class CalendarFaulty(Problem):
    """The days can't be published as they are: `faults` say where, what and how to mend it. Nothing was changed."""

    code, status = "CALENDAR_FAULTY", 422
    zh, en = "日历有 {count} 处问题，请修改后再提交", "The calendar has {count} faults; please mend them first"


class CalendarUnchanged(Problem):
    """All the days are published just so already."""

    code, status = "CALENDAR_UNCHANGED", 409
    zh, en = "与已公布的日历没有差别，无需提交", "This is what is published already; there is nothing to change"


class CalendarChanged(Problem):
    """Another version was published since this was proposed: `days` are no longer what the proposal says they were."""

    code, status = "CALENDAR_CHANGED", 409
    zh, en = (
        "提出之后这些日期已有新的公布，请退回并重新提出",
        "These days were published otherwise meanwhile; reject this and propose it anew",
    )


class SamePersonPublishes(Problem):
    """Whoever proposed days may not decide on them as well."""

    code, status = "CALENDAR_NEEDS_SECOND_PERSON", 403
    zh, en = "提出的人不能自己审批，请由另一位管理员办理", "Another manager must decide on what you proposed"
