"""Reads about persons. Personal values are for the caller to mask or encrypt; nothing here prints them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, exists, func, select, true
from sqlalchemy.orm import Session, aliased

from auth.accounts.models import PhoneBinding, Subject, SubjectDocument, WeChatBinding
from auth.accounts.rules import EndReason, SubjectState
from core import security
from core.errors import NotFound
from core.identifiers import DocumentNumber, DocumentType, normalise_document
from core.statements import Row, Statement


@dataclass(frozen=True, slots=True)
class Person:
    """A person as proven; name and document are None for a subject that has proven none. An organisation has a name only."""

    subject_id: UUID
    name: str | None = field(repr=False)
    document_type: DocumentType | None
    document_number: str | None = field(repr=False)
    birth_date: date | None = field(repr=False)
    phone: str | None = field(repr=False)
    language: str


@dataclass(frozen=True, slots=True)
class Contact:
    """Where messages to a person go. Phone in E.164."""

    phone: str | None = field(repr=False)
    openid: str | None = field(repr=False)
    language: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What matters of a subject when somebody signs in to it: its state, and whether it has proven a document."""

    subject_id: UUID
    state: SubjectState
    proven: bool


@dataclass(frozen=True, slots=True)
class Binding:
    """A live phone or WeChat account."""

    id: UUID
    subject_id: UUID
    confirmed_at: datetime
    proofs_since: datetime | None


def phone_lookup(phone_e164: str) -> bytes:
    """The keyed hash of a phone."""
    return security.lookup("phone", phone_e164)


def openid_lookup(openid: str) -> bytes:
    """The keyed hash of a WeChat account."""
    return security.lookup("openid", openid)


def document_lookup(document: DocumentNumber) -> bytes:
    """The keyed hash of a document: kind and number (ID-3)."""
    return security.lookup("document", document.key)


def person(session: Session, subject_id: UUID) -> Person:
    """The person behind `subject_id`, with its contacts as `contact` has them. Raises `NotFound`."""
    row = _read(_PERSON, session, subject_id)
    *known, organisation_name, kind, number, name = row
    reached = _contact(known)
    if kind is None:
        return Person(subject_id, organisation_name, None, None, None, reached.phone, reached.language)
    document = normalise_document(DocumentType(kind), number)
    return Person(
        subject_id, name, document.type, document.number, document.birth_date, reached.phone, reached.language
    )


def names(session: Session, subjects: Collection[UUID]) -> dict[UUID, str]:
    """The names of persons and organisations, in one query; who has none is left out."""
    own = and_(SubjectDocument.subject_id == Subject.id, SubjectDocument.ended_at.is_(None))
    rows = session.execute(
        select(Subject.id, Subject.organisation_name, SubjectDocument.name)
        .outerjoin(SubjectDocument, own)
        .where(Subject.id.in_(subjects))
    )
    return {row[0]: row[1] or row[2] for row in rows if row[1] or row[2]}


def document(session: Session, subject_id: UUID) -> DocumentNumber | None:
    """The document that `subject_id` has proven, or None."""
    found = _in_use(session, subject_id)
    return None if found is None else _document(found)


def contact(session: Session, subject_id: UUID) -> Contact:
    """Where messages go: the phone proven longest without doubt, then what was told at a counter. Raises `NotFound`.

    A phone or WeChat account that joined an already proven person (`proofs_since`) comes last, so that whoever knows
    somebody's name and number can't draw their messages away (ID-4).
    """
    return _contact(_read(_CONTACT, session, subject_id))


def language(session: Session, subject_id: UUID) -> str:
    """The language that messages to a person are written in. Raises `NotFound`."""
    return str(_read(_LANGUAGE, session, subject_id)[0])


