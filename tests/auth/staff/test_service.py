"""Signing in with two factors, locks, sessions that end, and roles that are taken away (DOMAIN 2.7)."""

import threading
import time
from datetime import timedelta
from uuid import UUID, uuid4

import pyotp
import pytest
from flask import Flask
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from auth.staff import authenticator, queries, roles, rules, service
from auth.staff.errors import PasswordTooWeak, RolesNotAllowed, UsernameTaken
from auth.staff.models import StaffMember, StaffSession
from auth.staff.service import SignedIn
from core import clock, db
from core.actors import Staff, System
from core.audit import AuditEntry
from core.errors import NotAuthenticated, NotFound, RateLimited

PASSWORD = "Correct-horse-7"
ADMIN = System("test")


def _authenticator_app(address: str) -> pyotp.TOTP:
    found = pyotp.parse_uri(address)
    assert isinstance(found, pyotp.TOTP)
    return found


class Person:
    """A member with the authenticator app in hand; each call of `code` is the next step's, since none counts twice."""

    def __init__(self, *held: str) -> None:
        self.username = f"wang.{uuid4().hex[:8]}"
        with db.transaction() as session:
            member, address = service.add_member(
                session,
                username=self.username.upper(),
                name="王芳",
                password=PASSWORD,
                roles=held or (roles.FRONT_CLERK,),
                department_id="D11",
            )
        self.id: UUID = member.id
        self.totp = _authenticator_app(address)

    def code(self, off: int = 0) -> str:
        now = clock.wall() + timedelta(seconds=30 * off)
        return self.totp.at(now)

    def sign_in(self, *, password: str = PASSWORD, code: str | None = None, name: str | None = None) -> SignedIn | None:
        with db.transaction() as session:
            return service.sign_in(
                session,
                username=name or self.username,
                password=password,
                totp=code or self.code(),
                address="192.0.2.1",
            )

    def row(self) -> StaffMember:
        with db.transaction() as session:
            return session.get_one(StaffMember, self.id)


@pytest.fixture
def person(database: Flask) -> Person:
    # A step must not end between making a code and using it.
    if 30 - time.time() % 30 < 3:
        time.sleep(3)
    return Person()


def _actor(signed_in: SignedIn | None) -> Staff:
    assert signed_in is not None
    return authenticator.staff_of(signed_in.access_token)


def test_both_factors_sign_in(person: Person) -> None:
    signed_in = person.sign_in()
    assert signed_in is not None
    assert signed_in.member.name == "王芳"
    actor = authenticator.staff_of(signed_in.access_token)
    assert (actor.staff_id, actor.roles, actor.department_id) == (person.id, frozenset({roles.FRONT_CLERK}), "D11")


def test_what_is_no_hash_matches_no_password() -> None:
    assert not service.matches("!", "!")
    assert not service.matches("", "")


def test_one_factor_is_not_enough(person: Person) -> None:
    assert person.sign_in(password="Wrong-horse-77") is None
    assert person.sign_in(code="000000" if person.code() != "000000" else "111111") is None
    assert person.sign_in(name="nobody.here") is None


def test_a_code_counts_once(person: Person) -> None:
    code = person.code()
    assert person.sign_in(code=code) is not None
    assert person.sign_in(code=code) is None
    assert person.sign_in(code=person.code(off=1)) is not None


