"""From a document that a source has confirmed to the one subject it belongs to. The session is given; nothing here commits.

Subjects are locked by the caller (`accounts.lock`), the session before them (`sessions.opened`).
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from auth.accounts import queries as people
from auth.accounts import service as accounts
from auth.accounts.alipay import service as alipay
from auth.accounts.rules import FreezeReason
from auth.identity import queries
from auth.identity.conflicts import service as conflicts
from auth.identity.errors import IdentityAlreadyProven
from auth.identity.evidence import service as rows
from auth.identity.ports import CheckResult
from auth.identity.rules import EvidenceType, Revocation
from auth.sessions import service as sessions
from auth.sessions.rules import EndReason
from core import clock
from core.actors import Actor
from core.errors import StateConflict
from core.identifiers import DocumentNumber, name_key

FREEZING = {CheckResult.DECEASED: FreezeReason.DEATH, CheckResult.CANCELLED: FreezeReason.CANCELLED}
"""The source's answers that freeze whose document it is; who merely typed the number is not frozen (ID-12)."""


def settle(
    session: Session, *, actor: Actor, subject_id: UUID, here: sessions.Open | None, name: str, document: DocumentNumber
) -> UUID | None:
    """The subject that `subject_id` turns out to be now that a source has confirmed `name` and `document`.

    None when another person has proven that document under another name: then a registrar decides, and nothing was
    merged (PEERS 4.2). `here` is the session it was proven in, None when that is over. Raises `IdentityAlreadyProven`,
    and `StateConflict` where only the session could tell which phone changed hands.
    """
    own = people.document(session, subject_id)
    if own == document:
        accounts.rename(session, actor=actor, subject_id=subject_id, name=name)
        return subject_id
    holder = people.find_by_document(session, document)
    if holder is not None and holder != subject_id and _named_differently(session, holder, name):
        conflicts.open_conflict(
            session, actor=actor, claimant_id=subject_id, holder_id=holder, name=name, document=document
        )
        return None
    if own is None:
        return _first_proof(session, actor, subject_id, name, document)
    if here is None:
        raise StateConflict()
    return _somebody_else(session, actor, here, name, document)


def _named_differently(session: Session, holder: UUID, name: str) -> bool:
    known = people.person(session, holder).name
    return known is not None and name_key(known) != name_key(name)


def _first_proof(session: Session, actor: Actor, subject_id: UUID, name: str, document: DocumentNumber) -> UUID | None:
    """A subject without a document proves one: it becomes that person, or turns out to be one we know (ID-3)."""
    holder = accounts.bind_document(session, actor=actor, subject_id=subject_id, name=name, document=document)
    if holder == subject_id:
        return holder
    accounts.lock(session, holder)
    if _named_differently(session, holder, name):
        # Somebody else was quicker with the same number and another name.
        conflicts.open_conflict(
            session, actor=actor, claimant_id=subject_id, holder_id=holder, name=name, document=document
        )
        return None
    since = clock.now()
    sessions.restrict(session, subject_id=subject_id, proofs_since=since)
    accounts.merge(session, actor=actor, kept=holder, absorbed=subject_id, proofs_since=since)
    accounts.rename(session, actor=actor, subject_id=holder, name=name)
    return holder


def _somebody_else(session: Session, actor: Actor, here: sessions.Open, name: str, document: DocumentNumber) -> UUID:
    """Signed in by a phone that another person had proven, and now proves to be somebody else: the phone changed hands (ID-4).

    Only in a session that has not proven that other person: there, another document is a mistake. The phone, the
    WeChat and the Alipay account of this session go along; the old subject is told and has to prove a phone again.
    """
    left, now = here.subject_id, clock.now()
    if queries.level(session, left, now, since=here.proofs_since) >= 2:
        raise IdentityAlreadyProven()
    known = people.find_by_document(session, document)
    to = accounts.open_with_document(
        session, actor=actor, name=name, document=document, language=people.contact(session, left).language
    )
    take_along(session, actor=actor, here=here, to=to, known=known is not None)
    return to


def take_along(session: Session, *, actor: Actor, here: sessions.Open, to: UUID, known: bool) -> None:
    """What the session `here` was signed in with belongs to `to` from now on, and so does the session (ID-4).

    Restricted, if `to` was `known` before: who has its phone has not proven to be it since.
    """
    left = here.subject_id
    since = clock.now() if known else None
    phone = wechat = alipay_id = None
    if here.phone_binding_id is not None:
        phone = accounts.move_phone(session, actor=actor, binding_id=here.phone_binding_id, to=to, proofs_since=since)
        _move_factor(session, EvidenceType.PHONE, phone.subject_hash, left=left, to=to)
    if here.wechat_binding_id is not None:
        wechat = accounts.move_wechat(session, binding_id=here.wechat_binding_id, to=to, proofs_since=since)
        _move_factor(session, EvidenceType.WECHAT, wechat.subject_hash, left=left, to=to)
    if here.alipay_binding_id is not None:
        alipay_id = alipay.move(session, binding_id=here.alipay_binding_id, to=to, proofs_since=since)
    sessions.hand_over(
        session,
        session_id=here.id,
        to=to,
        phone_binding_id=phone.binding_id if phone else None,
        wechat_binding_id=wechat.binding_id if wechat else None,
        alipay_binding_id=alipay_id,
        proofs_since=since,
    )
    sessions.end_signed_in_by(
        session,
        subject_id=left,
        phone_binding_id=here.phone_binding_id,
        wechat_binding_id=here.wechat_binding_id,
        alipay_binding_id=here.alipay_binding_id,
    )


def _move_factor(session: Session, kind: EvidenceType, subject_hash: bytes, *, left: UUID, to: UUID) -> None:
    reasons = {EvidenceType.PHONE: Revocation.PHONE_LOST, EvidenceType.WECHAT: Revocation.WECHAT_LOST}
    proven = rows.revoke_factor(session, subject_id=left, kind=kind, subject_hash=subject_hash, reason=reasons[kind])
    rows.prove_factor(session, subject_id=to, kind=kind, subject_hash=subject_hash, at=proven)


def freeze(session: Session, *, actor: Actor, subject_id: UUID, reason: FreezeReason) -> bool:
    """Freeze a subject and end its sessions, which counts within a second (ID-12); False if it was frozen already."""
    if not accounts.freeze(session, actor=actor, subject_id=subject_id, reason=reason):
        return False
    sessions.end_all(session, subject_id=subject_id, reason=EndReason.FROZEN)
    return True
