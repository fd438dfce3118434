"""Reads of consents and of their texts."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from auth.consent import rules
from auth.consent.models import Consent
from auth.consent.rules import ConsentKind, ConsentText, Wording
from core import clock
from core.actors import Citizen
from core.errors import NotFound

_FILE = Path(__file__).with_name("texts.json")


@dataclass(frozen=True, slots=True)
class Standing:
    """A kind of consent, the text shown now, and the person's consent to it, if one stands."""

    kind: ConsentKind
    text_version: str
    given_version: str | None
    given_at: datetime | None


@functools.cache
def all_texts() -> tuple[ConsentText, ...]:
    """Every version of every text, as `texts.json` has them. Raises `ValueError` when two of a kind have one version."""
    texts = tuple(_text(entry) for entry in json.loads(_FILE.read_text(encoding="utf-8"))["texts"])
    if len({(text.kind, text.version) for text in texts}) != len(texts):
        raise ValueError("two texts of one kind have the same version")
    return texts


def _text(entry: Mapping[str, Any]) -> ConsentText:
    zh, en = (
        Wording(
            title=entry["title"][language],
            body=entry["body"][language],
            legal_basis=entry["legal_basis"][language],
            fields=tuple(entry["fields"][language]),
            retention=entry["retention"][language],
        )
        for language in ("zh", "en")
    )
    return ConsentText(
        ConsentKind(entry["kind"]), entry["version"], date.fromisoformat(entry["effective_from"]), zh, en
    )


def texts() -> Mapping[ConsentKind, ConsentText]:
    """The text in force of each kind."""
    return rules.in_force(all_texts(), clock.today())


def text(kind: str, version: str) -> ConsentText:
    """One version of a text, also one that is no longer shown. Raises `NotFound`."""
    found = next((one for one in all_texts() if one.kind == kind and one.version == version), None)
    if found is None:
        raise NotFound()
    return found


def standing(session: Session, subject_id: UUID, *, session_id: UUID | None = None) -> Sequence[Standing]:
    """Every kind, with the person's consent; `session_id` counts what was given at a kiosk in that session."""
    rows = session.scalars(
        select(Consent).where(Consent.subject_id == subject_id, Consent.withdrawn_at.is_(None), _here(session_id))
    )
    given = {row.kind: row for row in rows}
    return [
        Standing(
            kind,
            shown.version,
            given[kind].text_version if kind in given else None,
            given[kind].given_at if kind in given else None,
        )
        for kind, shown in texts().items()
    ]


def has_given(session: Session, subject_id: UUID, kind: ConsentKind, *, session_id: UUID | None = None) -> bool:
    """Whether the person's consent to the text in force stands; `session_id` as in `standing`."""
    shown = texts().get(kind)
    if shown is None:
        return True
    found = session.scalar(
        select(Consent.id).where(
            Consent.subject_id == subject_id,
            Consent.kind == kind,
            Consent.text_version == shown.version,
            Consent.withdrawn_at.is_(None),
            _here(session_id),
        )
    )
    return found is not None


def stands_for(session: Session, actor: Citizen, kind: ConsentKind) -> bool:
    """Whether the consent that `actor`'s act needs stands: that of the person whose data it is."""
    return has_given(session, actor.owner_id, kind, session_id=actor.session_id)


def history(session: Session, subject_id: UUID) -> Sequence[Consent]:
    """Every consent the person ever gave, the newest first."""
    return session.scalars(select(Consent).where(Consent.subject_id == subject_id).order_by(Consent.id.desc())).all()


def _here(session_id: UUID | None) -> ColumnElement[bool]:
    return or_(Consent.session_id.is_(None), Consent.session_id == session_id)