def test_two_sign_ins_at_once_with_one_code_make_one_session(person: Person) -> None:
    code, found = person.code(), []

    def sign_in() -> None:
        found.append(person.sign_in(code=code))

    threads = [threading.Thread(target=sign_in) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(signed_in is not None for signed_in in found) == 1


def test_five_failures_lock_for_15_minutes_even_for_the_right_password(person: Person) -> None:
    for _ in range(5):
        assert person.sign_in(password="Wrong-horse-77") is None
    locked_until = person.row().locked_until
    assert locked_until is not None
    assert timedelta(minutes=14, seconds=50) < locked_until - clock.wall() <= timedelta(minutes=15)
    assert person.sign_in() is None
    with db.transaction() as session:
        session.execute(update(StaffMember).where(StaffMember.id == person.id).values(locked_until=clock.wall()))
    assert person.sign_in() is not None
    assert person.row().failed_attempts == 0


def test_parallel_guesses_are_all_counted(person: Person) -> None:
    threads = [threading.Thread(target=person.sign_in, kwargs={"password": "Wrong-horse-77"}) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert person.row().failed_attempts == 5
    assert person.row().locked_until is not None


def test_a_success_clears_the_failures(person: Person) -> None:
    for _ in range(4):
        person.sign_in(password="Wrong-horse-77")
    assert person.sign_in() is not None
    for _ in range(4):
        person.sign_in(password="Wrong-horse-77")
    assert person.row().locked_until is None


def test_names_are_limited_whether_they_exist_or_not(person: Person) -> None:
    for name in (person.username, "nobody.here"):
        with pytest.raises(RateLimited):
            for _ in range(service.SIGN_INS_PER_NAME.count + 1):
                person.sign_in(name=name, password="x", code="000000")


def test_an_unknown_name_takes_as_long_as_a_known_one(person: Person) -> None:
    def median(name: str) -> float:
        times = []
        for _ in range(5):
            began = time.perf_counter()
            person.sign_in(name=name, password="Wrong-horse-77")
            times.append(time.perf_counter() - began)
        return sorted(times)[2]

    person.sign_in(name="warm.up", password="x")
    known, unknown = median(person.username), median("nobody.here")
    # The hash takes far longer than everything else; without it the unknown name would answer many times faster.
    assert unknown > known / 3


def test_nothing_secret_is_stored_as_it_is(person: Person) -> None:
    signed_in = person.sign_in()
    assert signed_in is not None
    with db.transaction() as session:
        rows = session.execute(text("SELECT m::text || s::text FROM staff_member m, staff_session s")).scalars().all()
    assert len(rows) == 1
    for secret in (PASSWORD, person.totp.secret, signed_in.access_token, "王芳"):
        assert secret not in rows[0]
    assert "$argon2id$v=19$m=19456,t=2,p=1$" in rows[0]


def _set(session_id: UUID, **values: object) -> None:
    with db.transaction() as session:
        session.execute(update(StaffSession).where(StaffSession.id == session_id).values(**values))
    authenticator.forget(session_id)


def test_an_idle_session_ends(person: Person) -> None:
    signed_in = person.sign_in()
    actor = _actor(signed_in)
    assert signed_in is not None
    _set(actor.session_id, last_seen_at=clock.wall() - timedelta(minutes=14, seconds=50))
    authenticator.staff_of(signed_in.access_token)
    with db.transaction() as session:
        seen = session.get_one(StaffSession, actor.session_id).last_seen_at
    assert clock.wall() - seen < timedelta(seconds=10), "a request counts as activity"
    _set(actor.session_id, last_seen_at=clock.wall() - timedelta(minutes=15))
    with pytest.raises(NotAuthenticated):
        authenticator.staff_of(signed_in.access_token)


def test_the_longest_session_ends(person: Person) -> None:
    signed_in = person.sign_in()
    assert signed_in is not None
    assert signed_in.expires_at - clock.wall() <= rules.LONGEST_SESSION
    _set(_actor(signed_in).session_id, expires_at=clock.wall())
    with pytest.raises(NotAuthenticated):
        authenticator.staff_of(signed_in.access_token)


def test_requests_within_a_second_ask_the_database_once(person: Person, count_queries) -> None:  # type: ignore[no-untyped-def]
    signed_in = person.sign_in()
    assert signed_in is not None
    with count_queries() as queries_made:
        for _ in range(20):
            authenticator.staff_of(signed_in.access_token)
    assert len(queries_made) == 1


def test_sign_out_ends_the_session(person: Person) -> None:
    signed_in = person.sign_in()
    assert signed_in is not None
    with db.transaction() as session:
        service.sign_out(session, actor=authenticator.staff_of(signed_in.access_token))
    with pytest.raises(NotAuthenticated):
        authenticator.staff_of(signed_in.access_token)


def test_a_leaver_is_out_within_a_second(person: Person) -> None:
    signed_in = person.sign_in()
    assert signed_in is not None
    authenticator.staff_of(signed_in.access_token)
    # As another process would do it: this one's memory is not told.
    with db.transaction() as session:
        session.execute(update(StaffMember).where(StaffMember.id == person.id).values(active=False))
    time.sleep(authenticator.TRUST_SECONDS)
    with pytest.raises(NotAuthenticated):
        authenticator.staff_of(signed_in.access_token)
    assert person.sign_in(code=person.code(off=1)) is None


def test_disabling_ends_all_sessions_at_once(person: Person) -> None:
    signed_in = person.sign_in()
    assert signed_in is not None
    authenticator.staff_of(signed_in.access_token)
    with db.transaction() as session:
        assert service.disable(session, actor=ADMIN, staff_id=person.id).active is False
    with pytest.raises(NotAuthenticated):
        authenticator.staff_of(signed_in.access_token)


def test_changed_roles_count_within_a_second(person: Person) -> None:
    signed_in = person.sign_in()
    assert signed_in is not None
    authenticator.staff_of(signed_in.access_token)
    with db.transaction() as session:
        service.change_roles(session, actor=ADMIN, staff_id=person.id, roles=[roles.FINANCE])
    time.sleep(authenticator.TRUST_SECONDS)
    assert authenticator.staff_of(signed_in.access_token).roles == {roles.FINANCE}


@pytest.mark.parametrize("token", ["", "x", "é" * 50, "A" * 43])
def test_made_up_tokens(database: Flask, token: str) -> None:
    with pytest.raises(NotAuthenticated):
        authenticator.staff_of(token)


def test_accounts_that_must_not_be(session: Session) -> None:
    service.add_member(session, username="Li.Na", name="李娜", password=PASSWORD, roles=[roles.FINANCE])
    with pytest.raises(UsernameTaken):
        service.add_member(session, username=" li.na", name="李娜", password=PASSWORD, roles=[roles.FINANCE])
    with pytest.raises(PasswordTooWeak):
        service.add_member(session, username="li.na2", name="李娜", password="short", roles=[roles.FINANCE])
    with pytest.raises(RolesNotAllowed):
        service.add_member(
            session, username="li.na3", name="李娜", password=PASSWORD, roles=[roles.SYSTEM_ADMIN, roles.AUDIT_ADMIN]
        )
    with pytest.raises(NotFound):
        service.disable(session, actor=ADMIN, staff_id=uuid4())


def test_the_database_keeps_administrators_apart(database: Flask, person: Person) -> None:
    with pytest.raises(IntegrityError), db.transaction() as session:
        session.execute(
            update(StaffMember)
            .where(StaffMember.id == person.id)
            .values(roles=[roles.SYSTEM_ADMIN, roles.SECURITY_ADMIN])
        )
    with pytest.raises(IntegrityError), db.transaction() as session:
        session.execute(
            insert(StaffSession).values(
                staff_id=uuid4(),
                token_hash=b"x",
                created_at=clock.wall(),
                last_seen_at=clock.wall(),
                expires_at=clock.wall(),
            )
        )


def test_a_demo_member_is_made_and_renewed(database: Flask) -> None:
    demo = {"username": "clerk", "name": "王芳", "roles": [roles.FRONT_CLERK]}
    with db.transaction() as session:
        password, address = service.set_demo_member(session, **demo)  # type: ignore[arg-type]

    def sign_in(password: str, address: str) -> SignedIn | None:
        code = _authenticator_app(address).now()
        with db.transaction() as session:
            return service.sign_in(session, username="clerk", password=password, totp=code, address=None)

    first = sign_in(password, address)
    assert first is not None
    with db.transaction() as session:
        renewed = service.set_demo_member(session, **demo)  # type: ignore[arg-type]
    assert sign_in(password, address) is None
    assert sign_in(*renewed) is not None
    with pytest.raises(NotAuthenticated):
        authenticator.staff_of(first.access_token)


def test_what_happened_is_in_the_audit_log(person: Person) -> None:
    person.sign_in(password="Wrong-horse-77")
    person.sign_in()
    with db.transaction() as session:
        service.disable(session, actor=ADMIN, staff_id=person.id)
        found = session.execute(
            select(AuditEntry.action, AuditEntry.result, AuditEntry.facts)
            .where(AuditEntry.object_id == str(person.id))
            .order_by(AuditEntry.seq)
        ).all()
        assert [(row.action, row.result) for row in found] == [
            ("staff.add", "ok"),
            ("staff.sign_in", "refused"),
            ("staff.sign_in", "ok"),
            ("staff.disable", "ok"),
        ]
        assert found[1].facts == {"why": "wrong"}
        assert queries.member(session, person.id).permissions == tuple(sorted(roles.PERMISSIONS[roles.FRONT_CLERK]))
