"""Submit, send back, publish, withdraw."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from casework.catalogue.answers import service as answers
from casework.catalogue.drafts import queries
from casework.catalogue.drafts.errors import ItemEnded
from casework.catalogue.drafts.service import locked, note
from casework.catalogue.errors import AuthorCannotPublish, BaseChanged, CatalogueFaulty
from casework.catalogue.events import ItemPublicationWithdrawn, ItemVersionsPublished, Publication
from casework.catalogue.linting.queries import version_faults
from casework.catalogue.models import CatalogueItem, ItemVersion
from casework.catalogue.publishing.rules import day_fault
from casework.catalogue.rules import LIVE, VersionState
from core import clock, events
from core.actors import Staff
from core.errors import InvalidInput, StateConflict


def submit(session: Session, *, actor: Staff, version_id: UUID, edit: int) -> ItemVersion:
    """Hand a draft over for review; it can't be changed meanwhile.

    Raises `NotFound`, `StateConflict`, `PreconditionFailed`, `CatalogueFaulty`.
    """
    version = locked(session, actor, version_id, edit)
    _check_sound(session, version, clock.today())
    version.state = VersionState.IN_REVIEW
    version.authors = [*version.authors] if actor.staff_id in version.authors else [*version.authors, actor.staff_id]
    session.flush()
    note(session, version, actor, "version.submit")
    return version


def send_back(session: Session, *, actor: Staff, version_id: UUID, text: str) -> ItemVersion:
    """Give a submitted draft back to its authors, with what is to be done. Raises `NotFound`, `StateConflict`."""
    version = _submitted(session, actor, version_id)
    version.state = VersionState.DRAFT
    version.edit += 1
    session.flush()
    note(session, version, actor, "version.send_back", text=text)
    return version


def _submitted(session: Session, actor: Staff, version_id: UUID) -> ItemVersion:
    version = queries.managed(session, actor, version_id, lock=True)
    if version.state != VersionState.IN_REVIEW:
        raise StateConflict(extra={"state": version.state})
    return version


def _check_sound(session: Session, version: ItemVersion, day: date) -> None:
    faults = version_faults(session, version.id, day)
    if faults:
        told: list[Mapping[str, str]] = [
            {"item_id": fault.item_id, "path": fault.path, "problem": fault.problem, "mend": fault.mend}
            for fault in faults
        ]
        raise CatalogueFaulty(count=len(faults), extra={"faults": told})


def publish(session: Session, *, actor: Staff, version_id: UUID, effective_from: date) -> ItemVersion:
    """Make a submitted draft law from `effective_from` (today or later) on, until the next version that is published already.

    Raises `NotFound`, `StateConflict` (not submitted), `ItemEnded`, `AuthorCannotPublish`, `BaseChanged` (it was made from
    another version than it would replace), `CatalogueFaulty`, `InvalidInput` (a day that is over, too far ahead or taken).
    """
    version = _submitted(session, actor, version_id)
    if actor.staff_id in version.authors:
        raise AuthorCannotPublish()
    if fault := day_fault(effective_from, clock.today()):
        raise InvalidInput(fields={"effective_from": [fault]})
    item = session.get_one(CatalogueItem, version.item_id)
    current = queries.in_force_on(session, version.item_id, effective_from)
    if item.gone_kind is not None or (current is not None and current.state == VersionState.RETIRED):
        raise ItemEnded(extra={"gone": item.gone_kind})
    if current is not None and current.effective_from == effective_from > clock.today():
        told = "这一天已有发布的版本，请先撤回或另选日期 / a version is published for that day; withdraw it or take another day"
        raise InvalidInput(fields={"effective_from": [told]})
    if version.base_version_id != (current.id if current else None):
        raise BaseChanged(extra={"in_force": str(current.id) if current else None})
    _check_sound(session, version, effective_from)
    until = session.scalar(
        select(func.min(ItemVersion.effective_from)).where(
            ItemVersion.item_id == version.item_id,
            ItemVersion.state.in_(LIVE),
            ItemVersion.effective_from > effective_from,
        )
    )
    if current is not None:
        current.effective_to = effective_from
        session.flush()
    version.state, version.published_by = VersionState.PUBLISHED, actor.staff_id
    version.effective_from, version.effective_to = effective_from, until
    session.flush()
    answers.touch(session)
    replaces = current.id if current is not None else None
    published = Publication(version.item_id, version.id, replaces, effective_from)
    events.publish(session, ItemVersionsPublished((published,)))
    note(session, version, actor, "version.publish", detail=effective_from.isoformat())
    return version


def withdraw(session: Session, *, actor: Staff, version_id: UUID, text: str) -> ItemVersion:
    """Take a publication back before its first day; what it would have replaced goes on. Raises `NotFound`, `StateConflict`."""
    version = queries.managed(session, actor, version_id, lock=True)
    if version.state != VersionState.PUBLISHED or version.effective_from <= clock.today():
        raise StateConflict(extra={"state": version.state})
    version.state = VersionState.WITHDRAWN
    session.flush()
    session.execute(
        update(ItemVersion)
        .where(
            ItemVersion.item_id == version.item_id,
            ItemVersion.state == VersionState.PUBLISHED,
            ItemVersion.effective_to == version.effective_from,
            ItemVersion.effective_from < ItemVersion.effective_to,
        )
        .values(effective_to=version.effective_to)
    )
    answers.touch(session)
    events.publish(session, ItemPublicationWithdrawn(version.item_id, version.id))
    note(session, version, actor, "version.withdraw", text=text)
    return version
