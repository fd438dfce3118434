"""Tables of the offline bundle."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Encrypted


class CatalogueBundle(Base):
    """A bundle, ready to be sent: `body` is gzip, `signature` a detached JWS over what is in it.

    `revision` and `day`: when the catalogue was last found to be like this. `digests`: item → digest of its entry. `changes`:
    what leads from this bundle to the newest, made anew with each.
    """

    __tablename__ = "catalogue_bundle"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    revision: Mapped[int] = mapped_column(BigInteger)
    day: Mapped[date]
    names: Mapped[dict[str, Any]]
    digests: Mapped[dict[str, Any]]
    body: Mapped[bytes]
    etag: Mapped[str] = mapped_column(Text)
    signature: Mapped[str] = mapped_column(Text)
    changes: Mapped[bytes]
    changes_etag: Mapped[str] = mapped_column(Text)
    changes_signature: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime]


class CatalogueBundleKey(Base):
    """One row: the key pair (P-256) that signs bundles."""

    __tablename__ = "catalogue_bundle_key"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kid: Mapped[str] = mapped_column(Text)
    private_key: Mapped[str] = mapped_column(Encrypted("catalogue_bundle_key.private_key"))
    public_jwk: Mapped[dict[str, Any]]
    made_at: Mapped[datetime]
