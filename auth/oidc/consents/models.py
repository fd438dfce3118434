"""The table of consents to show a client something. Withdrawn ones stay as history."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from auth.oidc.consents.rules import Field
from core.db import Base, UuidKey

_FIELDS = ", ".join(f"'{field}'" for field in Field)


class OidcConsent(UuidKey, Base):
    """Which fields of a person a client may see; at most one row of a person and a client stands."""

    __tablename__ = "oidc_consent"
    __table_args__ = (
        CheckConstraint(f"fields <@ ARRAY[{_FIELDS}]::text[]", name="fields_known"),
        Index(
            "uq_oidc_consent_standing",
            "subject_id",
            "client_key",
            unique=True,
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )

    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"), index=True)
    client_key: Mapped[UUID] = mapped_column(ForeignKey("oidc_client.id"))
    fields: Mapped[list[str]] = mapped_column(ARRAY(Text))
    text_version: Mapped[str] = mapped_column(Text)
    given_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
