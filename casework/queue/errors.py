"""What the queue can refuse."""

from core.errors import Problem


class CallTooSoon(Problem):
    """Calls are a minute apart, so that the person can come (AP-19)."""

    code, status = "CALL_TOO_SOON", 409
    zh, en = "距上次叫号不足间隔时间，请 {seconds} 秒后再试", "Called a moment ago; please wait {seconds} s"


class WindowBusy(Problem):
    """The window still has somebody it called or serves."""

    code, status = "WINDOW_BUSY", 409
    zh, en = "该窗口还有未结束的号", "This window has not finished with its ticket"


class QrInvalid(Problem):
    """The QR code isn't one of ours, was altered, or its day is over."""

    code, status = "QR_INVALID", 422
    zh, en = "二维码无效或已过期，请刷新后再扫", "The QR code is invalid or has expired; please refresh it"
