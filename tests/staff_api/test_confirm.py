"""Acts that need password or code again: bound to the act and the session, for five minutes (PEERS W4)."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from auth.staff import service
from auth.staff.confirmations.models import StaffConfirmation
from auth.staff.confirmations.rules import Act
from core import clock
from core.db import transaction
from core.web import access

People = Callable[..., tuple[Any, dict[str, str]]]
PASSWORD = "Correct-horse-7"
CONFIRM = "/staff/v1/login/confirm"
REFUNDS = "/staff/v1/refunds"


class Desk:
    """A member with password and authenticator app at hand."""

    def __init__(self, client: FlaskClient, *roles: str) -> None:
        self.client = client
        with transaction() as session:
            member, address = service.add_member(
                session, username=f"fin.{uuid4().hex[:6]}", name="周涛", password=PASSWORD, roles=roles
            )
            self.id = member.id
        totp = pyotp.parse_uri(address)
        assert isinstance(totp, pyotp.TOTP)
        self.totp = totp
        self.headers = self.sign_in()

    def sign_in(self) -> dict[str, str]:
        with transaction() as session:
            _, token = service.open_session(session, staff_id=self.id, address=None)
        return {"Authorization": f"Bearer {token}"}

    def confirm(self, act: str = "REFUND", **by: str) -> Any:
        return self.client.post(CONFIRM, json={"act": act, **by}, headers=self.headers)

    def approve(self, headers: dict[str, str] | None = None) -> Any:
        """Approve a refund that isn't there: 404 when the act is confirmed."""
        return self.client.post(f"{REFUNDS}/{uuid4()}/approve", headers=headers or self.headers)


@pytest.fixture
def desk(client: FlaskClient) -> Desk:
    return Desk(client, "FINANCE")


def test_an_unconfirmed_act_says_how(desk: Desk) -> None:
    answer = desk.approve()
    assert answer.status_code == 403
    assert {name: answer.json[name] for name in ("code", "act", "confirm_at", "ways")} == {
        "code": "CONFIRMATION_NEEDED",
        "act": "REFUND",
        "confirm_at": CONFIRM,
        "ways": ["PASSWORD", "TOTP"],
    }
    # Where it is said to be, it is.
    assert desk.client.post(answer.json["confirm_at"], json={}, headers=desk.headers).status_code == 422


def test_a_password_confirms_this_act_in_this_session_for_five_minutes(desk: Desk) -> None:
    done = desk.confirm(password=PASSWORD)
    assert (done.status_code, done.json["act"]) == (200, "REFUND")
    assert desk.approve().status_code == 404
    assert desk.approve(desk.sign_in()).json["code"] == "CONFIRMATION_NEEDED"
    with transaction() as session:
        (row,) = session.query(StaffConfirmation).all()
        assert row.expires_at - row.given_at == timedelta(minutes=5)
        session.execute(update(StaffConfirmation).values(expires_at=clock.wall()))
    assert desk.approve().json["code"] == "CONFIRMATION_NEEDED"


def test_another_act_is_another_confirmation(desk: Desk) -> None:
    assert desk.confirm("DECIDE", password=PASSWORD).status_code == 200
    assert desk.approve().json["code"] == "CONFIRMATION_NEEDED"


def test_a_one_time_code_confirms_once(desk: Desk) -> None:
    if 30 - time.time() % 30 < 3:
        time.sleep(3)
    code = desk.totp.now()
    assert desk.confirm(totp=code).status_code == 200
    assert desk.approve().status_code == 404
    assert desk.confirm(totp=code).json["code"] == "CONFIRMATION_REFUSED"


def test_five_wrong_ones_lock_and_sign_out(desk: Desk) -> None:
    for _ in range(5):
        answer = desk.confirm(password="Wrong-horse-77")
        assert (answer.status_code, answer.json["code"]) == (403, "CONFIRMATION_REFUSED")
    assert desk.confirm(password=PASSWORD).status_code == 401
    headers = desk.sign_in()
    assert desk.client.post(CONFIRM, json={"act": "REFUND", "password": PASSWORD}, headers=headers).status_code == 403


def test_exactly_one_of_password_and_code(desk: Desk) -> None:
    assert desk.confirm().status_code == 422
    assert desk.confirm(password=PASSWORD, totp="123456").status_code == 422


def test_the_role_comes_first(client: FlaskClient) -> None:
    clerk = Desk(client, "FRONT_CLERK")
    assert clerk.approve().json["code"] == "FORBIDDEN"


@pytest.mark.parametrize(
    ("role", "method", "path"),
    [
        ("BACK_OFFICER", "POST", "/staff/v1/cases/{}/decide"),
        ("FRONT_CLERK", "POST", "/staff/v1/cases/{}/not-accept"),
        ("FINANCE", "POST", "/staff/v1/refunds"),
        ("FINANCE", "POST", "/staff/v1/refunds/{}/retry"),
        ("ITEM_MANAGER", "POST", "/staff/v1/catalogue/versions/{}/publish"),
        ("ITEM_MANAGER", "POST", "/staff/v1/catalogue/items/NB-002/retire"),
        ("SYSTEM_ADMIN", "POST", "/staff/v1/oidc-clients/tax/secret"),
        ("SYSTEM_ADMIN", "PATCH", "/staff/v1/kiosks/{}"),
        ("SYSTEM_ADMIN", "POST", "/staff/v1/members"),
        ("SECURITY_ADMIN", "PUT", "/staff/v1/members/{}/roles"),
        ("SUPERVISOR", "POST", "/staff/v1/identity/freezes/{}/lift"),
        ("AUDIT_ADMIN", "GET", "/staff/v1/audit"),
    ],
)
def test_what_needs_it(client: FlaskClient, staff: People, role: str, method: str, path: str) -> None:
    """Decisions, refunds, publication, keys, identities, staff, the audit log."""
    _, headers = staff(role, confirmed=False)
    answer = client.open(path.format(uuid4()), method=method, json={}, headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (403, "CONFIRMATION_NEEDED"), answer.text


def test_every_act_that_a_route_asks_for_exists(app: Flask) -> None:
    asked = {found.confirm for view in app.view_functions.values() if (found := access.declared(view)) is not None}
    assert asked - {""} == {str(act) for act in Act}
