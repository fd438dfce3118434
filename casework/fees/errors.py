"""What billing can refuse."""

from core.errors import Problem


class NothingToBill(Problem):
    """None of the chosen fee lines can be billed here."""

    code, status = "NOTHING_TO_BILL", 422
    zh, en = "没有可开具的收费项目", "There is nothing to bill"
