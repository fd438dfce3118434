"""What closing a day means, in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Closing:
    """What other hours on a day would do: the bookings of the day, and how many of them the hall would cancel (AP-15)."""

    booked: int
    cancelled: int

    def text(self, language: str) -> str:
        """For the manager, before it is done."""
        kept = self.booked - self.cancelled
        if language == "en":
            return (
                f"{self.booked} booked that day: {self.cancelled} will be cancelled by the hall, told at once, without "
                f"penalty and with priority to book again; {kept} stay as they are"
            )
        return f"当日已有{self.booked}个预约：{self.cancelled}个将由大厅取消，立即通知本人，不计违约并可优先改约；{kept}个不受影响"
