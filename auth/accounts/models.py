"""Tables of subjects, their documents and what they sign in with. Ended bindings stay as history."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from auth.accounts.rules import FreezeReason, SubjectState
from core.db import Base, Encrypted, UuidKey

_STATES = ", ".join(f"'{state}'" for state in SubjectState)
_FREEZE_REASONS = ", ".join(f"'{reason}'" for reason in FreezeReason)
_LIVE = text("ended_at IS NULL")


class Subject(UuidKey, Base):
    """One natural person as far as we know. `contact_phone` was told at a counter: for messages, never for signing in."""

    __tablename__ = "subject"
    __table_args__ = (
        CheckConstraint(f"state IN ({_STATES})", name="state_known"),
        CheckConstraint("(state = 'MERGED') = (merged_into IS NOT NULL)", name="merged_has_target"),
        CheckConstraint("kind IN ('ORGANISATION', 'PERSON')", name="kind_known"),
        CheckConstraint("(kind = 'ORGANISATION') = (organisation_name IS NOT NULL)", name="organisation_has_name"),
    )

    kind: Mapped[str] = mapped_column(Text, server_default=text("'PERSON'"))
    organisation_name: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    merged_into: Mapped[UUID | None] = mapped_column(ForeignKey("subject.id"))
    language: Mapped[str] = mapped_column(Text)
    contact_phone: Mapped[str | None] = mapped_column(Encrypted("subject.contact_phone"))
    created_at: Mapped[datetime]


class SubjectDocument(UuidKey, Base):
    """A document that makes a subject a proven person; unique over all subjects by its keyed hash (ID-3).

    One is in use; those it replaced stay, so that an old passport's number still finds its owner (DG-7). `twin` counts
    the people whom one number was issued to twice, above 0 only by a registrar's decision (PEERS 4.2).
    """

    __tablename__ = "subject_document"
    __table_args__ = (
        CheckConstraint("twin >= 0", name="twin_counts"),
        Index("ix_subject_document_subject_id", "subject_id"),
        Index("uq_subject_document_in_use", "subject_id", unique=True, postgresql_where=_LIVE),
    )

    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"))
    document_type: Mapped[str] = mapped_column(Text)
    document_number: Mapped[str] = mapped_column(Encrypted("subject_document.document_number"))
    document_lookup: Mapped[bytes] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(Encrypted("subject_document.name"))
    bound_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    twin: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))


class SubjectName(UuidKey, Base):
    """A name the person had before: marriage, adoption, correction (PEERS 4.2)."""

    __tablename__ = "subject_name"

    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"), index=True)
    name: Mapped[str] = mapped_column(Encrypted("subject_name.name"))
    until: Mapped[datetime]


class SubjectFreeze(UuidKey, Base):
    """Why and how long a subject was frozen, and the two people who let it go on (ID-12)."""

    __tablename__ = "subject_freeze"
    __table_args__ = (
        CheckConstraint(f"reason IN ({_FREEZE_REASONS})", name="reason_known"),
        CheckConstraint("(lift_proposed_by IS NULL) = (lift_proposed_at IS NULL)", name="proposal_has_time"),
        CheckConstraint("(lifted_by IS NULL) = (lifted_at IS NULL)", name="lift_has_time"),
        CheckConstraint("lifted_at IS NULL OR lift_proposed_at IS NOT NULL", name="lift_was_proposed"),
        CheckConstraint("lifted_by <> lift_proposed_by", name="two_people"),
        Index("ix_subject_freeze_subject_id", "subject_id"),
        Index("uq_subject_freeze_standing", "subject_id", unique=True, postgresql_where=text("lifted_at IS NULL")),
    )

    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"))
    reason: Mapped[str] = mapped_column(Text)
    frozen_at: Mapped[datetime]
    frozen_by: Mapped[str] = mapped_column(Text)
    lift_reason: Mapped[str] = mapped_column(Text, server_default="")
    lift_proposed_by: Mapped[UUID | None]
    lift_proposed_at: Mapped[datetime | None]
    lifted_by: Mapped[UUID | None]
    lifted_at: Mapped[datetime | None]


class PhoneBinding(UuidKey, Base):
    """A proven phone, E.164. `proofs_since`: joined a proven person then; see `auth`. `confirmed_at`: last proven."""

    __tablename__ = "phone_binding"
    __table_args__ = (
        CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name="ended_has_reason"),
        Index("ix_phone_binding_subject_id", "subject_id", postgresql_where=_LIVE),
        Index("uq_phone_binding_live", "phone_lookup", unique=True, postgresql_where=_LIVE),
    )

    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"))
    phone: Mapped[str] = mapped_column(Encrypted("phone_binding.phone"))
    phone_lookup: Mapped[bytes]
    bound_at: Mapped[datetime]
    confirmed_at: Mapped[datetime]
    proofs_since: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None] = mapped_column(Text)


class WeChatBinding(UuidKey, Base):
    """A WeChat account of the mini-program. Columns as in `PhoneBinding`."""

    __tablename__ = "wechat_binding"
    __table_args__ = (
        CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name="ended_has_reason"),
        Index("ix_wechat_binding_subject_id", "subject_id", postgresql_where=_LIVE),
        Index("uq_wechat_binding_live", "openid_lookup", unique=True, postgresql_where=_LIVE),
    )

    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"))
    openid: Mapped[str] = mapped_column(Encrypted("wechat_binding.openid"))
    openid_lookup: Mapped[bytes]
    bound_at: Mapped[datetime]
    confirmed_at: Mapped[datetime]
    proofs_since: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None] = mapped_column(Text)
    unionid: Mapped[str | None] = mapped_column(Encrypted("wechat_binding.unionid"))


class AlipayBinding(UuidKey, Base):
    """An Alipay account, by the id of our application's own (`open_id`), the older `user_id`, or both. Columns as in `PhoneBinding`."""

    __tablename__ = "alipay_binding"
    __table_args__ = (
        CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name="ended_has_reason"),
        CheckConstraint("num_nonnulls(open_id_lookup, user_id_lookup) > 0", name="has_an_id"),
        Index("ix_alipay_binding_subject_id", "subject_id", postgresql_where=_LIVE),
        Index("uq_alipay_binding_open_id", "open_id_lookup", unique=True, postgresql_where=_LIVE),
        Index("uq_alipay_binding_user_id", "user_id_lookup", unique=True, postgresql_where=_LIVE),
    )

    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"))
    open_id: Mapped[str | None] = mapped_column(Encrypted("alipay_binding.open_id"))
    open_id_lookup: Mapped[bytes | None]
    user_id: Mapped[str | None] = mapped_column(Encrypted("alipay_binding.user_id"))
    user_id_lookup: Mapped[bytes | None]
    bound_at: Mapped[datetime]
    confirmed_at: Mapped[datetime]
    proofs_since: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None] = mapped_column(Text)
