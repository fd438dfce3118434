"""Ending an item by the item manager of its department, and taking that back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy.orm import Session

from casework.catalogue import service as catalogue
from casework.catalogue.drafts import queries as drafts
from casework.catalogue.rules import GoneKind
from core.actors import Staff
from core.errors import NotFound


def retire_managed(
    session: Session,
    *,
    actor: Staff,
    item_id: str,
    ends: date,
    kind: GoneKind,
    successors: Sequence[str],
    reason: str,
) -> None:
    """End an item of the actor's department; see `catalogue.service.retire`. Raises `NotFound` for another department's."""
    _check_own(session, actor, item_id)
    catalogue.retire(session, actor=actor, item_id=item_id, ends=ends, kind=kind, successors=successors, reason=reason)


def keep_managed(session: Session, *, actor: Staff, item_id: str, reason: str) -> None:
    """Take back the end of an item of the actor's department; see `catalogue.service.keep`. Raises `NotFound` for another's."""
    _check_own(session, actor, item_id)
    catalogue.keep(session, actor=actor, item_id=item_id, reason=reason)


def _check_own(session: Session, actor: Staff, item_id: str) -> None:
    version = drafts.latest(session, item_id)
    if version is None or version.department_id != actor.department_id:
        raise NotFound()
