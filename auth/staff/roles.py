"""The roles of DOMAIN 3.16 and what each may do. What isn't in the table, nobody may do.

Routes declare roles (`core.web.access.staff`); the console asks for the permissions to know what to show. Hall and
department bound what is seen of what is allowed: that is each feature's look-up.
"""

from __future__ import annotations

from collections.abc import Iterable

FRONT_CLERK = "FRONT_CLERK"
BACK_OFFICER = "BACK_OFFICER"
HALL_MANAGER = "HALL_MANAGER"
DEPARTMENT_MANAGER = "DEPARTMENT_MANAGER"
PROJECT_OFFICER = "PROJECT_OFFICER"
FINANCE = "FINANCE"
HOTLINE_OFFICER = "HOTLINE_OFFICER"
SUPERVISOR = "SUPERVISOR"
ITEM_MANAGER = "ITEM_MANAGER"
SYSTEM_ADMIN = "SYSTEM_ADMIN"
SECURITY_ADMIN = "SECURITY_ADMIN"
AUDIT_ADMIN = "AUDIT_ADMIN"

# 2.7: system, security and audit administration are never in one hand.
SEPARATED = frozenset({SYSTEM_ADMIN, SECURITY_ADMIN, AUDIT_ADMIN})

PERMISSIONS: dict[str, frozenset[str]] = {
    FRONT_CLERK: frozenset(
        {
            "prereview.review",
            "queue.call",
            "appointment.check_in",
            "case.receive",
            "case.accept",
            "identity.check_at_counter",
            "bill.issue",
            "shipment.pack",
            "result.issue",
        }
    ),
    BACK_OFFICER: frozenset({"case.review", "case.suspend", "case.decide"}),
    HALL_MANAGER: frozenset({"hall.windows", "hall.slots", "hall.closures", "queue.watch", "shipment.follow_up"}),
    DEPARTMENT_MANAGER: frozenset({"case.watch_department", "case.extend"}),
    PROJECT_OFFICER: frozenset({"project.help"}),
    FINANCE: frozenset({"bill.read", "refund.make", "receipt.issue", "payment.reconcile"}),
    HOTLINE_OFFICER: frozenset({"hotline.handle", "progress.read_limited"}),
    SUPERVISOR: frozenset({"supervision.read", "supervision.order"}),
    ITEM_MANAGER: frozenset({"catalogue.draft", "catalogue.publish_of_others"}),
    SYSTEM_ADMIN: frozenset({"system.settings", "staff.accounts"}),
    SECURITY_ADMIN: frozenset({"staff.manage"}),
    AUDIT_ADMIN: frozenset({"audit.read"}),
}

ALL = frozenset(PERMISSIONS)


def permissions(held: Iterable[str]) -> frozenset[str]:
    """What somebody with the roles `held` may do."""
    return frozenset[str]().union(*(PERMISSIONS.get(role, frozenset()) for role in held))
