"""The demo staff: whoever looks at the product for the first time can try what takes two people."""

from urllib.parse import parse_qs, urlsplit

import pyotp
from flask.testing import FlaskClient
from sqlalchemy import select

from auth.accounts import service as accounts
from auth.accounts.models import SubjectFreeze
from auth.accounts.rules import FreezeReason
from auth.staff import roles
from auth.staff.models import StaffMember
from core.actors import System
from core.db import transaction
from gateway import demo
from tests.factories import auth as make

URL = "/staff/v1"


def signed_in(client: FlaskClient, person: dict[str, str]) -> dict[str, str]:
    secret = parse_qs(urlsplit(person["totp"]).query)["secret"][0]
    body = {"username": person["username"], "password": person["password"], "totp": pyotp.TOTP(secret).now()}
    answer = client.post(f"{URL}/login", json=body)
    assert answer.status_code == 200, answer.get_json()
    return {"Authorization": f"Bearer {answer.get_json()['access_token']}"}


def test_two_of_each_where_it_takes_two_and_the_three_administrators(client: FlaskClient) -> None:
    """2.7; pairs work in one hall or department. Made twice, they are the same people with fresh secrets."""
    first, second = demo.make_staff(), demo.make_staff()
    assert [one["username"] for one in first] == [one["username"] for one in second]
    assert not {one["password"] for one in first} & {one["password"] for one in second}
    held = [one["roles"] for one in second]
    for role in (roles.FRONT_CLERK, roles.HALL_MANAGER, roles.ITEM_MANAGER, roles.FINANCE):
        assert held.count(role) == 2
    assert {*roles.SEPARATED, roles.SUPERVISOR} <= set(held)
    with transaction() as session:
        members = session.scalars(select(StaffMember)).all()
        assert len(members) == len(demo.PEOPLE)
        places = {(member.roles[0], member.hall_id, member.department_id) for member in members}
    assert len(places) == len(set(held)), "a pair in two places can't act on the same thing"


def test_a_freeze_is_lifted_by_the_two_whom_the_screen_names(client: FlaskClient) -> None:
    people = {one["username"]: one for one in demo.make_staff()}
    with transaction() as session:
        frozen = make.make_citizen(session)
        accounts.freeze(session, actor=System("tests"), subject_id=frozen.subject_id, reason=FreezeReason.FRAUD)
    with transaction() as session:
        address = f"{URL}/identity/freezes/{session.scalars(select(SubjectFreeze.id)).one()}"
    assert "lift a freeze" in people["security-admin"]["tries"]
    security, supervisor = (signed_in(client, people[name]) for name in ("security-admin", "supervisor"))
    proposed = client.post(f"{address}/propose-lift", json={"reason": "误报"}, headers=security)
    assert proposed.status_code == 200, proposed.get_json()
    assert client.post(f"{address}/lift", headers=supervisor).get_json()["code"] == "CONFIRMATION_NEEDED"
    act = {"act": "IDENTITY", "password": people["supervisor"]["password"]}
    assert client.post(f"{URL}/login/confirm", json=act, headers=supervisor).status_code in {200, 204}
    assert client.post(f"{address}/lift", headers=supervisor).status_code == 200


def test_everybody_signs_in(client: FlaskClient) -> None:
    for found, person in zip(demo.make_staff(), demo.PEOPLE, strict=True):
        me = client.get(f"{URL}/me", headers=signed_in(client, found)).get_json()
        assert (me["username"], me["roles"]) == (person.username, [person.role])
