"""What accounts announce."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from auth.accounts.rules import FreezeReason
from core.events import Event


@dataclass(frozen=True, slots=True)
class SubjectsMerged(Event):
    """`absorbed` turned out to be the same person as `kept`: everything it owned belongs to `kept` now (ID-3)."""

    kept: UUID
    absorbed: UUID


@dataclass(frozen=True, slots=True)
class SubjectFrozen(Event):
    """This person may not go on, by word of a source; open cases go to a person (ID-12).

    Comes again with `DEATH` for somebody who was frozen for another reason and whose death is reported then.
    """

    subject_id: UUID
    reason: FreezeReason


@dataclass(frozen=True, slots=True)
class SubjectRestored(Event):
    """Two people found that the freeze was wrong or is over: what it stopped may go on (ID-12)."""

    subject_id: UUID


@dataclass(frozen=True, slots=True)
class AccountClosed(Event):
    """The person closed the account (P-4): features forget what no archive duty keeps."""

    subject_id: UUID


@dataclass(frozen=True, slots=True)
class PhoneReplaced(Event):
    """A person gave up a phone for another: the old one is told as well (ID-3)."""

    subject_id: UUID
    binding_id: UUID


class AccountChange(StrEnum):
    """What the person should hear about, with the words for it."""

    PHONE_TAKEN = "PHONE_TAKEN"
    SIGN_IN_ADDED = "SIGN_IN_ADDED"
    DEVICE_SIGNED_OUT = "DEVICE_SIGNED_OUT"
    PHONE_CHANGED = "PHONE_CHANGED"
    WECHAT_CHANGED = "WECHAT_CHANGED"
    WECHAT_TAKEN = "WECHAT_TAKEN"

    @property
    def note(self) -> str:
        """A clause in plain Chinese for the notice."""
        return _NOTES[self]


_NOTES = {
    AccountChange.PHONE_TAKEN: "绑定的手机号已由新的使用人登录，已与您的账号解除绑定",
    AccountChange.SIGN_IN_ADDED: "有新的手机号或微信登录了您的账号",
    AccountChange.PHONE_CHANGED: "绑定的手机号已更换，其他设备已退出登录",
    AccountChange.WECHAT_CHANGED: "绑定的微信已更换，其他设备已退出登录",
    AccountChange.WECHAT_TAKEN: "绑定的微信已由其他用户绑定，已与您的账号解除绑定",
    AccountChange.DEVICE_SIGNED_OUT: "有设备重复使用了您的登录凭证，该设备已被退出",
}


@dataclass(frozen=True, slots=True)
class AccountChanged(Event):
    """Something changed that its owner must be able to object to. `change_id` names this one happening."""

    subject_id: UUID
    change: AccountChange
    change_id: UUID
