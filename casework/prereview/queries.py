"""Reads of pre-reviews for the citizen and for other features. The clerk's reads are in `casework.prereview.review`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, selectinload
from sqlalchemy.orm.interfaces import ORMOption

from casework.acting import queries as acting
from casework.acting import service as checks
from casework.catalogue import queries as catalogue
from casework.catalogue import rules as catalogue_rules
from casework.catalogue.differences import queries as differences
from casework.catalogue.differences.queries import Difference
from casework.catalogue.errors import ItemNotInForce
from casework.catalogue.rules import Item, Material, Question
from casework.catalogue.situations.rules import NO, walk
from casework.prereview import rules
from casework.prereview.models import PreReview, PreReviewMaterial
from casework.prereview.rules import Change, Listed, Provision, State, Verdict
from core import clock, ids
from core.actors import Citizen
from core.errors import NotFound, StateConflict
from core.numbers import Kind
from core.web.paging import Page, by_id
from core.web.request_context import language

WITH_PAPERS = selectinload(PreReview.materials).selectinload(PreReviewMaterial.all_files)
WITH_HISTORY = (selectinload(PreReview.history), selectinload(PreReview.notes))


@dataclass(frozen=True, slots=True)
class PassedMaterial:
    """A material of a passed pre-review. `bring`: its original (or itself, if 容缺) must come to the counter."""

    no: int
    name: str
    provision: Provision | None
    verdict: Verdict
    original_required: bool
    bring: bool
    file_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class PassedPreReview:
    """A pre-review that passed and still counts: what booking, the counter and a case need of it (PR-10, PR-11)."""

    id: UUID
    number: str
    owner_id: UUID
    acting_id: UUID
    item_id: str
    version_id: UUID
    hall_id: UUID
    answers: dict[str, str]
    expires_at: datetime
    materials: tuple[PassedMaterial, ...]


@dataclass(frozen=True, slots=True)
class VersionChange:
    """What the version in force asks that the draft's version didn't (PR-2); `difference`: all that it says otherwise."""

    item: Item
    changes: tuple[Change, ...]
    open_questions: tuple[Question, ...]
    difference: Difference | None = None

    @property
    def told(self) -> list[dict[str, Any]]:
        """The whole difference in the caller's language."""
        return self.difference.told(language(), to_citizen=True) if self.difference is not None else []

    @property
    def choices(self) -> tuple[rules.Step, ...]:
        """What the citizen can do about it."""
        return rules.VERSION_CHOICES

    @property
    def extra(self) -> dict[str, object]:
        """The same for the members of a problem answer."""
        return {
            "difference": self.told,
            "version_id": str(self.item.version_id),
            "changes": [{"kind": change.kind, "no": change.no, "name": change.name} for change in self.changes],
            "open_questions": [{"key": question.key, "text": question.text} for question in self.open_questions],
        }


@dataclass(frozen=True, slots=True)
class MaterialView:
    """A material as its owner sees it: `told` says whether the verdict has been told yet (PR-5: all at once)."""

    material: PreReviewMaterial
    told: bool


@dataclass(frozen=True, slots=True)
class Detail:
    """A pre-review as its owner sees it, with what a draft's item changed and the steps that are open now (PR-2, PR-10)."""

    prereview: PreReview
    materials: tuple[MaterialView, ...]
    version_change: VersionChange | None
    next_steps: tuple[rules.Step, ...]


def detail(session: Session, prereview: PreReview, now: datetime) -> Detail:
    """The owner's view of a pre-review that was read with its papers."""
    state = State(prereview.state)
    try:
        change = version_change(session, prereview, now, whole=True) if state is State.DRAFT else None
    except ItemNotInForce:
        change = None
    bookable = state is State.PASSED and catalogue.item_version(session, prereview.version_id).bookable
    return Detail(
        prereview=prereview,
        materials=tuple(
            MaterialView(m, rules.is_told(state, prereview.round, m.verdict_round)) for m in prereview.listed
        ),
        version_change=change,
        next_steps=rules.next_steps(state, bookable=bookable),
    )


def page_of_actor(session: Session, actor: Citizen, args: Mapping[str, Any]) -> Page[PreReview]:
    """The actor's pre-reviews, or those of whom one acts for that one may see, without deleted drafts, newest first."""
    query = select(PreReview).where(PreReview.owner_id == actor.owner_id, PreReview.state != State.DISCARDED)
    items = acting.visible_items(session, actor)
    if items is not None:
        query = query.where(PreReview.item_id.in_(items))
    return by_id(session, query, PreReview.id, args)


def seen(session: Session, prereview_id: UUID, actor: Citizen) -> PreReview:
    """The pre-review as the actor may see it, for oneself or for another. Raises `NotFound`."""
    found = owned(session, prereview_id, actor.owner_id)
    checks.require_seen(session, actor=actor, version_id=found.version_id)
    return found


def owned(session: Session, prereview_id: UUID, owner_id: UUID, *, lock: bool = False) -> PreReview:
    """The owner's pre-review with its papers. `lock` holds its row. Raises `NotFound` for a foreign or missing one alike."""
    query = select(PreReview).where(PreReview.id == prereview_id, PreReview.owner_id == owner_id)
    return one(session, query, lock=lock)


def one(session: Session, query: Select[PreReview], *, lock: bool = False) -> PreReview:
    """The one pre-review of `query` with its papers, read afresh. Raises `NotFound`."""
    query = query.options(WITH_PAPERS).execution_options(populate_existing=True)
    found = session.scalars(query.with_for_update(of=PreReview) if lock else query).one_or_none()
    if found is None:
        raise NotFound()
    return found


