"""What item managers are refused beside what the catalogue refuses."""

from core.errors import Problem


class ItemEnded(Problem):
    """The item ends or has ended (`gone` says how): it takes no new version. An end to come can be taken back first."""

    code, status = "ITEM_ENDED", 409
    zh, en = (
        "该事项已决定取消，不能再起草或发布新版本",
        "This item ends or has ended; it takes no new version",
    )
