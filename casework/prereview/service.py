"""What the citizen does with a pre-review, and what other features and the clock do. The clerk's acts are in `review`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from auth.accounts.events import SubjectsMerged
from casework.acting import service as acting
from casework.catalogue import queries as catalogue
from casework.catalogue import rules as catalogue_rules
from casework.catalogue.rules import Item, Material
from casework.catalogue.situations.rules import walk
from casework.files import service as files
from casework.places import queries as places
from casework.prereview import events, queries, rules
from casework.prereview.errors import ItemVersionChanged, MaterialMissing, PreReviewNotOffered
from casework.prereview.models import FindingKind, PreReview, PreReviewFile, PreReviewMaterial
from casework.prereview.record import service as record
from casework.prereview.record.service import MATTER
from casework.prereview.rules import EDITABLE, Listed, Provision, Reason, State, Verdict
from core import calendar, clock, ids, numbers
from core.actors import Action, Actor, Citizen
from core.errors import InvalidInput, NotFound, StateConflict
from core.workdays import CalendarStatus


def start(
    session: Session, *, actor: Citizen, item_id: str, answers: Mapping[str, str], hall_id: UUID | None = None
) -> PreReview:
    """Open a draft with the exact material list of the answers (PR-1, PR-2); without `hall_id` at the item's first hall.

    Raises `ItemNotInForce`, `PreReviewNotOffered`, `InvalidInput` (answers, hall), and what
    `casework.acting` refuses (DG-3, DG-5).
    """
    now = clock.now()
    item = catalogue.item_in_force(session, item_id, clock.local(now).date())
    if not item.pre_review:
        raise PreReviewNotOffered()
    hall = hall_of(session, item_id, hall_id)
    acting.require(session, actor=actor, action=Action.SUBMIT, item=item, hall_id=hall)
    listed = catalogue_rules.materials_for(item, answers)
    prereview = PreReview(
        id=ids.uuid7(),
        number=numbers.issue(session, numbers.Kind.PREREVIEW, clock.local(now).date()),
        owner_id=actor.owner_id,
        acting_id=actor.subject_id,
        acted_by=actor.acted_by,
        item_id=item.item_id,
        version_id=item.version_id,
        item_name=item.name,
        zone_code=item.zone_code,
        hall_id=hall,
        answers=dict(answers),
        state=State.DRAFT,
        round=0,
        answer_due_provisional=False,
        expires_provisional=False,
        right_body="",
        created_at=now,
        updated_at=now,
        materials=[_new_material(material, 1) for material in listed],
    )
    session.add(prereview)
    session.flush()
    record.begin(session, prereview, actor, now=now)
    return queries.owned(session, prereview.id, actor.owner_id)


def hall_of(session: Session, item_id: str, wanted: UUID | None) -> UUID:
    """The hall a pre-review goes to: `wanted` if it serves the item, else the item's first. Raises `InvalidInput`."""
    serving = [hall.id for hall in places.halls_for_item(session, item_id)]
    if wanted is None and serving:
        return serving[0]
    if wanted is None or wanted not in serving:
        raise InvalidInput(fields={"hall_id": ["该大厅不办理此事项 / this hall doesn't serve the item"]})
    return wanted


def _new_material(material: Material, round: int) -> PreReviewMaterial:
    listed = queries.as_listed(material)
    return PreReviewMaterial(
        no=listed.no,
        name=listed.name,
        needed=listed.needed,
        waivable=listed.waivable,
        tolerable=material.tolerable,
        licence_key=material.licence_key,
        licence_name=material.licence_name,
        original_required=material.original_required,
        alternative_group=material.alternative_group,
        file_version=0,
        changed_round=round,
        dropped=False,
        all_files=[],
    )


