"""What a pre-review can refuse."""

from __future__ import annotations

from core.errors import Problem


class PreReviewNotOffered(Problem):
    """The item has no pre-review (PR-1)."""

    code, status = "PREREVIEW_NOT_OFFERED", 409
    zh, en = (
        "该事项不提供预审，请直接预约或到窗口办理",
        "This item has no pre-review; please book or come to the counter",
    )


class ItemVersionChanged(Problem):
    """The item changed while the draft was open; `changes` says how, and the citizen must confirm (PR-2)."""

    code, status = "ITEM_VERSION_CHANGED", 409
    zh, en = "办事要求已更新，请核对变化后确认", "The requirements have changed; please look at the changes and confirm"


class MaterialMissing(Problem):
    """Needed materials are not provided, or defective ones not changed; `materials` lists their numbers (PR-1)."""

    code, status = "MATERIAL_MISSING", 422
    zh, en = "还有材料未提供：{names}", "Some materials are still missing: {names}"


class VerdictMissing(Problem):
    """Everything is told once, so every material needs a verdict first; `materials` lists those without (PR-5)."""

    code, status = "VERDICT_MISSING", 409
    zh, en = "还有材料没有审查意见，须一次性告知", "Some materials have no verdict yet; everything must be told at once"
