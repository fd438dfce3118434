"""What is said of an item that ended. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from casework.catalogue.rules import GoneKind

TEXTS: dict[GoneKind, tuple[str, str]] = {
    GoneKind.RENAMED: ("该事项已更名", "This item was renamed"),
    GoneKind.SPLIT: ("该事项已拆分，请选择要办理的事项", "This item was split; please choose the one you need"),
    GoneKind.MERGED: ("该事项已并入其他事项", "This item was merged into another"),
    GoneKind.MOVED: ("该事项已由其他部门办理", "Another department now handles this item"),
    GoneKind.SUCCEEDED: ("该事项已取消，由其他事项接续", "This item ended and has a successor"),
    GoneKind.ENDED: ("该事项已取消", "This item has ended"),
}
"""What the citizen reads, in Chinese and English."""


@dataclass(frozen=True, slots=True)
class Successor:
    """An item in force that an old one leads to."""

    item_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What became of an item that isn't in force; `went_to` holds what is in force now. Without a `kind` nobody said.

    `starts`: the first day it is in force (again), when that is published.
    """

    kind: GoneKind | None
    reason: str
    went_to: tuple[Successor, ...]
    starts: date | None = None

    @property
    def extra(self) -> dict[str, object]:
        """The same for the members of a problem answer."""
        told: dict[str, object] = {}
        if self.starts is not None:
            told["in_force_from"] = self.starts.isoformat()
        if self.kind is None:
            return told
        told |= {"kind": self.kind.value, "reason": self.reason, "went_to": self.successors}
        return told | ({"redirects_to": self.went_to[0].item_id} if len(self.went_to) == 1 else {})

    @property
    def successors(self) -> list[dict[str, str]]:
        """`went_to` as it is answered."""
        return [{"item_id": one.item_id, "name": one.name} for one in self.went_to]

    def text(self, language: str) -> str:
        """What is said of it; empty when nothing is known."""
        if self.starts is not None:
            return f"in force from {self.starts}" if language == "en" else f"自{self.starts}起施行"
        if self.kind is None:
            return ""
        return TEXTS[self.kind][language == "en"]


@dataclass(frozen=True, slots=True)
class Coming:
    """What is published of the days ahead of an item in force: from `day` on another version holds, or it went somewhere."""

    day: date
    gone: Whereabouts | None

    def answer(self, language: str) -> dict[str, object]:
        """As it is answered."""
        if self.gone is None:
            what = "the contents change" if language == "en" else "内容有调整，届时按新的办事指南办理"
        else:
            what = self.gone.text(language) or TEXTS[GoneKind.ENDED][language == "en"]
        return {
            "day": self.day.isoformat(),
            "kind": "CHANGES" if self.gone is None else "ENDS",
            "text": f"From {self.day}: {what}" if language == "en" else f"自{self.day}起：{what}",
            "went_to": [] if self.gone is None else self.gone.successors,
        }


def target_count_fault(kind: GoneKind, targets: int) -> str | None:
    """What is wrong with how many successors an end of `kind` has, or None."""
    if kind is GoneKind.ENDED:
        return None if targets == 0 else "取消且无承接的事项不填去向 / an item that simply ends goes nowhere"
    if kind is GoneKind.SPLIT:
        return None if targets > 1 else "拆分须至少有两个去向事项 / a split leads to at least two items"
    return None if targets == 1 else "须且只能有一个去向事项 / exactly one successor"