def passed(session: Session, prereview_id: UUID, now: datetime, *, owner_id: UUID | None = None) -> PassedPreReview:
    """A pre-review that passed and still counts at `now` (PR-9, PR-10); with `owner_id`, only that owner's.

    Raises `NotFound`, `StateConflict` (not passed, used, out of time, or the item now asks for more).
    """
    query = select(PreReview).where(PreReview.id == prereview_id)
    if owner_id is not None:
        query = query.where(PreReview.owner_id == owner_id)
    prereview = one(session, query)
    if not counts(session, prereview, now):
        raise StateConflict(extra={"state": prereview.state})
    return _passed(prereview)


def counts(session: Session, prereview: PreReview, now: datetime) -> bool:
    """Whether a pre-review has passed and has not run out of time or been overtaken by a new item version (PR-9)."""
    if prereview.state != State.PASSED or prereview.expires_at is None or prereview.expires_at <= now:
        return False
    return not overtaken(session, prereview, now)


def overtaken(session: Session, prereview: PreReview, now: datetime) -> bool:
    """Whether the item left force, or its version in force asks for a material that wasn't reviewed (PR-9)."""
    try:
        change = version_change(session, prereview, now)
    except ItemNotInForce:
        return True
    if change is None:
        return False
    listed, _ = list_for(change.item, prereview.answers)
    return rules.adds_material(change.changes, [as_listed(material) for material in listed])


def version_change(
    session: Session, prereview: PreReview, now: datetime, *, whole: bool = False
) -> VersionChange | None:
    """How the list by the version in force differs, or None if it is the same version; `whole`: all that it says otherwise.

    Raises `ItemNotInForce`.
    """
    item = catalogue.item_in_force(session, prereview.item_id, clock.local(now).date())
    if item.version_id == prereview.version_id:
        return None
    listed, open_questions = list_for(item, prereview.answers)
    old = [Listed(m.no, m.name, m.needed, m.waivable) for m in prereview.listed]
    changes = rules.differences(old, [as_listed(material) for material in listed])
    difference = differences.between(session, prereview.version_id, item.version_id) if whole else None
    return VersionChange(item, tuple(changes), tuple(open_questions), difference)


def list_for(item: Item, answers: Mapping[str, Any]) -> tuple[tuple[Material, ...], list[Question]]:
    """The list of another version by answers given to an earlier one, and the questions they leave open (taken as no)."""
    known = {key: str(value) for key, value in answers.items()}
    questions = {question.key: question for question in item.questions}
    left_open: list[Question] = []
    while (walked := walk(item.questions, known)).open:
        question = questions[walked.open[0]]
        left_open.append(question)
        values = [option.value for option in question.options]
        known = {**walked.known, question.key: NO if NO in values else values[0]}
    return catalogue_rules.materials_for(item, walked.known), left_open


def as_listed(material: Material) -> Listed:
    """A catalogue material as the pre-review sees it: needed, unless its situation lets it follow later (容缺)."""
    return Listed(material.no, material.name, material.required or not material.tolerable, material.waivable)


def items_with_drafts(session: Session, item_ids: Sequence[str]) -> set[str]:
    """Those of the items that somebody has a draft of."""
    query = select(PreReview.item_id).where(PreReview.state == State.DRAFT, PreReview.item_id.in_(item_ids)).distinct()
    return set(session.scalars(query))


def drafts_of_item(
    session: Session, item_id: str, version_id: UUID, *, after: UUID | None, limit: int
) -> list[tuple[UUID, UUID]]:
    """Drafts of the item that were begun by another version than `version_id`, in order: key and owner."""
    query = select(PreReview.id, PreReview.owner_id).where(
        PreReview.item_id == item_id, PreReview.state == State.DRAFT, PreReview.version_id != version_id
    )
    if after is not None:
        query = query.where(PreReview.id > after)
    return [(row.id, row.owner_id) for row in session.execute(query.order_by(PreReview.id).limit(limit))]


def find_for_counter(session: Session, number: str, *options: ORMOption) -> PreReview:
    """The pre-review of a number on a QR code or read out, with its papers, whatever its state (PR-11); drafts are not found.

    The caller checks the state by `passed` and records the read; `options` load more. Raises `IdentifierError`, `NotFound`.
    """
    number = ids.parse_numbered(Kind.PREREVIEW.value, number)
    query = select(PreReview).where(PreReview.number == number, PreReview.state.not_in(rules.HIDDEN))
    return one(session, query.options(*options))


def passed_of_owner(session: Session, owner_id: UUID, now: datetime) -> list[PassedPreReview]:
    """The owner's pre-reviews that passed and still count, newest first: for the counter with an ID card in hand (PR-11)."""
    query = (
        select(PreReview)
        .where(PreReview.owner_id == owner_id, PreReview.state == State.PASSED, PreReview.expires_at > now)
        .order_by(PreReview.id.desc())
        .options(WITH_PAPERS)
    )
    return [_passed(found) for found in session.scalars(query) if not overtaken(session, found, now)]


def _passed(prereview: PreReview) -> PassedPreReview:
    return PassedPreReview(
        id=prereview.id,
        number=prereview.number,
        owner_id=prereview.owner_id,
        acting_id=prereview.acting_id,
        item_id=prereview.item_id,
        version_id=prereview.version_id,
        hall_id=prereview.hall_id,
        answers=dict(prereview.answers),
        expires_at=_known(prereview.expires_at),
        materials=tuple(
            PassedMaterial(
                no=material.no,
                name=material.name,
                provision=Provision(material.provision) if material.provision else None,
                verdict=Verdict(_known(material.verdict)),
                original_required=material.original_required,
                bring=material.bring,
                file_ids=tuple(file.file_id for file in material.files),
            )
            for material in prereview.listed
        ),
    )


def _known(value: Any) -> Any:
    """A value the state guarantees."""
    if value is None:
        raise StateConflict()
    return value
