"""From a file to versions or drafts, all of it or nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy.orm import Session

from casework.catalogue.answers import service as answers
from casework.catalogue.importing import service as documents
from casework.catalogue.importing.assembling.rules import NotKept, assemble
from casework.catalogue.importing.faults.rules import Fault, Place
from casework.catalogue.importing.reading.service import OPERATOR, UPLOAD, Format, Limits, Unreadable, opened
from casework.catalogue.importing.records import queries
from casework.catalogue.importing.records.queries import Current
from casework.catalogue.importing.records.rules import Known, Record, Said, checked, complete, content, said_by
from casework.catalogue.importing.service import Beside, ImportReport
from casework.catalogue.importing.tables.rules import layout
from casework.catalogue.importing.writing import service as writing
from casework.catalogue.importing.writing.service import Change, Progress, silent
from core import audit
from core.actors import Staff, System

_ITEM_ID = re.compile(r"[A-Z]{2}-[A-Z0-9-]{1,60}")
_NEW = "NB-"
"""The code of an item that exchange tables bring for the first time begins so; its 实施编码 follows [D]."""
_FIRST = "1.0"
_MOST_DRAFTS = 2_000

_MoreFaults = Callable[[Said, Record, Current | None], list[Fault]]


@dataclass(slots=True)
class _Checked:
    """What is to be written, and what is wrong (then nothing is)."""

    items: int
    changes: list[Change]
    faults: list[Fault]
    not_kept: NotKept = field(default_factory=dict)

    def report(self, changed: int) -> ImportReport:
        """What is told of it."""
        not_kept = tuple((*told, rows) for told, rows in self.not_kept.items())
        return ImportReport(self.items, changed, tuple(self.faults), not_kept)


def import_file(
    session: Session,
    source: Path | BinaryIO,
    beside: Beside,
    *,
    actor: System,
    today: date,
    wanted: Format | None = None,
    progress: Progress = silent,
) -> ImportReport:
    """Make law from `today` what a file or folder says; nothing is written if anything is wrong, or nothing differs.

    `wanted`: the format it must have. Raises `ImportRunning`.
    """
    writing.lock(session)
    progress("read", 0, 0)
    try:
        with opened(source, OPERATOR) as (found, holds):
            _expect(found, wanted)
            if found is Format.JSON and holds.get("schema_version") == _FIRST:
                report = documents.import_document(session, holds, beside, today=today, progress=progress)
            else:
                report = _publish(session, _check(session, found, holds, today, progress), today, progress)
    except Unreadable as unreadable:
        return ImportReport(0, 0, (unreadable.fault,))
    if report.changed:
        audit.record(
            session,
            actor=actor,
            action="catalogue.import",
            object_type="catalogue",
            object_id=today.isoformat(),
            format=found.value,
            items=report.items,
            changed=report.changed,
        )
    return report


def _publish(session: Session, found: _Checked, today: date, progress: Progress) -> ImportReport:
    if found.faults:
        return found.report(0)
    if found.changes:
        begun = writing.enter(session, [change.content for change in found.changes])
        writing.publish(session, found.changes, begun, today, progress)
        answers.touch(session)
    return found.report(len(found.changes))


def draft_file(
    session: Session,
    source: BinaryIO,
    beside: Beside,
    *,
    actor: Staff,
    today: date,
    limits: Limits = UPLOAD,
    progress: Progress = silent,
) -> ImportReport:
    """Make drafts of what differs in a file of the actor's department; each is reviewed and published by a second person.

    The file is drafted whole or not at all. Raises `ImportRunning`.
    """
    writing.lock(session)
    progress("read", 0, 0)
    try:
        with opened(source, limits) as (found, holds):
            if found is Format.JSON and holds.get("schema_version") == _FIRST:
                result = _check_document(session, holds, beside, today, _of_department(session, actor), progress)
            else:
                result = _check(session, found, holds, today, progress, _of_department(session, actor))
    except Unreadable as unreadable:
        return ImportReport(0, 0, (unreadable.fault,))
    if len(result.changes) > _MOST_DRAFTS:
        result.faults.append(Fault.at(Place(), "TOO_MANY", limit=_MOST_DRAFTS))
    if result.faults:
        return result.report(0)
    before = queries.current(session, today)
    writing.enter(session, [change.content for change in result.changes])
    for done, change in enumerate(result.changes, 1):
        based = before.get(change.content.item_id)
        base = based.version_id if based is not None else None
        writing.draft(session, actor=actor, change=change, base=base, today=today)
        progress("write", done, len(result.changes))
    return result.report(len(result.changes))


def _of_department(session: Session, actor: Staff) -> _MoreFaults:
    """An item manager drafts items of the own department, that are alive and have no open draft."""
    opened_before = writing.open_drafts(session)

    def more(said: Said, record: Record, before: Current | None) -> list[Fault]:
        others = before is not None and before.department_id != actor.department_id
        if others or record.get("department_id") != actor.department_id:
            return [said.fault("department_id", "OTHER_DEPARTMENT")]
        if before is not None and before.gone:
            return [said.fault("item_id", "CODE_GONE")]
        return [said.fault("item_id", "DRAFT_OPEN")] if said.item_id in opened_before else []

    return more


def _expect(found: Format, wanted: Format | None) -> None:
    if wanted is not None and found is not wanted:
        raise Unreadable("WRONG_FORMAT", found=found.value, wanted=wanted.value)


def _check(
    session: Session,
    found: Format,
    holds: Any,
    today: date,
    progress: Progress,
    more: _MoreFaults | None = None,
) -> _Checked:
    before = queries.current(session, today)
    faults: list[Fault] = []
    not_kept: NotKept = {}
    if found is Format.JSON:
        said = _of_json(holds, faults)
    elif found is Format.EXCEL:
        said = assemble(layout("workbook"), holds, lambda key: key[0], today, faults, not_kept)
    else:
        by_code = {(row.task_code, row.handle_item_code): row.item_id for row in before.values()}
        said = assemble(
            layout("exchange"),
            holds,
            lambda key: by_code.get((key[0], key[1]), f"{_NEW}{key[0].upper()}"),
            today,
            faults,
            not_kept,
        )
        _by_name(session, said, before, today, faults)
    result = _check_said(session, said, before, faults, more, progress)
    result.not_kept = not_kept
    return result


def _of_json(document: Mapping[str, Any], faults: list[Fault]) -> dict[str, Said]:
    if document.get("schema_version") != "2.0" or not isinstance(document.get("items"), list):
        faults.append(
            Fault("schema_version", "NOT_A_CHOICE", {"value": document.get("schema_version"), "choices": "1.0、2.0"})
        )
        return {}
    said: dict[str, Said] = {}
    for i, item in enumerate(document["items"]):
        path = f"items.{i}"
        item_id = item.get("item_id") if isinstance(item, dict) else None
        if not isinstance(item_id, str):
            faults.append(Fault(f"{path}.item_id", "MISSING"))
        elif item_id in said:
            faults.append(Fault(f"{path}.item_id", "TWICE", {"name": item_id, "count": 2}))
        else:
            said[item_id] = Said(item_id, path, {name: value for name, value in item.items() if name != "item_id"})
    return said


def _by_name(
    session: Session, said: Mapping[str, Said], before: Mapping[str, Current], today: date, faults: list[Fault]
) -> None:
    """Exchange tables of others name the authority only: find its department, and the zone of a new item.

    Ours say the department beside the name. It counts for a new item, and where it changes; a name that was changed alone must
    be one that leads to a department.
    """
    names = queries.names(session, today)
    for one in said.values():
        current = before.get(one.item_id)
        authority = one.fields.get("authority")
        if authority is None or (current is not None and current.authority == authority):
            continue
        department = one.fields.get("department_id")
        if department is None or (current is not None and department == current.department_id):
            department = names.departments.get(authority, "")
        if not department:
            faults.append(one.fault("authority", "UNKNOWN_DEPARTMENT", name=authority))
            one.bad |= {"authority", "department_id", "zone_code"}
        one.fields["department_id"] = department
        if current is None:
            one.fields = {"zone_code": names.zones.get(department, ""), "authority_2017": authority} | one.fields


def _check_document(
    session: Session,
    document: Mapping[str, Any],
    beside: Beside,
    today: date,
    more: _MoreFaults,
    progress: Progress,
) -> _Checked:
    """A document of version 1.0 as drafts: its reference lists are the operators' and stay as they are."""
    contents, wrong = documents.contents_of(document, beside)
    if wrong:
        return _Checked(0, [], list(wrong))
    said = {
        one.item_id: Said(one.item_id, f"items.{i}", said_by(one)) for i, one in enumerate(contents)
    }  # fmt: skip
    return _check_said(session, said, queries.current(session, today), [], more, progress)


