"""What the catalogue can refuse."""

from core.errors import Problem


class ItemNotInForce(Problem):
    """The item exists but no version of it is in force on that day; `redirects_to` names its successor, if it has one."""

    code, status = "ITEM_NOT_IN_FORCE", 404
    zh, en = "该事项当前不在有效期内", "This service item is not in force"
