"""What happens to subjects and to what they sign in with. The session is given; nothing here commits.

Locks: subjects before bindings, several subjects in key order, and always FOR NO KEY UPDATE, which rows that refer to a
subject don't wait for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from auth.accounts import queries, rules
from auth.accounts.errors import AccountFrozen, DocumentDiffers
from auth.accounts.events import AccountChange, AccountChanged, PhoneReplaced, SubjectFrozen, SubjectsMerged
from auth.accounts.freezing import service as freezing
from auth.accounts.models import (
    AlipayBinding,
    PhoneBinding,
    Subject,
    SubjectDocument,
    SubjectFreeze,
    SubjectName,
    WeChatBinding,
)
from auth.accounts.ports import WeChatIdentity
from auth.accounts.queries import Binding
from auth.accounts.rules import EndReason, FreezeReason, SubjectState
from core import audit, clock, events, ids
from core.actors import Actor, Staff
from core.errors import NotFound, StateConflict
from core.identifiers import DocumentNumber, name_key, normalise_name, normalise_phone


@dataclass(frozen=True, slots=True)
class Moved:
    """The new binding of what moved to another subject, and the keyed hash of what it is."""

    binding_id: UUID
    subject_hash: bytes


def open_subject(session: Session, *, language: str = "zh") -> UUID:
    """A new subject that has proven nothing yet."""
    subject = Subject(state=SubjectState.ACTIVE, language=language, created_at=clock.now())
    session.add(subject)
    session.flush()
    return subject.id


def open_organisation(session: Session, *, name: str) -> UUID:
    """A subject for an organisation: it owns matters and never signs in (ID-11). `auth.organisations` knows its credit code."""
    subject = Subject(
        kind="ORGANISATION", organisation_name=name, state=SubjectState.ACTIVE, language="zh", created_at=clock.now()
    )
    session.add(subject)
    session.flush()
    return subject.id


def forget_organisation(session: Session, subject_id: UUID) -> None:
    """Drop a subject opened just now for an organisation that somebody else was quicker to open."""
    session.delete(session.get_one(Subject, subject_id))
    session.flush()


def open_with_phone(session: Session, *, phone_e164: str, language: str) -> Binding:
    """The holder of a phone that belonged to nobody: a new subject, or whoever was quicker."""
    made = open_subject(session, language=language)
    if bind_phone(session, subject_id=made, phone_e164=phone_e164) is None:
        session.delete(session.get_one(Subject, made))
    return _certain(phone_holder(session, phone_e164))


def open_with_wechat(session: Session, *, identity: WeChatIdentity, language: str) -> Binding:
    """The holder of a WeChat account that belonged to nobody: a new subject, or whoever was quicker."""
    made = open_subject(session, language=language)
    if bind_wechat(session, subject_id=made, identity=identity) is None:
        session.delete(session.get_one(Subject, made))
    return _certain(wechat_holder(session, identity.openid))


def open_with_document(
    session: Session, *, actor: Actor, name: str, document: DocumentNumber, language: str = "zh"
) -> UUID:
    """The subject that has proven `document`: the one we know, or a new one that has proven nothing else."""
    known = queries.find_by_document(session, document)
    if known is not None:
        return known
    made = open_subject(session, language=language)
    holder = bind_document(session, actor=actor, subject_id=made, name=name, document=document)
    if holder != made:
        session.delete(session.get_one(Subject, made))
    return holder


def _certain(binding: Binding | None) -> Binding:
    if binding is None:
        raise StateConflict()
    return binding


def lock(session: Session, *subject_ids: UUID) -> None:
    """Keep these subjects as they are until the end of the transaction. Raises `NotFound`, `AccountFrozen`, `StateConflict`."""
    for subject_id in sorted(set(subject_ids)):
        state = session.scalar(select(Subject.state).where(Subject.id == subject_id).with_for_update(key_share=True))
        if state is None:
            raise NotFound()
        if state == SubjectState.FROZEN:
            raise AccountFrozen()
        if state in (SubjectState.MERGED, SubjectState.CLOSED):
            raise StateConflict()


# What one signs in with ----------------------------------------------------------------------------------------------


def phone_holder(session: Session, phone_e164: str) -> Binding | None:
    """The live binding of a phone, locked; None when it belongs to nobody."""
    return _holder(session, PhoneBinding, PhoneBinding.phone_lookup == queries.phone_lookup(phone_e164))


def wechat_holder(session: Session, openid: str) -> Binding | None:
    """The live binding of a WeChat account, locked; None when it belongs to nobody."""
    return _holder(session, WeChatBinding, WeChatBinding.openid_lookup == queries.openid_lookup(openid))


def _holder(session: Session, table: type[PhoneBinding] | type[WeChatBinding], match: object) -> Binding | None:
    # One table only: with a join, a row that was re-pointed while we waited for its lock would drop out.
    row = session.execute(
        select(table.id, table.subject_id, table.confirmed_at, table.proofs_since)
        .where(match, table.ended_at.is_(None))  # type: ignore[arg-type]
        .with_for_update()
    ).one_or_none()
    return None if row is None else Binding(*row)


def bind_phone(
    session: Session, *, subject_id: UUID, phone_e164: str, proofs_since: datetime | None = None
) -> UUID | None:
    """Give a proven phone to a subject; the binding, or None when somebody else was quicker (ID-3)."""
    now = clock.now()
    return session.scalar(
        insert(PhoneBinding)
        .values(
            id=ids.uuid7(),
            subject_id=subject_id,
            phone=phone_e164,
            phone_lookup=queries.phone_lookup(phone_e164),
            bound_at=now,
            confirmed_at=now,
            proofs_since=proofs_since,
        )
        .on_conflict_do_nothing(index_elements=["phone_lookup"], index_where=PhoneBinding.ended_at.is_(None))
        .returning(PhoneBinding.id)
    )


def bind_wechat(
    session: Session, *, subject_id: UUID, identity: WeChatIdentity, proofs_since: datetime | None = None
) -> UUID | None:
    """Give a WeChat account to a subject; the binding, or None when somebody else was quicker (ID-3)."""
    now = clock.now()
    return session.scalar(
        insert(WeChatBinding)
        .values(
            id=ids.uuid7(),
            subject_id=subject_id,
            openid=identity.openid,
            openid_lookup=queries.openid_lookup(identity.openid),
            unionid=identity.unionid,
            bound_at=now,
            confirmed_at=now,
            proofs_since=proofs_since,
        )
        .on_conflict_do_nothing(index_elements=["openid_lookup"], index_where=WeChatBinding.ended_at.is_(None))
        .returning(WeChatBinding.id)
    )


def confirm_phone(session: Session, binding_id: UUID) -> None:
    """Note that the phone was proven again just now."""
    session.execute(update(PhoneBinding).where(PhoneBinding.id == binding_id).values(confirmed_at=clock.now()))


def confirm_wechat(session: Session, binding_id: UUID) -> None:
    """Note that the WeChat account was proven again just now."""
    session.execute(update(WeChatBinding).where(WeChatBinding.id == binding_id).values(confirmed_at=clock.now()))


def release_phone(session: Session, *, actor: Actor, binding: Binding, reason: EndReason) -> None:
    """Take a phone away from its subject, which is told (ID-4); if it replaced it itself, the old phone is (ID-3)."""
    session.execute(
        update(PhoneBinding).where(PhoneBinding.id == binding.id).values(ended_at=clock.now(), end_reason=reason)
    )
    _record(session, actor, "account.release_phone", binding.subject_id, reason=reason.value)
    if reason is EndReason.REPLACED:
        events.publish(session, PhoneReplaced(binding.subject_id, binding.id))
    else:
        _announce(session, binding.subject_id, AccountChange.PHONE_TAKEN)


def release_phones(session: Session, *, actor: Actor, subject_id: UUID) -> list[str]:
    """The subject gets another phone: end the ones it has; which they were (E.164)."""
    rows = session.scalars(
        select(PhoneBinding)
        .where(PhoneBinding.subject_id == subject_id, PhoneBinding.ended_at.is_(None))
        .with_for_update()
    ).all()
    for row in rows:
        binding = Binding(row.id, row.subject_id, row.confirmed_at, row.proofs_since)
        release_phone(session, actor=actor, binding=binding, reason=EndReason.REPLACED)
    return [row.phone for row in rows]


def move_phone(session: Session, *, actor: Actor, binding_id: UUID, to: UUID, proofs_since: datetime | None) -> Moved:
    """A phone has a new owner, who has proven to be somebody else (ID-4). The old subject is told."""
    old = session.scalars(select(PhoneBinding).where(PhoneBinding.id == binding_id).with_for_update()).one()
    if old.ended_at is not None:
        raise StateConflict()
    binding = Binding(old.id, old.subject_id, old.confirmed_at, old.proofs_since)
    release_phone(session, actor=actor, binding=binding, reason=EndReason.TAKEN)
    moved = bind_phone(session, subject_id=to, phone_e164=old.phone, proofs_since=proofs_since)
    if moved is None:
        raise StateConflict()
    return Moved(moved, old.phone_lookup)


def move_wechat(session: Session, *, binding_id: UUID, to: UUID, proofs_since: datetime | None) -> Moved:
    """A WeChat account turned out to be somebody else's than the subject it had joined."""
    old = session.scalars(select(WeChatBinding).where(WeChatBinding.id == binding_id).with_for_update()).one()
    if old.ended_at is not None:
        raise StateConflict()
    session.execute(
        update(WeChatBinding)
        .where(WeChatBinding.id == binding_id)
        .values(ended_at=clock.now(), end_reason=EndReason.TAKEN)
    )
    identity = WeChatIdentity(old.openid, old.unionid)
    moved = bind_wechat(session, subject_id=to, identity=identity, proofs_since=proofs_since)
    if moved is None:
        raise StateConflict()
    return Moved(moved, old.openid_lookup)


