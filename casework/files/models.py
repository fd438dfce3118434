"""Tables of uploaded files. The bytes are in the `FileStore`, sealed with the row's own key."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from casework.files.rules import MediaType
from core.db import Base, Encrypted, UuidKey

_MEDIA_TYPES = ", ".join(f"'{media_type}'" for media_type in MediaType)


class StoredFile(UuidKey, Base):
    """One uploaded file. `digest` is the SHA-256 of what was uploaded, `size` its bytes, `pages` its pages (PR-13).

    `content_key` opens the sealed bytes; without it they are noise, so deleting the row forgets the file even where a
    copy of the store survives.
    """

    __tablename__ = "stored_file"
    __table_args__ = (
        CheckConstraint(f"media_type IN ({_MEDIA_TYPES})", name="media_type_known"),
        CheckConstraint("size > 0", name="not_empty"),
        CheckConstraint("pages > 0", name="has_pages"),
        Index("ix_stored_file_owner_id_digest", "owner_id", "digest"),
        Index("ix_stored_file_deleted_at", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
    )

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"))
    uploaded_by: Mapped[UUID] = mapped_column(ForeignKey("subject.id"))
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    media_type: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(Integer)
    pages: Mapped[int] = mapped_column(Integer)
    original_name: Mapped[str] = mapped_column(Encrypted("stored_file.original_name"))
    content_key: Mapped[str] = mapped_column(Encrypted("stored_file.content_key"))
    created_at: Mapped[datetime] = mapped_column(index=True)
    deleted_at: Mapped[datetime | None]


class StoredFileUse(Base):
    """A matter that a file belongs to. While there is one, the file stays."""

    __tablename__ = "stored_file_use"

    file_id: Mapped[UUID] = mapped_column(ForeignKey("stored_file.id"), primary_key=True)
    matter_type: Mapped[str] = mapped_column(Text, primary_key=True)
    matter_id: Mapped[UUID] = mapped_column(primary_key=True)

    __table_args__ = (Index("ix_stored_file_use_matter_type_matter_id", "matter_type", "matter_id"),)