_WHOSE = bindparam("subject_id", type_=Subject.id.type)
_PHONE = (
    select(PhoneBinding.phone, PhoneBinding.proofs_since)
    .where(PhoneBinding.subject_id == _WHOSE, PhoneBinding.ended_at.is_(None))
    .order_by(PhoneBinding.proofs_since.asc().nulls_first(), PhoneBinding.bound_at.desc())
    .limit(1)
    .subquery()
)
_OPENID = (
    select(WeChatBinding.openid)
    .where(WeChatBinding.subject_id == _WHOSE, WeChatBinding.ended_at.is_(None))
    .order_by(WeChatBinding.proofs_since.asc().nulls_first(), WeChatBinding.bound_at.desc())
    .limit(1)
    .subquery()
)
_REACHED = (
    select(Subject.language, Subject.contact_phone, _PHONE.c.phone, _PHONE.c.proofs_since, _OPENID.c.openid)
    .select_from(Subject)
    .outerjoin(_PHONE, true())
    .outerjoin(_OPENID, true())
    .where(Subject.id == _WHOSE)
)
_CONTACT = Statement(_REACHED)
_PERSON = Statement(
    _REACHED.outerjoin(
        SubjectDocument, and_(SubjectDocument.subject_id == Subject.id, SubjectDocument.ended_at.is_(None))
    ).add_columns(
        Subject.organisation_name,
        SubjectDocument.document_type,
        SubjectDocument.document_number,
        SubjectDocument.name,
    )
)
_LANGUAGE = Statement(select(Subject.language).where(Subject.id == _WHOSE))
_STANDING = Statement(
    select(Subject.state, exists().where(SubjectDocument.subject_id == Subject.id)).where(Subject.id == _WHOSE)
)


def _read(statement: Statement, session: Session, subject_id: UUID) -> Row:
    row = statement.row(session, subject_id=subject_id)
    if row is None:
        raise NotFound()
    return row


def _contact(row: Sequence[Any]) -> Contact:
    language, told, phone, proofs_since, openid = row
    doubtful = phone is None or (proofs_since is not None and told is not None)
    return Contact(told if doubtful else phone, openid, language)


def find_by_document(session: Session, document: DocumentNumber) -> UUID | None:
    """The subject that has proven `document`, or None."""
    return session.scalar(
        select(SubjectDocument.subject_id).where(SubjectDocument.document_lookup == document_lookup(document))
    )


def find_by_phone(session: Session, phone_e164: str) -> UUID | None:
    """The subject whose phone this is now, or None. A phone is a contact, not an identity (ID-4)."""
    return session.scalar(
        select(PhoneBinding.subject_id).where(
            PhoneBinding.phone_lookup == phone_lookup(phone_e164), PhoneBinding.ended_at.is_(None)
        )
    )


def find_by_openid(session: Session, openid: str) -> UUID | None:
    """The subject whose WeChat account this is now, or None."""
    return session.scalar(
        select(WeChatBinding.subject_id).where(
            WeChatBinding.openid_lookup == openid_lookup(openid), WeChatBinding.ended_at.is_(None)
        )
    )


def given_up_phone(session: Session, binding_id: UUID) -> str | None:
    """The phone (E.164) of a binding that its subject gave up for another; None for any other binding."""
    return session.scalar(
        select(PhoneBinding.phone).where(
            PhoneBinding.id == binding_id, PhoneBinding.end_reason == EndReason.REPLACED.value
        )
    )


def standing(session: Session, subject_id: UUID) -> Standing:
    """State of a subject, and whether it has proven a document. Raises `NotFound`."""
    state, proven = _read(_STANDING, session, subject_id)
    return Standing(subject_id, SubjectState(state), proven)


def has_phone(session: Session, subject_id: UUID) -> bool:
    """Whether a proven phone belongs to `subject_id` now."""
    live = exists().where(PhoneBinding.subject_id == subject_id, PhoneBinding.ended_at.is_(None))
    return bool(session.scalar(select(live)))


def phone_changed_at(session: Session, subject_id: UUID) -> datetime | None:
    """When the newest of the subject's phones took the place of, or joined, an earlier one; None for its first (ID-13)."""
    earlier = aliased(PhoneBinding)
    joined = func.coalesce(PhoneBinding.proofs_since, PhoneBinding.bound_at)
    return session.scalar(
        select(func.max(joined)).where(
            PhoneBinding.subject_id == subject_id,
            PhoneBinding.ended_at.is_(None),
            exists().where(
                earlier.subject_id == subject_id,
                earlier.id != PhoneBinding.id,
                earlier.bound_at < joined,
            ),
        )
    )


def _in_use(session: Session, subject_id: UUID) -> SubjectDocument | None:
    return session.scalar(
        select(SubjectDocument).where(SubjectDocument.subject_id == subject_id, SubjectDocument.ended_at.is_(None))
    )


def _document(found: SubjectDocument) -> DocumentNumber:
    return normalise_document(DocumentType(found.document_type), found.document_number)
