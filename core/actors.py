"""Who acts: a citizen, a member of staff, a partner or the system itself.

Services take one of these as `actor`. They are made by `auth` from a verified token and carry no name, phone or
document number, so that they can be logged and audited as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal
from uuid import UUID

Channel = Literal["APP", "WXMP", "WXOA", "H5", "KIOSK", "HALL", "HOTLINE"]


class Action(StrEnum):
    """What one may be allowed to do for another (DG-1): 提交, 补正, 领证, 缴费, 查询."""

    SUBMIT = "SUBMIT"
    CORRECT = "CORRECT"
    COLLECT = "COLLECT"
    PAY = "PAY"
    VIEW = "VIEW"


class Capacity(StrEnum):
    """As what somebody acted; stored beside the act so that citizen and clerk see it (DG-2)."""

    SELF = "SELF"
    AGENT = "AGENT"
    FAMILY = "FAMILY"
    GUARDIAN = "GUARDIAN"
    AGENCY = "AGENCY"
    LEGAL_REPRESENTATIVE = "LEGAL_REPRESENTATIVE"
    ADMINISTRATOR = "ADMINISTRATOR"
    HANDLER = "HANDLER"
    PROJECT_OFFICER = "PROJECT_OFFICER"


@dataclass(frozen=True, slots=True)
class Acting:
    """What allows a citizen to act for another: a delegation or a role in an organisation, as it stood at this request.

    `scope` and `scope_values` say for which items (`auth.delegation.rules.covers`). `own_hall_id`: the hall where the
    person works as a member of staff, whose matters are closed to them. `needs_minor_consent`: for a child under 14.
    """

    grant_id: UUID
    capacity: Capacity
    actions: frozenset[Action]
    scope: str
    scope_values: frozenset[str] = frozenset()
    for_organisation: bool = False
    own_hall_id: UUID | None = None
    needs_minor_consent: bool = False


@dataclass(frozen=True, slots=True)
class Citizen:
    """A signed-in natural person, acting for itself or on behalf of another subject (DG-2).

    `acting` is what allows the latter; services refuse an act on behalf of another without it.
    """

    subject_id: UUID
    session_id: UUID
    level: int
    channel: Channel
    on_behalf_of: UUID | None = None
    acting: Acting | None = None

    @property
    def owner_id(self) -> UUID:
        """Whose matter this is: the principal's, or one's own."""
        return self.on_behalf_of or self.subject_id

    @property
    def acted_by(self) -> Capacity:
        """As what this person acts."""
        return Capacity.SELF if self.acting is None else self.acting.capacity

    @property
    def audit_id(self) -> str:
        """How the audit log names this actor."""
        return f"citizen:{self.subject_id}"


@dataclass(frozen=True, slots=True)
class Staff:
    """A signed-in member of staff. `roles` are the role codes of DOMAIN 3.16; hall and department bound what is seen.

    `restricted`: the password was set by somebody else; until it is changed, nothing else can be done.
    """

    staff_id: UUID
    session_id: UUID
    roles: frozenset[str]
    hall_id: UUID | None = None
    department_id: str | None = None
    restricted: bool = False

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


def acted_by(actor: Actor) -> Capacity | None:
    """As what `actor` acts; None for whoever acts for nobody: staff, partners, the system."""
    return actor.acted_by if isinstance(actor, Citizen) else None