def set_material(
    session: Session,
    *,
    actor: Citizen,
    prereview_id: UUID,
    no: int,
    provision: Provision | None,
    file_ids: Sequence[UUID] = (),
) -> PreReview:
    """Say how a material is provided, with its files in order; other files than before make a new version (PR-13).

    None takes an optional material back. Raises `NotFound`, `StateConflict`, `InvalidInput`.
    """
    now = clock.now()
    prereview = _editable(session, actor, prereview_id, now)
    material = next((found for found in prereview.listed if found.no == no), None)
    if material is None:
        raise NotFound()
    _check_provision(prereview, material, provision, file_ids)
    stored = files.attach(
        session, owner_id=prereview.owner_id, file_ids=file_ids, matter_type=MATTER, matter_id=prereview.id
    )
    # Compared by content: the same paper sent once more is no change (PR-5).
    same = [file.digest for file in material.files] == [file.digest for file in stored]
    if not same:
        for old in material.files:
            old.superseded_at = now
    if not same and stored:
        material.file_version += 1
        material.all_files += [
            PreReviewFile(
                version=material.file_version,
                position=position,
                file_id=file.id,
                digest=file.digest,
                media_type=file.media_type,
                pages=file.pages,
                size=file.size,
                created_at=now,
            )
            for position, file in enumerate(stored, 1)
        ]
    if not same or material.provision != provision:
        material.provision = provision
        _reopen(material, prereview)
    prereview.updated_at = now
    session.flush()
    return prereview


def _editable(session: Session, actor: Citizen, prereview_id: UUID, now: datetime) -> PreReview:
    """The actor's pre-review, locked, while its papers may be changed. Raises `NotFound`, `StateConflict`."""
    prereview = queries.owned(session, prereview_id, actor.owner_id, lock=True)
    _require(session, actor, prereview)
    over = prereview.expires_at is not None and prereview.expires_at <= now
    if prereview.state not in EDITABLE or over:
        raise StateConflict(extra={"state": prereview.state})
    return prereview


def _require(session: Session, actor: Citizen, prereview: PreReview) -> None:
    """Whether the actor may act on it: after a notice that is 补正, else 提交 (DG-1). Raises as `casework.acting`."""
    action = Action.CORRECT if prereview.state == State.NEEDS_CHANGE else Action.SUBMIT
    acting.require_matter(
        session, actor=actor, action=action, version_id=prereview.version_id, hall_id=prereview.hall_id
    )


def _check_provision(
    prereview: PreReview, material: PreReviewMaterial, provision: Provision | None, file_ids: Sequence[UUID]
) -> None:
    if (provision is Provision.UPLOAD) != bool(file_ids):
        raise InvalidInput(fields={"file_ids": ["上传须附文件，其他方式不附文件 / files exactly with UPLOAD"]})
    if len(set(file_ids)) != len(file_ids):
        raise InvalidInput(fields={"file_ids": ["同一文件不要重复添加 / a file is listed twice"]})
    if provision is Provision.LICENCE and not material.waivable:
        raise InvalidInput(fields={"provision": ["此材料不能免提交 / this material can't be waived"]})
    others = sum(len(found.files) for found in prereview.listed if found is not material)
    if others + len(file_ids) > rules.POLICY.max_files:
        raise InvalidInput(
            fields={"file_ids": [f"一次预审最多 {rules.POLICY.max_files} 个文件 / too many files in one pre-review"]}
        )


def _reopen(material: PreReviewMaterial, prereview: PreReview) -> None:
    """A changed material needs a new verdict in the next round."""
    material.changed_round = prereview.round + 1
    material.verdict = material.reason_code = material.comment = material.verdict_round = material.valid_until = None


