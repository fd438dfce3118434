"""Changing what one signs in with. The session is given; nothing here commits.

Codes are checked and WeChat is asked before the transaction (`auth.factors.service`).
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from auth.accounts import queries as people
from auth.accounts import rules as account_rules
from auth.accounts import service as accounts
from auth.accounts.documents import service as documents
from auth.accounts.errors import DocumentDiffers, PhoneHeldByAnother
from auth.accounts.events import AccountChange, AccountChanged
from auth.accounts.ports import WeChatIdentity
from auth.accounts.queries import Binding
from auth.accounts.rules import EndReason
from auth.accounts.wechat import service as wechat
from auth.factors import rules as factor_rules
from auth.factors.errors import CodeWrong
from auth.identity import service as identity
from auth.identity.persons import service as persons
from auth.identity.rules import EvidenceType, Purpose, Revocation
from auth.rebinding.errors import NotANewOwner
from auth.sessions import service as sessions
from auth.sessions.devices import service as devices
from auth.sessions.rules import EndReason as SessionEnd
from core import audit, clock, events, ids
from core.actors import Actor, Citizen, Staff
from core.errors import NotFound, StateConflict
from core.identifiers import DocumentNumber, name_key, normalise_name, normalise_phone


def change_phone(session: Session, *, actor: Citizen, phone: str, proven: bool) -> sessions.Fresh:
    """Give the actor the phone whose code was right (`proven`) in place of its own (ID-3).

    A proven person needs a fresh proof (level 4, CHANGE_PHONE). The other sessions end, the old phone and the person are
    told. A phone of somebody else changes hands: its old owner is told and has to prove a phone again (ID-4). Raises
    `CodeWrong`, `RebindingFrozen`, `AuthLevelTooLow`, `PhoneHeldByAnother` (a proven person's, and the actor has proven nothing),
    `AccountFrozen`, `StateConflict`.
    """
    if not proven:
        raise CodeWrong(tries=factor_rules.POLICY.tries)
    number = normalise_phone(phone).e164
    here = _own_session(session, actor)
    holder = _lock_with_holder(session, here.subject_id, number)
    if holder is not None and holder.subject_id == here.subject_id:
        # Typed the own number: nothing changes, and no proof is used up.
        accounts.confirm_phone(session, holder.id)
        return sessions.reissue(session, here.id)
    devices.insist_on_rebinding(session, here.subject_id)
    if people.standing(session, here.subject_id).proven:
        identity.spend_fresh_proof(session, actor=actor, purpose=Purpose.CHANGE_PHONE)
    elif holder is not None and people.standing(session, holder.subject_id).proven:
        raise PhoneHeldByAnother()
    binding_id = _give_phone(session, actor, here.subject_id, number, holder)
    sessions.add_phone(session, session_id=here.id, phone_binding_id=binding_id)
    sessions.end_others(session, actor=actor)
    return sessions.reissue(session, here.id)


def change_phone_at_counter(
    session: Session, *, actor: Staff, name: str, document: DocumentNumber, phone: str, proven: bool
) -> UUID:
    """For the person who lost the phone: the clerk has seen the person and the document; the new phone got a code (ID-3).

    All sessions end, the old phone is told. Returns the subject. Raises `CodeWrong`, `NotFound` (nobody here has that
    document), `DocumentDiffers` (the name), `AccountFrozen`.
    """
    if not proven:
        raise CodeWrong(tries=factor_rules.POLICY.tries)
    subject_id = people.find_by_document(session, document)
    if subject_id is None:
        raise NotFound()
    number = normalise_phone(phone).e164
    holder = _lock_with_holder(session, subject_id, number)
    _same_name(session, subject_id, normalise_name(name))
    identity.record_counter_check(session, actor=actor, subject_id=subject_id, document=document)
    if holder is None or holder.subject_id != subject_id:
        _give_phone(session, actor, subject_id, number, holder)
    sessions.end_all(session, subject_id=subject_id, reason=SessionEnd.FACTOR_LOST)
    return subject_id


def replace_document_at_counter(
    session: Session, *, actor: Staff, name: str, old: DocumentNumber, new: DocumentNumber
) -> UUID:
    """A clerk has seen that a known person has a new document in place of `old`, as a renewed passport (DG-7).

    The new one is checked as at every visit. Returns the subject. Raises `NotFound` (nobody here has the old one),
    `DocumentDiffers` (the name; another old one in use; the new one is somebody else's), `AccountFrozen`.
    """
    subject_id = people.find_by_document(session, old)
    if subject_id is None:
        raise NotFound()
    accounts.lock(session, subject_id)
    clean = normalise_name(name)
    _same_name(session, subject_id, clean)
    documents.replace(session, actor=actor, subject_id=subject_id, old=old, new=new, name=clean)
    identity.record_counter_check(session, actor=actor, subject_id=subject_id, document=new)
    return subject_id


def change_wechat(session: Session, *, actor: Citizen, identity_of: WeChatIdentity) -> sessions.Fresh:
    """Give the actor another WeChat account in place of its own (ID-3); as `change_phone`, with CHANGE_WECHAT."""
    here = _own_session(session, actor)
    hashed = people.openid_lookup(identity_of.openid)
    other = wechat.holder_of(session, identity_of.openid)
    accounts.lock(session, here.subject_id, *([other] if other else []))
    holder = accounts.wechat_holder(session, identity_of.openid)
    if (holder.subject_id if holder else None) != other:
        raise StateConflict()
    if holder is not None and holder.subject_id == here.subject_id:
        accounts.confirm_wechat(session, holder.id)
        return sessions.reissue(session, here.id)
    devices.insist_on_rebinding(session, here.subject_id)
    if people.standing(session, here.subject_id).proven:
        identity.spend_fresh_proof(session, actor=actor, purpose=Purpose.CHANGE_WECHAT)
    elif holder is not None and people.standing(session, holder.subject_id).proven:
        raise PhoneHeldByAnother()
    for left in wechat.release(session, actor=actor, subject_id=here.subject_id, reason=EndReason.REPLACED):
        _revoke(session, here.subject_id, EvidenceType.WECHAT, people.openid_lookup(left))
    if holder is not None:
        wechat.release(session, actor=actor, subject_id=holder.subject_id, reason=EndReason.TAKEN, only=holder.id)
        _revoke(session, holder.subject_id, EvidenceType.WECHAT, hashed)
        sessions.end_signed_in_by(
            session, subject_id=holder.subject_id, phone_binding_id=None, wechat_binding_id=holder.id
        )
        _announce(session, holder.subject_id, AccountChange.WECHAT_TAKEN)
    if accounts.bind_wechat(session, subject_id=here.subject_id, identity=identity_of) is None:
        raise StateConflict()
    identity.prove_factor(session, subject_id=here.subject_id, kind=EvidenceType.WECHAT, subject_hash=hashed)
    sessions.end_others(session, actor=actor)
    _announce(session, here.subject_id, AccountChange.WECHAT_CHANGED)
    return sessions.reissue(session, here.id)


def declare_new_owner(session: Session, *, actor: Citizen) -> sessions.Fresh:
    """此号码已换主: who signed in by a phone alone is not the person whose phone it was, and goes on as somebody new (ID-4).

    The old owner is told and has to prove a phone again; nothing of theirs is seen or lost. Raises `NotANewOwner`,
    `AccountFrozen`.
    """
    here = _own_session(session, actor)
    accounts.lock(session, here.subject_id)
    by_phone_alone = (
        here.phone_binding_id is not None and here.wechat_binding_id is None and here.alipay_binding_id is None
    )
    if not by_phone_alone or here.proofs_since is None or actor.level > 1:
        raise NotANewOwner()
    language = people.contact(session, here.subject_id).language
    to = accounts.open_subject(session, language=language)
    persons.take_along(session, actor=actor, here=here, to=to, known=False)
    _record(session, actor, "account.declare_new_owner", here.subject_id)
    return sessions.reissue(session, here.id)


def _same_name(session: Session, subject_id: UUID, name: str) -> None:
    if name_key(people.person(session, subject_id).name or "") != name_key(name):
        raise DocumentDiffers(fields={"name": ["与证件登记的姓名不一致 / differs from the name on record"]})


def _own_session(session: Session, actor: Citizen) -> sessions.Open:
    here = sessions.opened(session, actor.session_id)
    if here.subject_id != actor.subject_id:
        # It turned out to be another person's since the request began.
        raise StateConflict()
    return here


def _lock_with_holder(session: Session, subject_id: UUID, number: str) -> Binding | None:
    """Lock the subject and the phone's holder, subjects before bindings; the live binding of the phone."""
    other = people.find_by_phone(session, number)
    accounts.lock(session, subject_id, *([other] if other else []))
    holder = accounts.phone_holder(session, number)
    if (holder.subject_id if holder else None) != other:
        raise StateConflict()
    return holder


def _give_phone(session: Session, actor: Actor, subject_id: UUID, number: str, holder: Binding | None) -> UUID:
    hashed = people.phone_lookup(number)
    if holder is not None:
        dormant = account_rules.is_dormant(holder.confirmed_at, clock.now())
        reason = EndReason.DORMANT if dormant else EndReason.TAKEN
        accounts.release_phone(session, actor=actor, binding=holder, reason=reason)
        _revoke(session, holder.subject_id, EvidenceType.PHONE, hashed)
        sessions.end_signed_in_by(
            session, subject_id=holder.subject_id, phone_binding_id=holder.id, wechat_binding_id=None
        )
    for left in accounts.release_phones(session, actor=actor, subject_id=subject_id):
        _revoke(session, subject_id, EvidenceType.PHONE, people.phone_lookup(left))
    binding_id = accounts.bind_phone(session, subject_id=subject_id, phone_e164=number)
    if binding_id is None:
        raise StateConflict()
    identity.prove_factor(session, subject_id=subject_id, kind=EvidenceType.PHONE, subject_hash=hashed)
    _announce(session, subject_id, AccountChange.PHONE_CHANGED)
    _record(session, actor, "account.change_phone", subject_id)
    return binding_id


def _revoke(session: Session, subject_id: UUID, kind: EvidenceType, hashed: bytes) -> None:
    reason = Revocation.PHONE_LOST if kind is EvidenceType.PHONE else Revocation.WECHAT_LOST
    identity.revoke_factor(session, subject_id=subject_id, kind=kind, subject_hash=hashed, reason=reason)


def _announce(session: Session, subject_id: UUID, change: AccountChange) -> None:
    events.publish(session, AccountChanged(subject_id, change, ids.uuid7()))


def _record(session: Session, actor: Actor, action: str, subject_id: UUID) -> None:
    audit.record(session, actor=actor, action=action, object_type="subject", object_id=subject_id)