def trust_bindings(session: Session, subject_id: UUID) -> None:
    """The person was here with the card: what had joined by name and number alone is no longer in doubt."""
    for table in (PhoneBinding, WeChatBinding, AlipayBinding):
        session.execute(
            update(table).where(table.subject_id == subject_id, table.ended_at.is_(None)).values(proofs_since=None)
        )


# Who one is ----------------------------------------------------------------------------------------------------------


def bind_document(session: Session, *, actor: Actor, subject_id: UUID, name: str, document: DocumentNumber) -> UUID:
    """Make `document` (matched by the source, or in a clerk's hand) that of `subject_id`, which is locked and has none.

    Returns its holder: `subject_id`, or the subject that had proven it before or was quicker (ID-3). Two that race for
    one document wait for each other at the unique hash.
    """
    bound: UUID | None = session.scalar(
        insert(SubjectDocument)
        .values(
            id=ids.uuid7(),
            subject_id=subject_id,
            document_type=document.type.value,
            document_number=document.number,
            document_lookup=queries.document_lookup(document),
            name=name,
            bound_at=clock.now(),
        )
        .on_conflict_do_nothing(index_elements=["document_lookup"])
        .returning(SubjectDocument.subject_id)
    )
    if bound is not None:
        _record(session, actor, "account.bind_document", subject_id, document_type=document.type.value)
        return bound
    holder = queries.find_by_document(session, document)
    if holder is None:
        raise StateConflict()
    return holder


