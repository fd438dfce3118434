"""What booking can refuse."""

from core.errors import Problem


class BookingLimit(Problem):
    """One of the limits of AP-8 is reached; `limit` in the answer says which."""

    code, status = "BOOKING_LIMIT", 409
    zh, en = "已达到预约数量限制：{zh}", "Booking limit reached: {en}"


class BookingBlocked(Problem):
    """Too many missed appointments: no booking online for a while (AP-22). Walk-in and hotline stay open."""

    code, status = "BOOKING_BLOCKED", 403
    zh, en = (
        "预约信用提示：因多次预约后未到场，{until} 前暂不能网上预约；可到现场取号，或拨打 12345 预约",
        "After several missed appointments you can't book online until {until}; you may walk in or call 12345",
    )


class HoldExpired(Problem):
    """The place was held too long, or is not this caller's (AP-10)."""

    code, status = "HOLD_EXPIRED", 409
    zh, en = "为您保留的名额已过期，请重新选择时段", "The place held for you has expired; please choose again"


class CancelTooLate(Problem):
    """The slot has begun; or a change was asked later than changes are possible (AP-13, AP-14)."""

    code, status = "CANCEL_TOO_LATE", 409
    zh, en = "已超过可操作的时间", "It is too late for this"


class CheckinTooEarly(Problem):
    """Check-in opens half an hour before the slot (AP-16)."""

    code, status = "CHECKIN_TOO_EARLY", 409
    zh, en = "还未到签到时间，{opens} 起可签到", "Check-in opens at {opens}"


class CheckinTooLate(Problem):
    """More than an hour late: the booking is lost, walk-in is possible (AP-17)."""

    code, status = "CHECKIN_TOO_LATE", 409
    zh, en = "已超过签到时间，可现场取号办理", "Too late to check in; please take a walk-in ticket"


class BookingNotOffered(Problem):
    """The item isn't done by appointment."""

    code, status = "BOOKING_NOT_OFFERED", 409
    zh, en = "该事项无需预约，可直接到窗口取号办理", "This item needs no appointment; please take a ticket at the hall"
