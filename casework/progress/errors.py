"""What a look-up can refuse."""

from core.errors import Problem


class CaseNotMatched(Problem):
    """No case has this number, name and ID tail; which of them is wrong is never said (QY-1)."""

    code, status = "CASE_NOT_MATCHED", 404
    zh, en = (
        "没有查到匹配的办件，请核对编号、姓名和证件号码后四位",
        "No case matches; please check number, name and the last four characters",
    )


class QueryLocked(Problem):
    """Too many wrong look-ups of this number (QY-2)."""

    code, status = "QUERY_LOCKED", 429
    zh, en = (
        "查询失败次数过多，请 {retry_after} 秒后再试，或拨打 12345",
        "Too many failed look-ups; try again in {retry_after} s or call 12345",
    )
