"""Signed-in people: citizens with real evidence and a real session, members of staff with a real session."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pyotp
from sqlalchemy.orm import Session

from auth.accounts import queries as people
from auth.accounts import service as accounts
from auth.accounts.ports import WeChatIdentity
from auth.factors import service as factors
from auth.identity import service as identity
from auth.identity.models import IdentityEvidence
from auth.identity.rules import EvidenceType, Result
from auth.sessions import authenticator
from auth.sessions import rules as session_rules
from auth.sessions import service as sessions
from auth.sessions.rules import Method, Origin
from auth.staff import service as staff_service
from auth.staff.confirmations.models import StaffConfirmation
from auth.staff.confirmations.rules import Act, Factor
from auth.staff.models import StaffMember
from core import clock
from core.actors import Channel, Citizen, Staff, System
from core.db import transaction
from core.identifiers import DocumentNumber, DocumentType, normalise_document
from core.identifiers.documents import check_character

_MAKER = System("tests")
_counter = itertools.count(secrets.randbelow(9_000))


def resident_id(number: int | None = None) -> DocumentNumber:
    """A valid resident ID card of a district that doesn't exist; the next one, or always the same for a `number`."""
    count = next(_counter) if number is None else number
    seventeen = f"330299{1960 + count // 330 % 40}{count // 28 % 12 + 1:02d}{count % 28 + 1:02d}{count % 1000:03d}"
    return normalise_document(DocumentType.RESIDENT_ID, seventeen + check_character(seventeen))


def phone_number() -> str:
    """A phone that nobody else of this run has."""
    return f"+86199{next(_counter) % 100_000_000:08d}"


def openid() -> str:
    """A WeChat account that nobody else of this run has."""
    return f"oTest{next(_counter):023d}"


def make_citizen(
    session: Session,
    *,
    level: int = 2,
    name: str = "张三",
    phone: str | None = None,
    document: DocumentNumber | None = None,
    channel: Channel = "WXMP",
) -> Citizen:
    """A citizen of level 0 to 3, as if signed in by WeChat and, from level 1 on, with a phone (E.164)."""
    who = WeChatIdentity(openid())
    wechat = accounts.open_with_wechat(session, identity=who, language="zh")
    subject_id = wechat.subject_id
    hashed = people.openid_lookup(who.openid)
    identity.prove_factor(session, subject_id=subject_id, kind=EvidenceType.WECHAT, subject_hash=hashed)
    binding_id = None
    if level >= 1:
        number = phone or phone_number()
        binding_id = accounts.bind_phone(session, subject_id=subject_id, phone_e164=number)
        assert binding_id is not None, "somebody else has this phone"
        hashed = people.phone_lookup(number)
        identity.prove_factor(session, subject_id=subject_id, kind=EvidenceType.PHONE, subject_hash=hashed)
    if level >= 2:
        card = document or resident_id()
        holder = accounts.bind_document(session, actor=_MAKER, subject_id=subject_id, name=name, document=card)
        assert holder == subject_id, "somebody else has this document"
        _prove(session, subject_id, EvidenceType.NAME_NUMBER, card)
    if level >= 3:
        _prove(session, subject_id, EvidenceType.HALL, card)
    opened = sessions.open_session(
        session,
        subject_id=subject_id,
        origin=Origin(channel, "127.0.0.1", "tests"),
        method=Method.WECHAT,
        wechat_binding_id=wechat.id,
        phone_binding_id=binding_id,
    )
    assert opened.level == level
    return Citizen(subject_id, opened.session_id, level, channel)


def _prove(session: Session, subject_id: UUID, kind: EvidenceType, card: DocumentNumber) -> None:
    hashed = people.document_lookup(card)
    session.add(
        IdentityEvidence(
            subject_id=subject_id, type=kind, provider="tests", subject_hash=hashed, result=Result.PASS, at=clock.now()
        )
    )
    session.flush()


def sign_in_again(session: Session, actor: Citizen, *, channel: Channel = "WXMP") -> Citizen:
    """The same person on one more device, at the same level."""
    opened = sessions.open_session(
        session, subject_id=actor.subject_id, origin=Origin(channel, "127.0.0.1", "tests"), method=Method.WECHAT
    )
    return Citizen(actor.subject_id, opened.session_id, opened.level, channel)


def signed_in_by_phone(phone: str, origin: Origin = Origin("H5")) -> Citizen:  # noqa: B008  # frozen
    """Somebody who has just typed the right code of `phone`. Commits; raises what the sign-in refuses."""
    with transaction() as session:
        outcome = factors.sign_in_by_phone(session, phone=phone, proven=True, origin=origin)
    return authenticator.citizen_of(outcome.insist().access_token)


def signed_in_by_wechat(who: WeChatIdentity) -> Citizen:
    """Somebody who has just opened the mini-program. Commits; raises what the sign-in refuses."""
    with transaction() as session:
        outcome = factors.sign_in_by_wechat(session, identity_of=who, origin=Origin("WXMP"))
    return authenticator.citizen_of(outcome.insist().access_token)


def now_of(actor: Citizen) -> Citizen:
    """Who the session of `actor` belongs to now, and at which level. Raises `NotAuthenticated` when it is over."""
    return authenticator.citizen_of(headers_for(actor)["Authorization"].removeprefix("Bearer "))


def headers_for(actor: Citizen) -> dict[str, str]:
    """The headers of a request of `actor`: a real access token of its session."""
    now = clock.wall()
    token = authenticator.issue(
        subject_id=actor.subject_id,
        session_id=actor.session_id,
        channel=actor.channel,
        level=actor.level,
        now=now,
        expires_at=session_rules.access_end(actor.channel, now, session_rules.session_end(actor.channel, now)),
    )
    return {"Authorization": f"Bearer {token}"}


def make_staff(
    session: Session,
    *,
    roles: Iterable[str],
    hall_id: UUID | None = None,
    department_id: str | None = None,
    name: str = "李芳",
    confirmed: bool = True,
    **more: Any,
) -> tuple[Staff, dict[str, str]]:
    """A signed-in member of staff who has just confirmed every kind of act, and the headers of a request.

    Nobody knows the password. `confirmed=False`: who hasn't.
    """
    now = clock.wall()
    member = StaffMember(
        username=f"member-{next(_counter)}-{secrets.token_hex(4)}",
        name=name,
        password_hash="!",
        totp_secret=pyotp.random_base32(),
        roles=sorted(roles),
        hall_id=hall_id,
        department_id=department_id,
        active=True,
        failed_attempts=0,
        password_changed_at=now,
        created_at=now,
        **more,
    )
    session.add(member)
    session.flush()
    opened, token = staff_service.open_session(session, staff_id=member.id, address="127.0.0.1")
    for act in Act if confirmed else ():
        session.add(
            StaffConfirmation(
                session_id=opened.id, act=act, factor=Factor.TOTP, given_at=now, expires_at=now + timedelta(hours=1)
            )
        )
    actor = Staff(member.id, opened.id, frozenset(member.roles), hall_id, department_id)
    return actor, {"Authorization": f"Bearer {token}"}
