"""What taking a slot can refuse."""

from core.errors import Problem


class SlotFull(Problem):
    """No room left in this slot (AP-9)."""

    code, status = "SLOT_FULL", 409
    zh, en = "该时段已约满，请选择其他时段", "This slot is full; please choose another one"


class SlotNotReleased(Problem):
    """The slot's day isn't open for booking: not yet, or not any more (AP-5)."""

    code, status = "SLOT_NOT_RELEASED", 409
    zh, en = "该时段未开放预约", "This slot is not open for booking"