def change_answers(session: Session, *, actor: Citizen, prereview_id: UUID, answers: Mapping[str, str]) -> PreReview:
    """Choose another situation: in a draft, or after the clerk found the chosen one wrong (情形选错, PR-6).

    Materials that stay on the list keep their files. Raises `NotFound`, `StateConflict`, `InvalidInput`.
    """
    now = clock.now()
    prereview = _editable(session, actor, prereview_id, now)
    wrong = [material for material in prereview.listed if material.reason_code == Reason.SITUATION_WRONG]
    if prereview.state != State.DRAFT and not wrong:
        raise StateConflict(extra={"state": prereview.state})
    item = catalogue.item_version(session, prereview.version_id)
    changed = dict(answers) != prereview.answers
    _relist(session, prereview, item, answers)
    for material in wrong if changed else ():
        _reopen(material, prereview)
    prereview.updated_at = now
    session.flush()
    return queries.owned(session, prereview.id, actor.owner_id)


def confirm_version(
    session: Session,
    *,
    actor: Citizen,
    prereview_id: UUID,
    version_id: UUID,
    answers: Mapping[str, str] | None = None,
) -> PreReview:
    """Take over the version in force that the citizen was shown (PR-2), with answers to its questions.

    Raises `ItemVersionChanged` when it isn't `version_id` any more, `ItemNotInForce`, `StateConflict`, `InvalidInput`.
    """
    now = clock.now()
    prereview = _editable(session, actor, prereview_id, now)
    if prereview.state != State.DRAFT:
        raise StateConflict(extra={"state": prereview.state})
    change = queries.version_change(session, prereview, now, whole=True)
    if change is not None:
        if change.item.version_id != version_id:
            raise ItemVersionChanged(extra=change.extra)
        kept = walk(change.item.questions, prereview.answers).known
        prereview.version_id = change.item.version_id
        prereview.item_name, prereview.zone_code = change.item.name, change.item.zone_code
        _relist(session, prereview, change.item, kept if answers is None else answers)
        prereview.updated_at = now
        session.flush()
    return queries.owned(session, prereview.id, actor.owner_id)


def _relist(session: Session, prereview: PreReview, item: Item, answers: Mapping[str, str]) -> None:
    """Make the list fit `item` and `answers`; what is on it under the same name keeps its files and verdict."""
    wanted = {material.name: material for material in catalogue_rules.materials_for(item, answers)}
    have = {material.name: material for material in prereview.materials}
    for name, row in have.items():
        if name in wanted:
            fresh = queries.as_listed(wanted[name])
            row.no, row.needed, row.waivable = fresh.no, fresh.needed, fresh.waivable
            row.tolerable, row.original_required = wanted[name].tolerable, wanted[name].original_required
            row.alternative_group = wanted[name].alternative_group
            if row.provision == Provision.LICENCE and not row.waivable:
                row.provision = None
            if row.dropped:
                row.dropped = False
                _reopen(row, prereview)
        elif prereview.round == 0:
            prereview.materials.remove(row)
        else:
            row.dropped = True
    prereview.materials += [
        _new_material(material, prereview.round + 1) for name, material in wanted.items() if name not in have
    ]
    prereview.answers = dict(answers)
    session.flush()


def submit(session: Session, *, actor: Citizen, prereview_id: UUID) -> PreReview:
    """Hand the papers in for pre-review, the first time or after a notice (PR-1, PR-2, PR-8).

    Raises `NotFound`, `StateConflict`, `ItemNotInForce`, `ItemVersionChanged` (with the differences), `MaterialMissing`.
    """
    now = clock.now()
    prereview = _editable(session, actor, prereview_id, now)
    change = queries.version_change(session, prereview, now, whole=True) if prereview.state == State.DRAFT else None
    if change is not None:
        raise ItemVersionChanged(extra=change.extra)
    _settle_alternatives(prereview)
    _check_complete(prereview)
    for material in prereview.listed:
        if material.provision is None and material.waivable:
            material.provision = Provision.LICENCE
    due = rules.answer_due(now, calendar.load(session))
    prereview.acting_id, prereview.acted_by = actor.subject_id, actor.acted_by
    prereview.round += 1
    prereview.submitted_at = now
    prereview.answer_due_at, prereview.answer_due_provisional = due.moment, due.status == CalendarStatus.PROVISIONAL
    prereview.answered_at = prereview.expires_at = None
    prereview.expires_provisional = False
    record.move(session, prereview, State.SUBMITTED, actor, events.PreReviewSubmitted, now=now)
    record.tell(session, prereview, until=due.moment)
    return prereview


