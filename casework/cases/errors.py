"""What a case can refuse."""

from core.errors import Problem


class ReasonMissing(Problem):
    """Refusal and non-acceptance need a reason and the legal clause (C-3)."""

    code, status = "REASON_MISSING", 422
    zh, en = "不予受理或不予许可必须说明理由和法律依据", "A refusal must give its reason and the legal clause"


class CorrectionAlreadyOpen(Problem):
    """One correction at a time, and it lists everything (C-4)."""

    code, status = "CORRECTION_ALREADY_OPEN", 409
    zh, en = "已有未完成的补正通知", "A correction is already open"


class SecondDefectNeedsSupervisor(Problem):
    """A defect that was visible the first time may not be raised later without a supervisor's reason (C-4, PR-5)."""

    code, status = "SECOND_DEFECT_NEEDS_SUPERVISOR", 409
    zh, en = (
        "一次性告知后再提出新问题，须由主管说明理由",
        "A defect raised after the one-time notice needs a supervisor's reason",
    )


class ExtensionUsed(Problem):
    """An extension is approved at most once (C-6)."""

    code, status = "EXTENSION_USED", 409
    zh, en = "办理时限只能延长一次", "The time limit was extended before"
