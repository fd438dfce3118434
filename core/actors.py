"""Who acts: a citizen, a member of staff, a partner or the system itself.

Services take one of these as `actor`. They are made by `auth` from a verified token and carry no name, phone or
document number, so that they can be logged and audited as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

Channel = Literal["APP", "WXMP", "WXOA", "H5", "KIOSK", "HALL", "HOTLINE"]


@dataclass(frozen=True, slots=True)
class Citizen:
    """A signed-in natural person, acting for itself or on behalf of another subject (DG-2)."""

    subject_id: UUID
    session_id: UUID
    level: int
    channel: Channel
    on_behalf_of: UUID | None = None

    @property
    def owner_id(self) -> UUID:
        """Whose matter this is: the principal's, or one's own."""
        return self.on_behalf_of or self.subject_id

    @property
    def audit_id(self) -> str:
        """How the audit log names this actor."""
        return f"citizen:{self.subject_id}"


@dataclass(frozen=True, slots=True)
class Staff:
    """A signed-in member of staff. `roles` are the role codes of DOMAIN 3.16; hall and department bound what is seen."""

    staff_id: UUID
    session_id: UUID
    roles: frozenset[str]
    hall_id: UUID | None = None
    department_id: str | None = None

    @property
    def audit_id(self) -> str:
        """How the audit log names this actor."""
        return f"staff:{self.staff_id}"


@dataclass(frozen=True, slots=True)
class Partner:
    """A platform that calls back (`alipay`, `kuaidi100`, …), its signature already verified."""

    name: str

    @property
    def audit_id(self) -> str:
        """How the audit log names this actor."""
        return f"partner:{self.name}"


@dataclass(frozen=True, slots=True)
class System:
    """The product itself: a scheduled job, a rule such as deemed acceptance (C-5)."""

    name: str

    @property
    def audit_id(self) -> str:
        """How the audit log names this actor."""
        return f"system:{self.name}"


Actor = Citizen | Staff | Partner | System
