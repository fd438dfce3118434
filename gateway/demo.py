"""The demo staff of a local stack: everybody that a newcomer needs to try each act that takes two people."""

from __future__ import annotations

from dataclasses import dataclass

from auth.staff import roles
from auth.staff import service as staff
from casework.places import queries as places
from core.db import transaction

_HALL, _LAND, _TREASURY = "NB-CITY", "D11", "D09"


@dataclass(frozen=True, slots=True)
class Person:
    """A member of staff. `tries`: what to try as this person, with whom where it takes two."""

    username: str
    name: str
    role: str
    tries: str
    hall_code: str | None = None
    department_id: str | None = None


PEOPLE = (
    Person("clerk", "王芳", roles.FRONT_CLERK, "pre-review, check-in, acceptance, looking people up", _HALL),
    Person("second-clerk", "陈静", roles.FRONT_CLERK, "the other half of what clerk may not do alone", _HALL),
    Person("officer", "赵磊", roles.BACK_OFFICER, "deciding cases", _HALL, _LAND),
    Person("manager", "孙丽", roles.HALL_MANAGER, "hours, windows, closed days; proposing a calendar", _HALL),
    Person("second-manager", "吴敏", roles.HALL_MANAGER, "deciding the calendar that manager proposed", _HALL),
    Person("finance", "周涛", roles.FINANCE, "bills, asking for refunds", None, _TREASURY),
    Person("second-finance", "郑洁", roles.FINANCE, "approving the treasury refund that finance asked for", None, _TREASURY),
    Person("item-manager", "林峰", roles.ITEM_MANAGER, "drafting a version of an item", None, _LAND),
    Person("second-item-manager", "何琳", roles.ITEM_MANAGER, "publishing the draft of item-manager", None, _LAND),
    Person("system-admin", "高翔", roles.SYSTEM_ADMIN, "opening staff accounts, clients, kiosks; asking for a new authenticator"),
    Person("security-admin", "梁玉", roles.SECURITY_ADMIN, "giving roles, agreeing to a new authenticator, proposing to lift a freeze"),
    Person("audit-admin", "宋岩", roles.AUDIT_ADMIN, "reading the audit log"),
    Person("supervisor", "唐宁", roles.SUPERVISOR, "lifting a freeze that security-admin proposed; reviewing emergency look-ups"),
)  # fmt: skip


def make_staff() -> list[dict[str, str]]:
    """Make them, or give them a fresh password and authenticator secret; who they are, for the screen."""
    made = []
    with transaction() as session:
        for person in PEOPLE:
            password, totp = staff.set_demo_member(
                session,
                username=person.username,
                name=person.name,
                roles=(person.role,),
                hall_id=places.hall_by_code(session, person.hall_code).id if person.hall_code else None,
                department_id=person.department_id,
            )
            made.append(
                {
                    "username": person.username,
                    "name": person.name,
                    "roles": person.role,
                    "tries": person.tries,
                    "password": password,
                    "totp": totp,
                }
            )
    return made
