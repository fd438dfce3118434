"""What happens to Alipay accounts. The session is given; nothing here commits. Locks as in `auth.accounts.service`."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from auth.accounts import service as accounts
from auth.accounts.alipay.ports import AlipayIdentity
from auth.accounts.models import AlipayBinding, Subject
from auth.accounts.queries import Binding
from auth.accounts.rules import EndReason
from core import clock, ids, security
from core.errors import StateConflict

_LIVE = AlipayBinding.ended_at.is_(None)


def lookup(kind: str, value: str | None) -> bytes | None:
    """The keyed hash of an `open_id` or `user_id`; the two never meet."""
    return None if value is None else security.lookup(f"alipay.{kind}", value)


def holder(session: Session, identity: AlipayIdentity) -> Binding | None:
    """The live binding of an Alipay account, locked; None when it belongs to nobody.

    Found by the open id first: with that one a binding by the user id alone, made before, is the same account and ends.
    """
    open_lookup, user_lookup = lookup("open_id", identity.open_id), lookup("user_id", identity.user_id)
    ways = [
        column == value
        for column, value in (
            (AlipayBinding.open_id_lookup, open_lookup),
            (AlipayBinding.user_id_lookup, user_lookup),
        )
        if value is not None
    ]
    rows = session.scalars(
        select(AlipayBinding).where(or_(*ways), _LIVE).order_by(AlipayBinding.id).with_for_update()
    ).all()
    if not rows:
        return None
    found = next((row for row in rows if open_lookup is not None and row.open_id_lookup == open_lookup), rows[0])
    for other in rows:
        if other is not found:
            other.ended_at, other.end_reason = clock.now(), EndReason.REPLACED
    session.flush()
    if found.open_id is None and identity.open_id is not None:
        found.open_id, found.open_id_lookup = identity.open_id, open_lookup
    if found.user_id is None and identity.user_id is not None:
        found.user_id, found.user_id_lookup = identity.user_id, user_lookup
    session.flush()
    return Binding(found.id, found.subject_id, found.confirmed_at, found.proofs_since)


def open_with(session: Session, *, identity: AlipayIdentity, language: str) -> Binding:
    """The holder of an Alipay account that belonged to nobody: a new subject, or whoever was quicker."""
    made = accounts.open_subject(session, language=language)
    if bind(session, subject_id=made, identity=identity) is None:
        session.delete(session.get_one(Subject, made))
    found = holder(session, identity)
    if found is None:
        raise StateConflict()
    return found


def bind(
    session: Session, *, subject_id: UUID, identity: AlipayIdentity, proofs_since: datetime | None = None
) -> UUID | None:
    """Give an Alipay account to a subject; the binding, or None when somebody else was quicker (ID-3)."""
    now = clock.now()
    return session.scalar(
        insert(AlipayBinding)
        .values(
            id=ids.uuid7(),
            subject_id=subject_id,
            open_id=identity.open_id,
            open_id_lookup=lookup("open_id", identity.open_id),
            user_id=identity.user_id,
            user_id_lookup=lookup("user_id", identity.user_id),
            bound_at=now,
            confirmed_at=now,
            proofs_since=proofs_since,
        )
        .on_conflict_do_nothing()
        .returning(AlipayBinding.id)
    )


def confirm(session: Session, binding_id: UUID) -> None:
    """Note that the account was proven again just now."""
    session.execute(update(AlipayBinding).where(AlipayBinding.id == binding_id).values(confirmed_at=clock.now()))


def move(session: Session, *, binding_id: UUID, to: UUID, proofs_since: datetime | None) -> UUID:
    """An Alipay account turned out to be somebody else's than the subject it had joined; the new binding."""
    old = session.scalars(select(AlipayBinding).where(AlipayBinding.id == binding_id).with_for_update()).one()
    if old.ended_at is not None:
        raise StateConflict()
    old.ended_at, old.end_reason = clock.now(), EndReason.TAKEN
    session.flush()
    moved = bind(session, subject_id=to, identity=AlipayIdentity(old.open_id, old.user_id), proofs_since=proofs_since)
    if moved is None:
        raise StateConflict()
    return moved