def _settle_alternatives(prereview: PreReview) -> None:
    """Of papers that prove the same, those that were provided (else one that a licence replaces) stay on the list."""
    groups: dict[str, list[PreReviewMaterial]] = {}
    for material in prereview.listed:
        if material.alternative_group:
            groups.setdefault(material.alternative_group, []).append(material)
    for members in groups.values():
        chosen = [m for m in members if m.provision is not None] or [m for m in members if m.waivable][:1]
        for material in members if chosen else ():
            material.dropped = material not in chosen


def _check_complete(prereview: PreReview) -> None:
    papers = [
        (Listed(m.no, m.name, m.needed, m.waivable), Provision(m.provision) if m.provision else None)
        for m in prereview.listed
    ]
    lacking = {listed.no: listed.name for listed in rules.missing(papers)}
    # What was found defective and not touched since would only be found defective again.
    lacking |= {m.no: m.name for m in prereview.listed if m.verdict == Verdict.DEFECTIVE}
    if lacking:
        raise MaterialMissing(
            fields={f"materials.{no}": [name] for no, name in lacking.items()},
            extra={"materials": sorted(lacking)},
            names="、".join(lacking[no] for no in sorted(lacking)),
        )


def withdraw(session: Session, *, actor: Citizen, prereview_id: UUID) -> PreReview:
    """Take a submitted pre-review back. Raises `NotFound`, `StateConflict` (a clerk is at it, or it has ended)."""
    now = clock.now()
    prereview = queries.owned(session, prereview_id, actor.owner_id, lock=True)
    _require(session, actor, prereview)
    record.move(session, prereview, State.WITHDRAWN, actor, events.PreReviewWithdrawn, now=now)
    return prereview


def discard(session: Session, *, actor: Citizen, prereview_id: UUID) -> None:
    """Delete a draft and what was filled in. Raises `NotFound`, `StateConflict` (it was submitted)."""
    prereview = queries.owned(session, prereview_id, actor.owner_id, lock=True)
    _require(session, actor, prereview)
    now = clock.now()
    record.move(session, prereview, State.DISCARDED, actor, None, now=now)
    record.erase(session, prereview, now)


def mark_used(session: Session, *, actor: Actor, prereview_id: UUID, case_id: UUID | None = None) -> None:
    """The pre-review became a case or was used at the counter (PR-10, PR-11). Raises `NotFound`, `StateConflict`."""
    now = clock.now()
    prereview = queries.one(session, select(PreReview).where(PreReview.id == prereview_id), lock=True)
    if not queries.counts(session, prereview, now):
        raise StateConflict(extra={"state": prereview.state})
    prereview.used_at, prereview.used_case_id = now, case_id
    record.move(session, prereview, State.USED, actor, events.PreReviewUsed, now=now)


def record_counter_refusal(session: Session, *, actor: Actor, prereview_id: UUID, reason: str) -> None:
    """A passed pre-review was refused at the counter for a reason visible in the upload: a service failure (PR-12).

    Raises `NotFound`, `InvalidInput` without a reason.
    """
    if not reason:
        raise InvalidInput(fields={"reason": ["请说明原因 / give the reason"]})
    prereview = queries.one(session, select(PreReview).where(PreReview.id == prereview_id), lock=True)
    record.find(session, prereview, FindingKind.REFUSED_AT_COUNTER, actor, reason=reason)


def move_owner(session: Session, event: SubjectsMerged) -> None:
    """Pre-reviews follow their owner when two subjects turn out to be one person."""
    for column in (PreReview.owner_id, PreReview.acting_id):
        session.execute(update(PreReview).where(column == event.absorbed).values({column.key: event.kept}))