def _check_said(
    session: Session,
    said: Mapping[str, Said],
    before: Mapping[str, Current],
    faults: list[Fault],
    more: _MoreFaults | None,
    progress: Progress,
) -> _Checked:
    alive = {item_id for item_id, current in before.items() if current.in_force}
    known = queries.known(session, alive | said.keys())
    result = _Checked(len(said), [], faults)
    codes = list(said)
    for at in range(0, len(codes), queries.AT_ONCE):
        some = [said[code] for code in codes[at : at + queries.AT_ONCE]]
        progress("check", at, len(codes))
        versions = [before[one.item_id].version_id for one in some if one.item_id in before]
        records = dict(queries.records(session, versions))
        for one in some:
            _check_one(one, records.get(one.item_id), before.get(one.item_id), known, more, result)
    progress("check", len(codes), len(codes))
    return result


def _check_one(
    said: Said,
    current: Record | None,
    before: Current | None,
    known: Known,
    more: _MoreFaults | None,
    result: _Checked,
) -> None:
    if not _ITEM_ID.fullmatch(said.item_id):
        result.faults.append(said.fault("item_id", "ITEM_ID", value=said.item_id[:80]))
        return
    whole = complete(said, current)
    if whole == current and not said.bad:
        return
    record, wrong = checked(said, whole, known, current)
    if not wrong and record == current:
        return
    if not wrong and more is not None:
        wrong = more(said, record, before)
    result.faults += wrong
    if not result.faults:
        made = content(said.item_id, record)
        result.changes.append(Change(made, writing.digest(made)))


def told(faults: Sequence[Fault], most: int) -> list[dict[str, Any]]:
    """The first faults as answers."""
    return [fault.told() for fault in faults[:most]]
