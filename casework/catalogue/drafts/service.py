"""What item managers do with drafts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, literal, select, union_all, update
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.orm import Session

from casework.catalogue.drafts import queries
from casework.catalogue.drafts.errors import ItemEnded
from casework.catalogue.elements.queries import PARTS as ELEMENT_ROWS
from casework.catalogue.errors import PreconditionFailed
from casework.catalogue.lookups.models import Department, JointTopic, LicenceType, LifeEventPackage, Zone
from casework.catalogue.models import (
    CatalogueItem,
    ItemFeeLine,
    ItemMaterial,
    ItemQuestion,
    ItemRule,
    ItemVersion,
    ItemVersionEvent,
)
from casework.catalogue.rules import LIVE, VersionState, is_sample
from casework.catalogue.situations.rules import Effect, condition_fault, params_fault
from core import audit, clock, ids
from core.actors import Staff
from core.errors import InvalidInput, NotFound, StateConflict

# The questions first: papers refer to them.
ROWS: dict[str, type[Any]] = {
    "questions": ItemQuestion, "materials": ItemMaterial, "rules": ItemRule, "fee_lines": ItemFeeLine,
    **{name: model for name, (model, _) in ELEMENT_ROWS.items()},
}  # fmt: skip
_LIFE = {
    "id", "item_id", "version", "state", "effective_from", "effective_to", "authors", "published_by", "base_version_id",
    "edit", "retire_reason",
}  # fmt: skip


def note(
    session: Session, version: ItemVersion, actor: Staff, action: str, *, detail: str = "", text: str = ""
) -> None:
    """Write what was done to a version, for its history and for the audit log."""
    session.add(
        ItemVersionEvent(
            version_id=version.id, action=action, detail=detail, note=text, at=clock.now(), actor=actor.audit_id
        )
    )
    audit.record(
        session,
        actor=actor,
        action=f"catalogue.{action}",
        object_type="item_version",
        object_id=version.id,
        item_id=version.item_id,
        detail=detail,
    )


def open_draft(session: Session, *, actor: Staff, item_id: str, as_item: str | None = None) -> ItemVersion:
    """A draft with everything the last published version of `item_id` says; `as_item`: for a new item of that code instead.

    An item that never was law goes on from what was written last. A new item may begin as a copy of what another
    department has in force, as it must when items move: it is the actor's department's then.

    Raises `NotFound` (no such item in the actor's department), `ItemEnded`, `InvalidInput` (the new code was given before)
    and `StateConflict` (a draft is open: `version_id`).
    """
    item = session.get(CatalogueItem, item_id, with_for_update=True)
    if item is None or actor.department_id is None:
        raise NotFound()
    base = _base(session, actor, item_id, copied=as_item is not None)
    if as_item is not None:
        _new_item(session, as_item)
    elif item.gone_kind is not None:
        raise ItemEnded(extra={"gone": item.gone_kind})
    code = as_item or item_id
    opened = session.scalar(
        select(ItemVersion.id).where(
            ItemVersion.item_id == code,
            ItemVersion.state.in_((VersionState.DRAFT, VersionState.IN_REVIEW)),
            func.cardinality(ItemVersion.authors) > 0,
        )
    )
    if opened is not None:
        raise StateConflict(extra={"version_id": str(opened)})
    last = session.scalar(select(func.max(ItemVersion.version)).where(ItemVersion.item_id == code))
    version_id = ids.uuid7()
    content = {
        column.name: getattr(base, column.name) for column in ItemVersion.__table__.c if column.name not in _LIFE
    } | _of_department(session, actor.department_id, base)
    session.execute(
        insert(ItemVersion).values(
            **content,
            id=version_id,
            item_id=code,
            version=(last or 0) + 1,
            state=VersionState.DRAFT,
            effective_from=clock.today(),
            authors=[actor.staff_id],
            base_version_id=base.id if as_item is None and base.state in LIVE else None,
        )
    )
    for model in ROWS.values():
        names = [column.name for column in model.__table__.c if column.name != "version_id"]
        rows = select(literal(version_id), *(model.__table__.c[name] for name in names))
        session.execute(insert(model).from_select(["version_id", *names], rows.where(model.version_id == base.id)))
    made = session.get_one(ItemVersion, version_id)
    note(session, made, actor, "draft.open", detail=code)
    return made


def _base(session: Session, actor: Staff, item_id: str, *, copied: bool) -> ItemVersion:
    found = queries.latest(session, item_id) or queries.last_written(session, item_id)
    if found is not None and found.department_id == actor.department_id:
        return found
    public = queries.in_force_on(session, item_id, clock.today()) if copied else None
    if public is None:
        raise NotFound()
    return public


def _of_department(session: Session, department_id: str, base: ItemVersion) -> dict[str, Any]:
    """What a copy of another department's item says of who decides it."""
    if base.department_id == department_id:
        return {}
    own = session.get_one(Department, department_id)
    names = {"authority": own.name, "authority_2017": own.name_2017}
    return {"department_id": department_id, **names, "authority_code": "", "authority_type": "", "power_source": ""}


def _new_item(session: Session, item_id: str) -> None:
    made = session.scalar(
        pg.insert(CatalogueItem)
        .values(item_id=item_id, created_at=clock.now(), updated_at=clock.now())
        .on_conflict_do_nothing()
        .returning(CatalogueItem.item_id)
    )
    if made is None:
        raise InvalidInput(fields={"as_item": ["此编码已用过，不能再用 / this code was given before"]})


def edit(
    session: Session, *, actor: Staff, version_id: UUID, edit: int, section: str, content: Mapping[str, Any]
) -> ItemVersion:
    """Replace a section of a draft by `content`, which has the shape of `ports.SECTIONS`; `edit` is the draft as it was read.

    Raises `NotFound`, `StateConflict` (not a draft), `PreconditionFailed` and `InvalidInput`.
    """
    version = locked(session, actor, version_id, edit)
    _check(session, version_id, section, content)
    columns: dict[str, Any] = {}
    for name, value in content.items():
        if name in ROWS:
            continue
        if name in {"legal_limit", "promised_limit"}:
            columns |= {name: value["value"], f"{name}_unit": value["unit"]}
        else:
            columns[name] = value
    if section == "basics":
        columns["is_sample"] = is_sample(content["catalog_code"])
    session.execute(
        update(ItemVersion)
        .where(ItemVersion.id == version_id)
        .values(**columns, edit=version.edit + 1, authors=_with(version.authors, actor.staff_id))
    )
    for name in (name for name in ROWS if name in content):
        _replace_rows(session, version_id, name, content[name])
    session.refresh(version)
    note(session, version, actor, "draft.edit", detail=section)
    return version


def locked(session: Session, actor: Staff, version_id: UUID, edit: int) -> ItemVersion:
    """The actor's draft, locked, if nobody changed it since. Raises `NotFound`, `StateConflict`, `PreconditionFailed`."""
    version = queries.managed(session, actor, version_id, lock=True)
    if version.state != VersionState.DRAFT:
        raise StateConflict(extra={"state": version.state})
    if version.edit != edit:
        raise PreconditionFailed(extra={"edit": version.edit})
    return version


def _with(authors: Sequence[UUID], one: UUID) -> list[UUID]:
    return [*authors] if one in authors else [*authors, one]


def _check(session: Session, version_id: UUID, section: str, content: Mapping[str, Any]) -> None:
    """What the database would refuse, told by field."""
    faults: dict[str, list[str]] = {}
    for name in content.keys() & ROWS.keys():
        key = "key" if name == "questions" else "no"
        keys = [row[key] for row in content[name]]
        for i in (i for i, one in enumerate(keys) if one in keys[:i]):
            faults[f"{name}.{i}.{key}"] = ["重复 / given twice"]
    if section == "basics":
        faults |= _basics_faults(session, content)
    if section == "service":
        faults |= _pause_faults(content)
    if section == "materials":
        faults |= _material_faults(session, version_id, content["materials"])
    if section == "situations":
        faults |= _situation_faults(session, version_id, content)
    for i, line in enumerate(content.get("fee_lines", ())):
        if (line["amount_fen"] is None) != bool(line["formula"]):
            faults[f"fee_lines.{i}.amount_fen"] = ["金额与公式二选一 / either an amount or a formula"]
    if faults:
        raise InvalidInput(fields=faults)


def _basics_faults(session: Session, content: Mapping[str, Any]) -> dict[str, list[str]]:
    faults: dict[str, list[str]] = {}
    if session.get(Zone, content["zone_code"]) is None:
        faults["zone_code"] = ["没有此办理区域 / no such zone"]
    known = set(session.scalars(union_all(select(JointTopic.key), select(LifeEventPackage.key))))
    for i, topic in enumerate(content["joint_topics"]):
        if topic not in known:
            faults[f"joint_topics.{i}"] = ["没有此主题或一件事 / no such topic or life event"]
    return faults


def _pause_faults(content: Mapping[str, Any]) -> dict[str, list[str]]:
    if not content["paused"]:
        return {}
    faults = {
        name: ["暂停办理期间须关闭 / must be off while the item is paused"]
        for name in ("bookable", "pre_review")
        if content[name]
    }
    return faults | ({} if content["pause_reason"] else {"pause_reason": ["请说明暂停原因 / say why it is paused"]})


def _material_faults(
    session: Session, version_id: UUID, materials: Sequence[Mapping[str, Any]]
) -> dict[str, list[str]]:
    faults: dict[str, list[str]] = {}
    asked = set(session.scalars(select(ItemQuestion.key).where(ItemQuestion.version_id == version_id)))
    licences = set(session.scalars(select(LicenceType.key)))
    for i, row in enumerate(materials):
        if row["condition"] is not None and row["condition"] not in asked:
            faults[f"materials.{i}.condition"] = ["没有此问题，请先添加 / no such question; add it first"]
        if row["required"] != (row["condition"] is None and not row["by_rule"]) or (
            row["condition"] and row["by_rule"]
        ):
            faults[f"materials.{i}.required"] = [
                "必要材料不填条件；其余须有条件或由规则列出，二选一 / required, by condition or by rule: exactly one"
            ]
        if row["waivable"] != bool(row["licence_key"]) or (row["licence_key"] and row["licence_key"] not in licences):
            faults[f"materials.{i}.licence_key"] = [
                "免提交材料须填可替代的证照 / waivable exactly with a known licence"
            ]
    return faults


def _situation_faults(session: Session, version_id: UUID, content: Mapping[str, Any]) -> dict[str, list[str]]:
    faults: dict[str, list[str]] = {}
    for i, row in enumerate(content["questions"]):
        if len(row["options"]) < 2:
            faults[f"questions.{i}.options"] = ["至少两个选项 / at least two options"]
        if row["asked_when"] is not None and (fault := condition_fault(row["asked_when"])):
            faults[f"questions.{i}.asked_when"] = [fault]
    for i, row in enumerate(content["rules"]):
        if fault := condition_fault(row["condition"]):
            faults[f"rules.{i}.condition"] = [fault]
        if fault := params_fault(Effect(row["effect"]), row["params"]):
            faults[f"rules.{i}.params"] = [fault]
    kept = {row["key"] for row in content["questions"]}
    called = select(ItemMaterial.condition).where(ItemMaterial.version_id == version_id)
    if missing := sorted({key for key in session.scalars(called) if key is not None} - kept):
        faults["questions"] = [f"材料仍以这些问题为条件：{'、'.join(missing)} / papers still depend on these"]
    return faults


def _replace_rows(session: Session, version_id: UUID, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    model = ROWS[name]
    values = [dict(row) | {"version_id": version_id} for row in rows]
    if name in {"questions", "materials"}:
        values = [row | {"position": place} for place, row in enumerate(values, 1)]
    if name == "materials":
        values = [row | {"licence_key": row["licence_key"] or None} for row in values]
    if name != "questions":
        session.execute(delete(model).where(model.version_id == version_id))
        if values:
            session.execute(insert(model), values)
        return
    # Papers refer to questions, so that those which stay are changed in place.
    keys = [row["key"] for row in values]
    session.execute(delete(model).where(model.version_id == version_id, ItemQuestion.key.not_in(keys)))
    for row in values:
        write = pg.insert(ItemQuestion).values(row)
        session.execute(
            write.on_conflict_do_update(
                index_elements=[ItemQuestion.version_id, ItemQuestion.key],
                set_={column: write.excluded[column] for column in ("position", "text", "options", "asked_when")},
            )
        )


def rebase(session: Session, *, actor: Staff, version_id: UUID, edit: int, onto: UUID | None = None) -> ItemVersion:
    """Go on from another published version, whose differences to the draft have been looked at.

    `onto`: the one that the draft is to replace, as `BaseChanged` named it; None: the last one published. What must begin
    before a version that is published for later already replaces the one in force. The draft's words stay as they are.
    Raises `NotFound`, `StateConflict`, `PreconditionFailed`, `InvalidInput`.
    """
    version = locked(session, actor, version_id, edit)
    base = queries.latest(session, version.item_id)
    if onto is not None:
        base = session.get(ItemVersion, onto)
        if base is None or base.item_id != version.item_id or base.state != VersionState.PUBLISHED:
            raise InvalidInput(fields={"onto": ["不是本事项已发布的版本 / not a published version of this item"]})
    version.base_version_id = base.id if base is not None else None
    version.edit += 1
    version.authors = _with(version.authors, actor.staff_id)
    session.flush()
    note(session, version, actor, "draft.rebase")
    return version


def give_up(session: Session, *, actor: Staff, version_id: UUID) -> ItemVersion:
    """End a draft or a submission that comes to nothing; it stays readable. Raises `NotFound`, `StateConflict`."""
    version = queries.managed(session, actor, version_id, lock=True)
    if version.state not in (VersionState.DRAFT, VersionState.IN_REVIEW):
        raise StateConflict(extra={"state": version.state})
    version.state = VersionState.WITHDRAWN
    session.flush()
    note(session, version, actor, "draft.give_up")
    return version
