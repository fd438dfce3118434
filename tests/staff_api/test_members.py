"""Accounts, roles and authenticators by administrators kept apart; own passwords and sessions; the audit log (2.7)."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from auth.staff.models import StaffMember, StaffRoleChange, StaffSession
from casework.prereview.models import PreReview
from core import clock
from core.db import transaction
from tests.factories import auth as people
from tests.factories import cases
from tests.factories import prereview as papers
from tests.factories.catalogue import CITY_HALL

People = Callable[..., tuple[Any, dict[str, str]]]
PATH = "/staff/v1/members"
NEW = "Another-horse-8"


def call(
    client: FlaskClient, method: str, path: str, headers: dict[str, str], body: Any = None, *, status: int = 200
) -> Any:
    answer = client.open(path, method=method, json=body, headers={**headers, "Idempotency-Key": uuid4().hex})
    assert answer.status_code == status, answer.text
    found: Any = answer.json if answer.data else None
    return found


@pytest.fixture
def opened(client: FlaskClient, staff: People) -> dict[str, Any]:
    """An account as the system administrator makes it."""
    body = {"username": f"new.{uuid4().hex[:6]}", "name": "陈静", "hall_id": str(CITY_HALL)}
    made: dict[str, Any] = call(client, "POST", PATH, staff("SYSTEM_ADMIN")[1], body, status=201)
    return made


def sign_in(client: FlaskClient, made: dict[str, Any], *, password: str = "", status: int = 200) -> Any:
    if 30 - time.time() % 30 < 3:
        time.sleep(3)
    totp = pyotp.parse_uri(made["totp"])
    assert isinstance(totp, pyotp.TOTP)
    with transaction() as session:
        session.execute(
            update(StaffMember).where(StaffMember.username == made["member"]["username"]).values(totp_last_step=None)
        )
    body = {"username": made["member"]["username"], "password": password or made["password"], "totp": totp.now()}
    return call(client, "POST", "/staff/v1/login", {}, body, status=status)


def bearer(session: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {session['access_token']}"}


def test_a_new_account_has_no_roles_and_a_password_to_change(
    client: FlaskClient, staff: People, opened: dict[str, Any]
) -> None:
    assert (opened["member"]["roles"], opened["member"]["must_change_password"]) == ([], True)
    me = bearer(sign_in(client, opened))
    call(
        client, "PUT", f"{PATH}/{opened['member']['id']}/roles", staff("SECURITY_ADMIN")[1],
        {"roles": ["FRONT_CLERK"], "reason": "入职"},
    )  # fmt: skip
    time.sleep(1.1)
    assert call(client, "GET", "/staff/v1/prereviews", me, status=403)["code"] == "PASSWORD_CHANGE_NEEDED"
    weak = {"old": opened["password"], "new": "short"}
    assert call(client, "POST", "/staff/v1/me/password", me, weak, status=422)["code"] == "PASSWORD_TOO_WEAK"
    same = {"old": opened["password"], "new": opened["password"]}
    assert call(client, "POST", "/staff/v1/me/password", me, same, status=422)["code"] == "PASSWORD_USED_BEFORE"
    wrong = {"old": "Wrong-horse-77", "new": NEW}
    assert call(client, "POST", "/staff/v1/me/password", me, wrong, status=403)["code"] == "CONFIRMATION_REFUSED"
    call(client, "POST", "/staff/v1/me/password", me, {"old": opened["password"], "new": NEW}, status=204)
    call(client, "GET", "/staff/v1/prereviews", me)
    back = {"old": NEW, "new": opened["password"]}
    assert call(client, "POST", "/staff/v1/me/password", me, back, status=422)["code"] == "PASSWORD_USED_BEFORE"
    sign_in(client, opened, status=401)
    sign_in(client, opened, password=NEW)


def test_a_password_change_ends_the_other_sessions(client: FlaskClient, opened: dict[str, Any]) -> None:
    other, me = bearer(sign_in(client, opened)), bearer(sign_in(client, opened))
    listed = call(client, "GET", "/staff/v1/me/sessions", me)["items"]
    assert [one["current"] for one in listed] == [True, False]
    call(client, "POST", "/staff/v1/me/password", me, {"old": opened["password"], "new": NEW}, status=204)
    call(client, "GET", "/staff/v1/me", me)
    call(client, "GET", "/staff/v1/me", other, status=401)


def test_signing_out_somewhere_else(client: FlaskClient, opened: dict[str, Any]) -> None:
    other, me = bearer(sign_in(client, opened)), bearer(sign_in(client, opened))
    listed = call(client, "GET", "/staff/v1/me/sessions", me)["items"]
    call(client, "DELETE", f"/staff/v1/me/sessions/{listed[1]['id']}", me, status=204)
    call(client, "GET", "/staff/v1/me", other, status=401)
    call(client, "DELETE", f"/staff/v1/me/sessions/{listed[1]['id']}", me, status=404)


def test_the_three_administrators_are_kept_apart(client: FlaskClient, staff: People) -> None:
    """Nobody does two of making accounts, giving roles and reading the log; nobody holds two of the roles."""
    clerk, _ = staff("FRONT_CLERK")
    one = f"{PATH}/{clerk.staff_id}"
    acts: dict[str, list[tuple[str, str, Any, int]]] = {
        "SYSTEM_ADMIN": [("POST", PATH, {"username": "some.one", "name": "某人"}, 201)],
        "SECURITY_ADMIN": [("PUT", f"{one}/roles", {"roles": ["BACK_OFFICER"], "reason": "调岗"}, 200)],
        "AUDIT_ADMIN": [("GET", "/staff/v1/audit", None, 200)],
    }
    for role in acts:
        _, headers = staff(role)
        for owner, calls in acts.items():
            for method, path, body, status in calls:
                call(client, method, path, headers, body, status=status if owner == role else 403)
    _, security = staff("SECURITY_ADMIN")
    two = {"roles": ["SYSTEM_ADMIN", "AUDIT_ADMIN"], "reason": "兼任"}
    assert call(client, "PUT", f"{one}/roles", security, two, status=422)["code"] == "ROLES_NOT_ALLOWED"


def test_nobody_changes_the_own_account(client: FlaskClient, staff: People) -> None:
    security, headers = staff("SECURITY_ADMIN")
    body = {"roles": ["SECURITY_ADMIN", "FINANCE"], "reason": "方便"}
    own = f"{PATH}/{security.staff_id}"
    assert call(client, "PUT", f"{own}/roles", headers, body, status=403)["code"] == "OWN_ACCOUNT"
    assert (
        call(client, "POST", f"{own}/authenticator", headers, {"reason": "丢了"}, status=403)["code"] == "OWN_ACCOUNT"
    )
    system, system_headers = staff("SYSTEM_ADMIN")
    call(client, "POST", f"{PATH}/{system.staff_id}/close", system_headers, status=403)
    with pytest.raises(IntegrityError), transaction() as session:
        session.add(
            StaffRoleChange(
                staff_id=security.staff_id, changed_by=security.staff_id, before=[], after=["FINANCE"], reason="",
                at=clock.wall(),
            )
        )  # fmt: skip


def test_changes_of_roles_are_written_for_good(client: FlaskClient, staff: People) -> None:
    clerk, mine = staff("FRONT_CLERK", hall_id=CITY_HALL)
    admin, headers = staff("SECURITY_ADMIN")
    call(client, "GET", "/staff/v1/prereviews", mine)
    path = f"{PATH}/{clerk.staff_id}"
    call(client, "PUT", f"{path}/roles", headers, {"roles": [], "reason": "停职"})
    time.sleep(1.1)
    call(client, "GET", "/staff/v1/prereviews", mine, status=403)
    changes: list[dict[str, Any]] = call(client, "GET", f"{path}/role-changes", headers)["items"]
    (row,) = changes
    assert (row["changed_by"], row["before"], row["after"]) == (str(admin.staff_id), ["FRONT_CLERK"], [])
    with pytest.raises(DBAPIError), transaction() as session:
        session.execute(text("UPDATE staff_role_change SET reason = ''"))


def test_a_leaver_holds_nothing_any_more(client: FlaskClient, staff: People, citizen: People, app: Flask) -> None:
    """PEERS 4.12: sessions and claims end at once."""
    assert app
    clerk, mine = staff("FRONT_CLERK", hall_id=CITY_HALL)
    person, _ = citizen()
    with transaction() as session:
        claimed = papers.claimed(session, person, clerk).id
    call(client, "POST", f"{PATH}/{clerk.staff_id}/close", staff("SYSTEM_ADMIN")[1])
    call(client, "GET", "/staff/v1/me", mine, status=401)
    with transaction() as session:
        waiting = session.get_one(PreReview, claimed)
        assert (waiting.state, waiting.claimed_by) == ("SUBMITTED", None)


def test_a_temporary_account_ends_by_itself(client: FlaskClient, staff: People, opened: dict[str, Any]) -> None:
    past = (clock.wall() - timedelta(minutes=1)).isoformat()
    body = {"username": "temp.one", "name": "临时", "expires_at": past}
    call(client, "POST", PATH, staff("SYSTEM_ADMIN")[1], body, status=422)
    me = bearer(sign_in(client, opened))
    call(client, "GET", "/staff/v1/me", me)
    with transaction() as session:
        session.execute(
            update(StaffMember)
            .where(StaffMember.username == opened["member"]["username"])
            .values(expires_at=clock.wall() - timedelta(seconds=1))
        )
    time.sleep(1.1)
    call(client, "GET", "/staff/v1/me", me, status=401)
    sign_in(client, opened, status=401)


def test_a_new_authenticator_takes_two_others(client: FlaskClient, staff: People, opened: dict[str, Any]) -> None:
    me = bearer(sign_in(client, opened))
    path = f"{PATH}/{opened['member']['id']}/authenticator"
    (_, first), (_, second) = staff("SYSTEM_ADMIN"), staff("SECURITY_ADMIN")
    call(client, "POST", f"{path}/agree", second, status=409)
    call(client, "POST", path, first, {"reason": "手机遗失，已当面核验"})
    assert call(client, "POST", path, second, {"reason": "再来一次"}, status=409)["code"] == "STATE_CONFLICT"
    assert call(client, "POST", f"{path}/agree", first, status=403)["code"] == "OWN_ACCOUNT"
    renewed = call(client, "POST", f"{path}/agree", second)
    call(client, "GET", "/staff/v1/me", me, status=401)
    sign_in(client, opened, status=401)
    sign_in(client, {**opened, **renewed})
    call(client, "POST", f"{path}/agree", second, status=409)


def test_who_sits_idle_for_a_quarter_of_an_hour_is_signed_out(client: FlaskClient, staff: People) -> None:
    actor, headers = staff("FRONT_CLERK")
    with transaction() as session:
        session.execute(
            update(StaffSession)
            .where(StaffSession.id == actor.session_id)
            .values(last_seen_at=clock.wall() - timedelta(minutes=15))
        )
    call(client, "GET", "/staff/v1/me", headers, status=401)


def test_the_audit_log_is_read_in_pages_and_the_reading_is_in_it(client: FlaskClient, staff: People) -> None:
    clerk, _ = staff("FRONT_CLERK")
    _, security = staff("SECURITY_ADMIN")
    for role in ("BACK_OFFICER", "FINANCE"):
        call(client, "PUT", f"{PATH}/{clerk.staff_id}/roles", security, {"roles": [role], "reason": "调岗"})
    _, auditor = staff("AUDIT_ADMIN")
    about = f"/staff/v1/audit?object_id={clerk.staff_id}&limit=1"
    first = call(client, "GET", about, auditor)
    second = call(client, "GET", f"{about}&cursor={first['next_cursor']}", auditor)
    seqs = [page["items"][0]["seq"] for page in (first, second)]
    assert seqs == sorted(seqs, reverse=True)
    assert second["next_cursor"] is None
    newest = call(client, "GET", "/staff/v1/audit?limit=1", auditor)["items"][0]
    assert (newest["action"], newest["object_id"]) == ("audit.read", str(clerk.staff_id))
    call(client, "GET", "/staff/v1/audit?cursor=eHg", auditor, status=422)


def test_nobody_handles_a_matter_of_ones_own(client: FlaskClient, staff: People, citizen: People) -> None:
    """PEERS 4.12: the same person as clerk and citizen. Papers that were claimed before can only be given back."""
    clerk, headers = staff("FRONT_CLERK", hall_id=CITY_HALL)
    document = people.resident_id()
    person, _ = citizen(level=3, name="王芳", document=document)
    with transaction() as session:
        before, waiting = papers.claimed(session, person, clerk).id, papers.submitted(session, person).id
        case = cases.received(session, person, clerk).id
    card = {"name": "王芳", "document_type": document.type.value, "document_number": document.number}
    call(client, "PUT", "/staff/v1/delegations/own-identity", headers, card, status=204)
    body = {"right_body": "宁波市公积金中心", "reason": "不属于本中心"}
    for path, sent in (
        (f"/staff/v1/prereviews/{waiting}/claim", {}),
        (f"/staff/v1/prereviews/{before}/reject", body),
        (f"/staff/v1/cases/{case}/accept", None),
        (f"/staff/v1/cases/{case}/not-accept", {"reason": "不收", "clause": "第三十二条"}),
    ):
        assert call(client, "POST", path, headers, sent, status=403)["code"] == "OWN_MATTER"
    call(client, "POST", f"/staff/v1/prereviews/{before}/release", headers)
    call(client, "POST", f"/staff/v1/cases/{case}/accept", staff("FRONT_CLERK", hall_id=CITY_HALL)[1])
