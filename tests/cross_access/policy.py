"""The table of DOMAIN 3.16, route by route: what each role can, and what it can never. Written apart from the routes.

Who changes a route's roles changes this table too, knowing what the rule says.
"""

from auth.staff import roles as r

_REVIEW = "add_note claim conclude get_file get_prereview give_verdict list_queue reject release transfer"

CAN: dict[str, dict[str, str]] = {
    # Receives, pre-reviews, accepts by mandate, issues results; is the registrar at the counter.
    r.FRONT_CLERK: {
        "staff_bills": "issue",
        "staff_cases": "accept accept_prereview accept_walk_in choose_hall collect get_case issue list_cases not_accept"
        " request_correction",
        "staff_delegations": "confirm confirm_in_person declare_own_identity dispute enter enter_guardian enter_institution"
        " offer_for revoke settle",
        "staff_hall": "check_in",
        "staff_identity": "change_phone check decide list_conflicts replace_document send_code",
        "staff_personal_data": "answer give_back take waiting",
        "staff_persons": "break_glass look_up",
        "staff_prereview": f"{_REVIEW} get_by_number",
        "staff_queue": "bring_back call_next finish issue_walk_in list_tickets pass_over recall serve",
        "staff_shipments": "confirm hand_over list_shipments record_incident seal verify_identity",
    },
    # Reviews, suspends, decides the own department's items.
    r.BACK_OFFICER: {
        "staff_cases": "conclude decide get_case issue list_cases request_correction resume suspend",
        "staff_delegations": "declare_own_identity",
        "staff_persons": "break_glass look_up",
        "staff_prereview": _REVIEW,
    },
    # Windows, slots, closures, queues.
    r.HALL_MANAGER: {
        "staff_delegations": "declare_own_identity request_project",
        "staff_hall": "check_in close get_plans get_policy set_plan set_policy",
        "staff_calendars": "changes days decide proposal proposals propose send_file versions",
        "staff_places": "desk preview reopen set_week set_window",
        "staff_personal_data": "waiting",
        "staff_queue": "bring_back issue_walk_in list_tickets",
    },
    r.DEPARTMENT_MANAGER: {
        "staff_cases": "extend get_case list_cases",
        "staff_delegations": "declare_own_identity sign_contract",
    },
    r.PROJECT_OFFICER: {"staff_delegations": "declare_own_identity my_projects"},
    r.FINANCE: {
        "staff_delegations": "declare_own_identity",
        "staff_refunds": "approve list_refunds reject request_refund retry",
    },
    r.HOTLINE_OFFICER: {
        "staff_delegations": "confirm declare_own_identity offer_for",
        "staff_hall": "book_for cancel_for",
    },
    # Reads and orders; the second person where one isn't enough.
    r.SUPERVISOR: {
        "staff_cases": "get_case list_cases",
        "staff_delegations": "declare_own_identity",
        "staff_identity": "lift list_freezes",
        "staff_persons": "looks review",
        "staff_prereview": "allow_second_defect",
        "staff_security": "waiting",
        "staff_tiles": "launches",
    },
    r.ITEM_MANAGER: {
        "staff_catalogue": "diff edit_section give_up keep lint open_draft publish rebase retire send_back submit version versions"
        " withdraw",
        "staff_catalogue_files": "export imports one_import send template",
        "staff_delegations": "declare_own_identity",
        "staff_search": "misses",
    },
    # 2.7: accounts and the system; roles and accounts' safety; the log. Never each other's.
    r.SYSTEM_ADMIN: {
        "staff_calendars": "changes days decide proposal proposals propose send_file versions",
        "staff_delegations": "declare_own_identity",
        "staff_kiosks": "kiosks register set_active",
        "staff_members": "agree_authenticator ask_authenticator close members open_account",
        "staff_oidc_clients": "change disable enable list_clients new_secret register show",
        "staff_search": "misses",
        "staff_tiles": "add_host allow_bridge hosts launches remove_host set_target",
    },
    r.SECURITY_ADMIN: {
        "staff_delegations": "declare_own_identity",
        "staff_identity": "list_freezes propose_lift",
        "staff_members": "agree_authenticator ask_authenticator give_roles members role_changes",
        "staff_persons": "looks",
        "staff_security": "close reports waiting",
    },
    r.AUDIT_ADMIN: {
        "staff_audit": "read_audit",
        "staff_delegations": "declare_own_identity",
        "staff_members": "role_changes",
    },
}

# The column "cannot" of 3.16.
CANNOT: dict[str, set[str]] = {
    r.FRONT_CLERK: {"staff_cases.decide", "staff_cases.conclude"},
    r.BACK_OFFICER: {"staff_cases.accept", "staff_bills.issue", "staff_refunds.request_refund"},
    r.HALL_MANAGER: {"staff_cases.get_case", "staff_prereview.get_prereview", "staff_prereview.get_file"},
    r.PROJECT_OFFICER: {"staff_cases.accept", "staff_prereview.claim", "staff_delegations.confirm_in_person"},
    r.FINANCE: {"staff_cases.decide", "staff_cases.get_case"},
    r.HOTLINE_OFFICER: {"staff_cases.get_case", "staff_prereview.get_file"},
    r.SUPERVISOR: {"staff_cases.decide", "staff_cases.conclude", "staff_cases.accept"},
    r.SYSTEM_ADMIN: {"staff_members.give_roles", "staff_audit.read_audit"},
    r.SECURITY_ADMIN: {"staff_members.open_account", "staff_members.close", "staff_audit.read_audit"},
    r.AUDIT_ADMIN: {"staff_members.open_account", "staff_members.give_roles", "staff_members.close"},
}

# Anybody who is signed in, about the own account; and signing in.
THEMSELVES = {
    f"staff_login.{act}" for act in ("sign_out", "me", "confirm", "change_password", "my_sessions", "end_session")
}


def allowed(role: str) -> set[str]:
    """The endpoints that a role may call."""
    return {f"{surface}.{act}" for surface, acts in CAN[role].items() for act in acts.split()}
