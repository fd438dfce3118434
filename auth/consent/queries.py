"""Reads of consents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.consent.models import Consent
from auth.consent.rules import TEXTS, ConsentKind


@dataclass(frozen=True, slots=True)
class Standing:
    """A kind of consent, the text shown now, and the person's consent to it, if one stands."""

    kind: ConsentKind
    text_version: str
    given_version: str | None
    given_at: datetime | None


def standing(session: Session, subject_id: UUID) -> Sequence[Standing]:
    """Every kind, with the person's consent."""
    rows = session.scalars(select(Consent).where(Consent.subject_id == subject_id, Consent.withdrawn_at.is_(None)))
    given = {row.kind: row for row in rows}
    return [
        Standing(
            kind,
            version,
            given[kind].text_version if kind in given else None,
            given[kind].given_at if kind in given else None,
        )
        for kind, version in TEXTS.items()
    ]


def has_given(session: Session, subject_id: UUID, kind: ConsentKind) -> bool:
    """Whether the person's consent to the text in force stands."""
    found = session.scalar(
        select(Consent.id).where(
            Consent.subject_id == subject_id,
            Consent.kind == kind,
            Consent.text_version == TEXTS[kind],
            Consent.withdrawn_at.is_(None),
        )
    )
    return found is not None