def rename(session: Session, *, actor: Actor, subject_id: UUID, name: str) -> None:
    """The source knows the proven person by another name now (marriage, adoption, correction); the old one is kept."""
    found = session.scalars(
        select(SubjectDocument).where(SubjectDocument.subject_id == subject_id, SubjectDocument.ended_at.is_(None))
    ).one()
    if found.name != name:
        session.add(SubjectName(subject_id=subject_id, name=found.name, until=clock.now()))
        before, found.name = {"name": found.name}, name
        _record(session, actor, "account.rename", subject_id, before=before, after={"name": name})


def merge(session: Session, *, actor: Actor, kept: UUID, absorbed: UUID, proofs_since: datetime | None) -> None:
    """`absorbed`, which has no document, is the same person as `kept` (ID-3): all it has belongs to `kept` from now on.

    With `proofs_since`, what it signs in with joins restricted. Raises `AccountFrozen`, and `StateConflict` when
    `absorbed` has a document: proven persons are never merged by the system (PEERS 4.2: two people, one number).
    """
    lock(session, kept, absorbed)
    if queries.standing(session, absorbed).proven:
        raise StateConflict()
    for table in (PhoneBinding, WeChatBinding, AlipayBinding):
        session.execute(
            update(table)
            .where(table.subject_id == absorbed)
            .values(subject_id=kept, proofs_since=proofs_since or table.proofs_since)
        )
    session.execute(
        update(Subject)
        .where(Subject.id == absorbed, Subject.state.in_(rules.sources(SubjectState.MERGED)))
        .values(state=SubjectState.MERGED, merged_into=kept)
    )
    _record(session, actor, "account.merge", kept, absorbed=str(absorbed))
    events.publish(session, SubjectsMerged(kept, absorbed))
    if proofs_since is not None:
        _announce(session, kept, AccountChange.SIGN_IN_ADDED)


