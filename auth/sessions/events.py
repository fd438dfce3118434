"""What sessions announce."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from core.events import Event


@dataclass(frozen=True, slots=True)
class SessionEnded(Event):
    """A session was ended before its time, whoever ended it: what was opened through it ends too (ID-7)."""

    session_id: UUID
    subject_id: UUID


@dataclass(frozen=True, slots=True)
class NewDeviceSignedIn(Event):
    """A device that this person hasn't used lately signed in. `device`: in Chinese words, without personal data."""

    subject_id: UUID
    session_id: UUID
    device: str


@dataclass(frozen=True, slots=True)
class SignInDisowned(Event):
    """The person says that a sign-in wasn't theirs: all their devices were signed out."""

    subject_id: UUID
    report_id: UUID