def freeze(session: Session, *, actor: Actor, subject_id: UUID, reason: FreezeReason) -> bool:
    """A source says that the person can't go on (ID-12); False if it was frozen already. A death is noted even then."""
    frozen = session.scalar(
        update(Subject)
        .where(Subject.id == subject_id, Subject.state.in_(rules.sources(SubjectState.FROZEN)))
        .values(state=SubjectState.FROZEN)
        .returning(Subject.id)
    )
    if frozen is None:
        if reason is FreezeReason.DEATH:
            freezing.note_death(session, actor=actor, subject_id=subject_id)
        return False
    session.add(SubjectFreeze(subject_id=subject_id, reason=reason, frozen_at=clock.now(), frozen_by=actor.audit_id))
    _record(session, actor, "account.freeze", subject_id, reason=reason)
    events.publish(session, SubjectFrozen(subject_id, reason))
    return True


def open_for_walk_in(
    session: Session, *, actor: Staff, name: str, document: DocumentNumber, phone: str | None = None
) -> UUID:
    """The subject of a person who came without an account, found by the card in the clerk's hand or made (AP-20).

    `phone` is where messages go until the person proves one. The caller records the check of the card
    (`auth.identity.service.record_counter_check`). Raises `IdentifierError`, `DocumentDiffers` (name), `AccountFrozen`.
    """
    clean = normalise_name(name)
    subject_id = open_with_document(session, actor=actor, name=clean, document=document)
    lock(session, subject_id)
    known = queries.person(session, subject_id).name or ""
    if name_key(known) != name_key(clean):
        raise DocumentDiffers(fields={"name": ["与证件登记的姓名不一致 / differs from the name on record"]})
    if phone:
        subject = session.get_one(Subject, subject_id)
        subject.contact_phone = normalise_phone(phone).e164
    _record(session, actor, "account.open_at_counter", subject_id)
    return subject_id


def _announce(session: Session, subject_id: UUID, change: AccountChange) -> None:
    events.publish(session, AccountChanged(subject_id, change, ids.uuid7()))


def _record(
    session: Session,
    actor: Actor,
    action: str,
    subject_id: UUID,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    **facts: str,
) -> None:
    audit.record(
        session,
        actor=actor,
        action=action,
        object_type="subject",
        object_id=subject_id,
        before=before,
        after=after,
        **facts,
    )
